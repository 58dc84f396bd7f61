// SPDX-License-Identifier: Apache-2.0
// Operations on bucket settings, one document each: CORS, policy, public access block, encryption, tags,
// lifecycle, ownership. A document is validated when it is put and returned as validated.
#pragma once

#include "cloud/s3/operations/authorization.h"
#include "http/message/message.h"

namespace integreat::s3 {

// `name` is the query parameter of the setting: "cors", "policy", "publicAccessBlock", …
AwsResult<http::Response> get_setting(S3& s3, OperationContext& context, std::string_view name);
AwsResult<http::Response> put_setting(S3& s3, OperationContext& context, std::string_view name);
AwsResult<http::Response> delete_setting(S3& s3, OperationContext& context, std::string_view name);
AwsResult<http::Response> get_policy_status(S3& s3, OperationContext& context);

}  // namespace integreat::s3
