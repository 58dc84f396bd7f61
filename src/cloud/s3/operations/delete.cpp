// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

// One key of a delete request and its result.
struct DeleteEntry {
    std::string key;
    std::optional<std::string> version;
    std::optional<std::string> if_match;
    Deleted deleted;
    std::optional<AwsError> error;

    RequestedVersion requested_version() const { return version ? RequestedVersion(*version) : std::nullopt; }
};

AwsResult<> authorize_delete(OperationContext& context, const Bucket& bucket, std::string_view key,
                             bool has_version) {
    return authorize(context, bucket,
                     {.action = has_version ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
                      .resource = object_arn(bucket.name, key)});
}

AwsResult<Deleted> delete_one(S3& s3, WriteBatch& writes, const Bucket& bucket, const DeleteEntry& entry) {
    auto name = entry.requested_version();
    if (entry.if_match) {
        auto present = TRY(to_aws_result(find_object(writes.transaction, bucket.id, entry.key, name)));
        if (!present) return no_such_key(entry.key);
        if (!matches_etag(*entry.if_match, present->etag)) return precondition_failed("If-Match");
    }
    if (name && *name != "null" && !parse_version_id(*name))
        return invalid_argument("Invalid version id specified", "versionId", *name);
    return TRY(to_aws_result(delete_object(writes, *s3.storage, bucket.id, entry.key, name)));
}

void publish_deleted(S3& s3, const Bucket& bucket, const Deleted& deleted) {
    if (deleted.removed) publish_event(s3, "ObjectRemoved:Delete", bucket, *deleted.removed);
    if (deleted.marker) publish_event(s3, "ObjectRemoved:DeleteMarkerCreated", bucket, *deleted.marker);
}

AwsResult<std::vector<DeleteEntry>> parse_delete_request(const Element& root) {
    std::vector<DeleteEntry> batch;
    for (const auto& element : root.children) {
        if (element.name == "Quiet") continue;
        const auto* key = element.child("Key");
        if (element.name != "Object" || !key || key->text.empty()) return malformed_xml();
        if (batch.size() == delete_count_max) return malformed_xml();
        DeleteEntry entry{.key = key->text, .version = {}, .if_match = {}, .deleted = {}, .error = {}};
        if (const auto* version = element.child("VersionId"); version && !version->text.empty())
            entry.version = version->text;
        if (const auto* etag = element.child("ETag")) entry.if_match = etag->text;
        batch.push_back(std::move(entry));
    }
    if (batch.empty()) return malformed_xml();
    return batch;
}

void write_entry(XmlWriter& xml, const DeleteEntry& entry) {
    if (entry.error) {
        xml.open("Error");
        xml.value("Key", entry.key);
        if (entry.version) xml.value("VersionId", *entry.version);
        xml.value("Code", entry.error->code);
        xml.value("Message", entry.error->message);
        xml.close();
        return;
    }
    xml.open("Deleted");
    xml.value("Key", entry.key);
    if (entry.version) xml.value("VersionId", *entry.version);
    const auto& [removed, marker] = entry.deleted;
    if (marker) {
        xml.flag("DeleteMarker", true);
        xml.value("DeleteMarkerVersionId", to_version_id(*marker));
    } else if (removed && removed->marker) {
        xml.flag("DeleteMarker", true);
        xml.value("DeleteMarkerVersionId", to_version_id(*removed));
    }
    xml.close();
}

}  // namespace

AwsResult<http::Response> delete_key(S3& s3, OperationContext& context) {
    auto bucket = TRY(request_bucket(s3, context));
    TRY(check_key(context.key));
    auto name = TRY(parse_version(context));
    TRY(authorize_delete(context, *bucket, context.key, name.has_value()));
    DeleteEntry entry{.key = context.key, .version = {}, .if_match = {}, .deleted = {}, .error = {}};
    if (name) entry.version = std::string(*name);
    if (auto match = context.request.headers.get("if-match")) entry.if_match = std::string(*match);
    Deleted deleted;
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        deleted = TRY(delete_one(s3, writes, *bucket, entry));
        return {};
    };
    TRY(run_write_transaction(s3, rows));
    publish_deleted(s3, *bucket, deleted);
    http::Headers headers;
    if (deleted.marker) {
        headers.set("x-amz-delete-marker", "true");
        headers.set("x-amz-version-id", to_version_id(*deleted.marker));
    } else if (name) {
        headers.set("x-amz-version-id", *name);
        if (deleted.removed && deleted.removed->marker) headers.set("x-amz-delete-marker", "true");
    }
    return empty_response(204, std::move(headers));
}

AwsResult<http::Response> delete_keys(S3& s3, OperationContext& context) {
    auto bucket = TRY(request_bucket(s3, context));
    auto declared = TRY(parse_declared_checksums(context.request.headers));
    if (declared.md5.empty() && declared.kind == ChecksumKind::none)
        return invalid_request("Missing required header for this request: Content-MD5");
    TRY(verify_checksums(declared, context.body));
    auto root = TRY(parse_xml(context.body, "Delete"));
    auto batch = TRY(parse_delete_request(root));
    for (auto& entry : batch) {
        auto allowed = authorize_delete(context, *bucket, entry.key, entry.version.has_value());
        if (allowed) allowed = check_key(entry.key);
        if (!allowed) entry.error = std::move(allowed).error();
    }
    auto rows = [&](WriteBatch& writes) -> AwsResult<> {
        for (auto& entry : batch) {
            if (entry.error) continue;
            auto deleted = delete_one(s3, writes, *bucket, entry);
            if (deleted) {
                entry.deleted = *std::move(deleted);
                continue;
            }
            auto error = std::move(deleted).error();
            if (error.status >= 500) return error;  // A server error rolls back all entries.
            entry.error = std::move(error);
        }
        return {};
    };
    TRY(run_write_transaction(s3, rows));
    bool quiet = root.value("Quiet") == "true";
    XmlWriter xml("DeleteResult");
    for (const auto& entry : batch) {
        if (!entry.error) publish_deleted(s3, *bucket, entry.deleted);
        if (entry.error || !quiet) write_entry(xml, entry);
    }
    return xml_response(std::move(xml));
}

}  // namespace integreat::s3
