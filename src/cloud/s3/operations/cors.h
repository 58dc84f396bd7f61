// SPDX-License-Identifier: Apache-2.0
// CORS of buckets (https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html): the first rule that
// matches origin, method and headers applies. Without a matching rule the browser blocks the response.
#pragma once

#include <string_view>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/protocol/xml.h"
#include "cloud/s3/store/s3.h"
#include "cloud/s3/store/types.h"

namespace integreat::s3 {

// Implement Api::preflight, for OPTIONS before authentication, and Api::add_cors, for all other responses.
cloud::OperationResult handle_preflight(S3& s3, cloud::OperationContext& context);
void add_cors(S3& s3, const cloud::OperationContext& context, http::Headers& headers);

}  // namespace integreat::s3
