// SPDX-License-Identifier: Apache-2.0
// One function per operation, named as the API names it or nearly so; table.cpp says which request means
// which. Each asks for its permissions before it reads or changes anything.
#pragma once

#include "cloud/s3/operations/request.h"
#include "cloud/s3/protocol/conditions.h"

namespace integreat::s3 {

// buckets.cpp
Done list_all_buckets(S3& s3, Exchange& exchange);
Done create_bucket(S3& s3, Exchange& exchange);
Done delete_empty_bucket(S3& s3, Exchange& exchange);
Done head_bucket(S3& s3, Exchange& exchange);
Done get_location(S3& s3, Exchange& exchange);
Done get_versioning(S3& s3, Exchange& exchange);
Done put_versioning(S3& s3, Exchange& exchange);
Done get_bucket_acl(S3& s3, Exchange& exchange);
// list.cpp
Done list_keys(S3& s3, Exchange& exchange);     // ListObjects
Done list_keys_v2(S3& s3, Exchange& exchange);  // ListObjectsV2
Done list_key_versions(S3& s3, Exchange& exchange);
Done list_open_uploads(S3& s3, Exchange& exchange);
// get.cpp
Done get_key(S3& s3, Exchange& exchange);
Done head_key(S3& s3, Exchange& exchange);
Done get_attributes(S3& s3, Exchange& exchange);
Done get_key_acl(S3& s3, Exchange& exchange);
// put.cpp
cloud::Reception put_key(S3& s3, Exchange& exchange);
cloud::Reception upload_part(S3& s3, Exchange& exchange);
// copy.cpp
Done copy_key(S3& s3, Exchange& exchange);
Done upload_part_copy(S3& s3, Exchange& exchange);
// delete.cpp
Done delete_key(S3& s3, Exchange& exchange);
Done delete_keys(S3& s3, Exchange& exchange);
// tags.cpp
Done get_tags(S3& s3, Exchange& exchange);
Done put_tags(S3& s3, Exchange& exchange);
Done delete_tags(S3& s3, Exchange& exchange);
// uploads.cpp
Done create_upload(S3& s3, Exchange& exchange);
Done abort_upload(S3& s3, Exchange& exchange);
Done list_upload_parts(S3& s3, Exchange& exchange);
// complete.cpp
Done complete_upload(S3& s3, Exchange& exchange);
// post.cpp
cloud::Reception post_key(S3& s3, Exchange& exchange);

// What several of them need.

// The version that the request names, and the permission to do `action` to it ("s3:GetObject"; with a version
// it is "s3:GetObjectVersion"). Who may not list the bucket is not told that a key does not exist.
struct Found {
    BucketPointer bucket;
    Version version;
};
Tried<Found> find_permitted(S3& s3, Exchange& exchange, std::string_view action);
struct Source {  // Also of a copy, where the request's own key is the destination.
    BucketPointer bucket;
    std::string_view key;
    VersionName version;
};
Tried<Version> find_permitted(S3& s3, Exchange& exchange, const Source& source, std::string_view action);

// Conditions on what is overwritten, looked at once before the body is read and again when it is written.
struct Overwrite {
    std::optional<std::string> if_match;  // ETags.
    bool if_none_match = false;           // "*"
};
Tried<Overwrite> overwrite_of(const http::Headers& headers);
Tried<> check_overwrite(const Overwrite& overwrite, const std::optional<Version>& present,
                        std::string_view key);

// What a version and a part of an upload say of the bytes they hold.
void describe(Version& version, const Body& body);
Part part_of(int number, const Body& body, Time now);

// Writes a version; `contents` writes the rows of its bytes. Looks at the conditions in the same transaction.
struct Writing {
    BucketPointer bucket;
    Version version;
    Overwrite overwrite = {};
    std::string_view event;
};
Tried<Version> write_version(S3& s3, Writing writing, const std::function<Tried<>(Change&)>& contents);

Tried<Upload> upload_of(S3& s3, const Exchange& exchange, const Bucket& bucket);
Tried<int> part_number_of(const Exchange& exchange);

Tried<Pairs> read_tag_set(const Element& tagging, std::size_t count_max);
void write_tag_set(XmlText& xml, const Pairs& tags);

std::string owner_id(const S3& s3);  // Canonical user.
void write_owner(XmlText& xml, std::string_view element, const S3& s3);
Done answer_owner_acl(S3& s3);
void write_checksum(XmlText& xml, const Checksum& checksum, int part_count);

}  // namespace integreat::s3
