// SPDX-License-Identifier: Apache-2.0
// What a bucket is configured with, one document each: CORS, policy, public access block, encryption, tags,
// lifecycle, ownership. A document is checked when it comes and given back as it was checked.
#pragma once

#include "cloud/s3/operations/request.h"

namespace integreat::s3 {

// Kept in place of a document by a bucket that has none of what buckets have by default.
inline constexpr std::string_view deleted_setting = "-";

// Reads what the storage needs again and again (CORS, policy) from the documents.
void read_settings(Bucket& bucket);

// Named as the last part of their query: "cors", "policy", "publicAccessBlock", …
Done get_setting(S3& s3, Exchange& exchange, std::string_view name);
Done put_setting(S3& s3, Exchange& exchange, std::string_view name);
Done delete_setting(S3& s3, Exchange& exchange, std::string_view name);
Done get_policy_status(S3& s3, Exchange& exchange);

// Checks and keeps a document without asking anybody.
Tried<> keep_setting(S3& s3, const Bucket& bucket, std::string_view name, std::string_view document);

}  // namespace integreat::s3
