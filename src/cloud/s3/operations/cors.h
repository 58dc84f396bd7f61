// SPDX-License-Identifier: Apache-2.0
// Cross-origin requests, as the bucket's owner configured them and not otherwise
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html): the first rule that knows origin, method
// and headers decides. Without a rule a browser sees a failed request.
#pragma once

#include <string_view>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/protocol/xml.h"
#include "cloud/s3/store/s3.h"
#include "cloud/s3/store/types.h"

namespace integreat::s3 {

// MalformedXML; InvalidRequest for what no rule may say.
Tried<std::vector<CorsRule>> read_cors(const Element& configuration);

// Of the service's table: `preflight` answers OPTIONS before anybody is authenticated, `add_cors` completes
// any other answer.
cloud::Answer answer_preflight(S3& s3, cloud::Exchange& exchange);
void add_cors(S3& s3, const cloud::Exchange& exchange, http::Headers& headers);

}  // namespace integreat::s3
