// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

// What a batch says about one key, and what became of it.
struct Doomed {
    std::string key;
    std::optional<std::string> version;
    std::optional<std::string> if_match;
    Deleted deleted;
    std::optional<AwsError> refused;

    VersionName name() const { return version ? VersionName(*version) : std::nullopt; }
};

Tried<> permit_delete(Exchange& exchange, const Bucket& bucket, std::string_view key, bool of_version) {
    return permit(exchange, bucket,
                  {.action = of_version ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
                   .resource = object_arn(bucket.name, key)});
}

Tried<Deleted> delete_one(S3& s3, Change& inside, const Bucket& bucket, const Doomed& doomed) {
    auto name = doomed.name();
    if (doomed.if_match) {
        auto present = TRY(find_object(inside.transaction, bucket.id, doomed.key, name));
        if (!present) return no_such_key(doomed.key);
        if (!matches_etag(*doomed.if_match, present->etag)) return precondition_failed("If-Match");
    }
    if (name && *name != "null" && !sequence_of(*name))
        return invalid_argument("Invalid version id specified", "versionId", *name);
    return TRY(delete_object(inside, *s3.storage, bucket.id, doomed.key, name));
}

void tell_deleted(S3& s3, const Bucket& bucket, const Deleted& deleted) {
    if (deleted.removed) tell(s3, "ObjectRemoved:Delete", bucket, *deleted.removed);
    if (deleted.marker) tell(s3, "ObjectRemoved:DeleteMarkerCreated", bucket, *deleted.marker);
}

Tried<std::vector<Doomed>> read_batch(const Element& root) {
    std::vector<Doomed> batch;
    for (const auto& inside : root.children) {
        if (inside.name == "Quiet") continue;
        const auto* key = inside.child("Key");
        if (inside.name != "Object" || !key || key->text.empty()) return malformed_xml();
        if (batch.size() == delete_count_max) return malformed_xml();
        Doomed doomed{.key = key->text, .version = {}, .if_match = {}, .deleted = {}, .refused = {}};
        if (const auto* version = inside.child("VersionId"); version && !version->text.empty())
            doomed.version = version->text;
        if (const auto* etag = inside.child("ETag")) doomed.if_match = etag->text;
        batch.push_back(std::move(doomed));
    }
    if (batch.empty()) return malformed_xml();
    return batch;
}

void write_result(XmlText& xml, const Doomed& doomed) {
    if (doomed.refused) {
        xml.open("Error");
        xml.value("Key", doomed.key);
        if (doomed.version) xml.value("VersionId", *doomed.version);
        xml.value("Code", doomed.refused->code);
        xml.value("Message", doomed.refused->message);
        xml.close();
        return;
    }
    xml.open("Deleted");
    xml.value("Key", doomed.key);
    if (doomed.version) xml.value("VersionId", *doomed.version);
    const auto& [removed, marker] = doomed.deleted;
    if (marker) {
        xml.flag("DeleteMarker", true);
        xml.value("DeleteMarkerVersionId", version_name(*marker));
    } else if (removed && removed->marker) {
        xml.flag("DeleteMarker", true);
        xml.value("DeleteMarkerVersionId", version_name(*removed));
    }
    xml.close();
}

}  // namespace

Done delete_key(S3& s3, Exchange& exchange) {
    auto bucket = TRY(bucket_of(s3, exchange));
    TRY(check_key(exchange.key));
    auto name = TRY(version_of(exchange));
    TRY(permit_delete(exchange, *bucket, exchange.key, name.has_value()));
    Doomed doomed{.key = exchange.key, .version = {}, .if_match = {}, .deleted = {}, .refused = {}};
    if (name) doomed.version = std::string(*name);
    if (auto match = exchange.request.headers.get("if-match")) doomed.if_match = std::string(*match);
    Deleted deleted;
    auto rows = [&](Change& inside) -> Tried<> {
        deleted = TRY(delete_one(s3, inside, *bucket, doomed));
        return {};
    };
    TRY(change(s3, rows));
    tell_deleted(s3, *bucket, deleted);
    http::Headers headers;
    if (deleted.marker) {
        headers.set("x-amz-delete-marker", "true");
        headers.set("x-amz-version-id", version_name(*deleted.marker));
    } else if (name) {
        headers.set("x-amz-version-id", *name);
        if (deleted.removed && deleted.removed->marker) headers.set("x-amz-delete-marker", "true");
    }
    return answer_empty(204, std::move(headers));
}

Done delete_keys(S3& s3, Exchange& exchange) {
    auto bucket = TRY(bucket_of(s3, exchange));
    auto claims = TRY(claims_of(exchange.request.headers));
    if (claims.md5.empty() && claims.kind == ChecksumKind::none)
        return invalid_request("Missing required header for this request: Content-MD5");
    TRY(check_claims(claims, exchange.body));
    auto root = TRY(parse_xml(exchange.body, "Delete"));
    auto batch = TRY(read_batch(root));
    for (auto& doomed : batch) {
        auto allowed = permit_delete(exchange, *bucket, doomed.key, doomed.version.has_value());
        if (allowed) allowed = check_key(doomed.key);
        if (!allowed) doomed.refused = std::move(allowed).error();
    }
    auto rows = [&](Change& inside) -> Tried<> {
        for (auto& doomed : batch) {
            if (doomed.refused) continue;
            auto deleted = delete_one(s3, inside, *bucket, doomed);
            if (deleted) {
                doomed.deleted = *std::move(deleted);
                continue;
            }
            auto error = std::move(deleted).error();
            if (error.status >= 500) return error;  // All or nothing, where it is our failure.
            doomed.refused = std::move(error);
        }
        return {};
    };
    TRY(change(s3, rows));
    bool quiet = root.value("Quiet") == "true";
    XmlText xml("DeleteResult");
    for (const auto& doomed : batch) {
        if (!doomed.refused) tell_deleted(s3, *bucket, doomed.deleted);
        if (doomed.refused || !quiet) write_result(xml, doomed);
    }
    return answer_xml(std::move(xml));
}

}  // namespace integreat::s3
