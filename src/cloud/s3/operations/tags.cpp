// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/store/limits.h"

namespace integreat::s3 {

namespace {

Done answer_version(int status, const Version& version) {
    http::Headers headers;
    add_version(headers, version);
    return answer_empty(status, std::move(headers));
}

// Puts other tags to the version that the request names; it may have gone since the permission was asked.
Tried<> replace_tags(S3& s3, const Found& found, Pairs tags) {
    return change(s3, [&](Change& inside) -> Tried<> {
        auto name = version_name(found.version);
        auto present = TRY(find_object(inside.transaction, found.bucket->id, found.version.key, name));
        if (!present || present->sequence != found.version.sequence) return no_such_key(found.version.key);
        present->tags = tags;
        TRY(update_tags(inside, found.bucket->id, *present));
        return {};
    });
}

}  // namespace

Tried<Pairs> read_tag_set(const Element& tagging, std::size_t count_max) {
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

void write_tag_set(XmlText& xml, const Pairs& tags) {
    xml.open("TagSet");
    for (const auto& [key, value] : tags) {
        xml.open("Tag");
        xml.value("Key", key);
        xml.value("Value", value);
        xml.close();
    }
    xml.close();
}

Done get_tags(S3& s3, Exchange& exchange) {
    auto found = TRY(find_permitted(s3, exchange, "s3:GetObjectTagging"));
    http::Headers headers;
    add_version(headers, found.version);
    XmlText xml("Tagging");
    write_tag_set(xml, found.version.tags);
    return answer_xml(std::move(xml), std::move(headers));
}

Done put_tags(S3& s3, Exchange& exchange) {
    auto found = TRY(find_permitted(s3, exchange, "s3:PutObjectTagging"));
    auto claims = TRY(claims_of(exchange.request.headers));
    TRY(check_claims(claims, exchange.body));
    auto root = TRY(parse_xml(exchange.body, "Tagging"));
    auto tags = TRY(read_tag_set(root, object_tags_max));
    TRY(replace_tags(s3, found, std::move(tags)));
    tell(s3, "ObjectTagging:Put", *found.bucket, found.version);
    return answer_version(200, found.version);
}

Done delete_tags(S3& s3, Exchange& exchange) {
    auto found = TRY(find_permitted(s3, exchange, "s3:DeleteObjectTagging"));
    TRY(replace_tags(s3, found, {}));
    tell(s3, "ObjectTagging:Delete", *found.bucket, found.version);
    return answer_version(204, found.version);
}

}  // namespace integreat::s3
