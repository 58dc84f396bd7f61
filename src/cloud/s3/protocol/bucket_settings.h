// SPDX-License-Identifier: Apache-2.0
// Parsing of bucket settings: the CORS configuration
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html), the public access block
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html) and the
// policy.
#pragma once

#include <string_view>
#include <vector>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/protocol/xml.h"
#include "cloud/s3/store/types.h"
#include "policy/document/document.h"

namespace integreat::s3 {

// Stored in place of a document if a default setting of the bucket was deleted.
inline constexpr std::string_view deleted_setting = "-";

// Parses a CORS configuration; MalformedXML, or InvalidRequest for an unsupported rule.
AwsResult<std::vector<CorsRule>> parse_cors(const Element& configuration);

struct PublicAccessBlock {
    bool block_public_acls = true;
    bool ignore_public_acls = true;
    bool block_public_policy = true;
    bool restrict_public_buckets = true;
};
// Returns the public access block of a bucket. All four are on, as in every bucket created since April 2023,
// unless another configuration was put or it was deleted.
PublicAccessBlock parse_public_access_block(const Bucket& bucket);
bool restricts_public_access(const Bucket& bucket);

// Returns whether a policy allows any principal without a condition that ties the request to a known source.
bool is_public_policy(const policy::Document& document);

// Parses the settings that every request needs (CORS, policy) into the bucket; see open_storage.
void compile_settings(Bucket& bucket);

}  // namespace integreat::s3
