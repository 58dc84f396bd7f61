// SPDX-License-Identifier: Apache-2.0
// The policy of the one role of a tenant's users for the tenant's bucket. What the role reaches is narrowed
// by session tags, which the identity pool sets from claims of the ID token: `uid` (the claim sub) and
// `role`.
//
// A user has users/${aws:PrincipalTag/uid}/; everything else is opened by prefix and role ("files" of a
// manifest). No user can remove a version, and an object is only created, never replaced: a PutObject or
// CompleteMultipartUpload needs If-None-Match ("Enforce conditional writes on Amazon S3 buckets", S3 user
// guide).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace integreat::policy {

inline constexpr std::string_view uid_tag = "uid";    // Session tag of the claim "sub".
inline constexpr std::string_view role_tag = "role";  // Session tag of the claim "role".

// The callers with a right: those with one of the roles, or every user of the tenant.
struct Grantees {
    std::vector<std::string> roles;
    bool signed_in = false;

    bool is_empty() const { return roles.empty() && !signed_in; }
    bool operator==(const Grantees&) const = default;
};

// A prefix of the bucket that some users may read or write.
struct OpenedPrefix {
    std::string prefix;  // "announcements/"
    Grantees read;       // Users who may get and list its objects.
    Grantees write;      // Users who may create and delete its objects.

    bool operator==(const OpenedPrefix&) const = default;
};

// Returns the policy document for a bucket.
std::string make_bucket_access_policy(std::string_view bucket, std::span<const OpenedPrefix> opened);

// Returns the size of a document as IAM counts it: without white space.
std::size_t count_policy_bytes(std::string_view document);

}  // namespace integreat::policy
