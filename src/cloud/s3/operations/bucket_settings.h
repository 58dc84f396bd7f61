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

// Validates and saves a document without a permission check.
AwsResult<> put_setting_document(S3& s3, const Bucket& bucket, std::string_view name,
                                 std::string_view document);

}  // namespace integreat::s3
