// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

AwsResult<http::Response> version_response(int status, const Version& version) {
    http::Headers headers;
    add_version_headers(headers, version);
    return empty_response(status, std::move(headers));
}

// Replaces the tags of a version, which may have been deleted since the permission check.
AwsResult<> replace_tags(S3& s3, const AuthorizedVersion& found, Pairs tags) {
    return run_write_transaction(s3, [&](WriteBatch& writes) -> AwsResult<> {
        auto name = to_version_id(found.version);
        auto present =
            TRY(to_aws_result(find_object(writes.transaction, found.bucket->id, found.version.key, name)));
        if (!present || present->sequence != found.version.sequence) return no_such_key(found.version.key);
        present->tags = tags;
        TRY(to_aws_result(update_tags(writes, found.bucket->id, *present)));
        return {};
    });
}

}  // namespace

AwsResult<Pairs> parse_tag_set(const Element& tagging, std::size_t count_max) {
    const auto* set = tagging.child("TagSet");
    if (!set || tagging.children.size() != 1) return malformed_xml();
    Pairs tags;
    for (const auto& tag : set->children) {
        if (tag.name != "Tag" || !tag.child("Key") || !tag.child("Value") || tag.children.size() != 2)
            return malformed_xml();
        tags.emplace_back(tag.value("Key"), tag.value("Value"));
    }
    TRY(check_tags(tags, count_max));
    return tags;
}

void write_tag_set(XmlWriter& xml, const Pairs& tags) {
    xml.open("TagSet");
    for (const auto& [key, value] : tags) {
        xml.open("Tag");
        xml.value("Key", key);
        xml.value("Value", value);
        xml.close();
    }
    xml.close();
}

AwsResult<http::Response> get_tags(S3& s3, OperationContext& context) {
    auto found = TRY(find_authorized(s3, context, "s3:GetObjectTagging"));
    http::Headers headers;
    add_version_headers(headers, found.version);
    XmlWriter xml("Tagging");
    write_tag_set(xml, found.version.tags);
    return xml_response(std::move(xml), std::move(headers));
}

AwsResult<http::Response> put_tags(S3& s3, OperationContext& context) {
    auto found = TRY(find_authorized(s3, context, "s3:PutObjectTagging"));
    auto declared = TRY(parse_declared_checksums(context.request.headers));
    TRY(verify_checksums(declared, context.body));
    auto root = TRY(parse_xml(context.body, "Tagging"));
    auto tags = TRY(parse_tag_set(root, object_tags_max));
    TRY(replace_tags(s3, found, std::move(tags)));
    publish_event(s3, "ObjectTagging:Put", *found.bucket, found.version);
    return version_response(200, found.version);
}

AwsResult<http::Response> delete_tags(S3& s3, OperationContext& context) {
    auto found = TRY(find_authorized(s3, context, "s3:DeleteObjectTagging"));
    TRY(replace_tags(s3, found, {}));
    publish_event(s3, "ObjectTagging:Delete", *found.bucket, found.version);
    return version_response(204, found.version);
}

}  // namespace integreat::s3
