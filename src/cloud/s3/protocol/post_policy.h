// SPDX-License-Identifier: Apache-2.0
// The policy of a form upload: the conditions under which its signer allows the upload
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html). Every field of the
// form must be allowed by a condition, except S3's own fields and those named x-ignore-….
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/store/types.h"

namespace integreat::s3 {

struct PostCondition {
    enum class Kind { equal, starts_with };
    Kind kind = Kind::equal;
    std::string field;  // In lower case.
    std::string value;
};

struct PostPolicy {
    Time expires;
    std::vector<PostCondition> conditions;
    std::uint64_t bytes_min = 0;
    std::uint64_t max_bytes = 5ull << 30;
};

// Parses a Base64-encoded policy; InvalidPolicyDocument.
AwsResult<PostPolicy> parse_post_policy(std::string_view encoded);

// Checks a form; AccessDenied with the failed condition or the field without a condition.
AwsResult<> check_post_policy(const PostPolicy& policy, const Pairs& fields, std::string_view bucket,
                              Time now);

}  // namespace integreat::s3
