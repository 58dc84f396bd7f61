// SPDX-License-Identifier: Apache-2.0
// Response envelopes of the AWS protocols: query (XML), JSON 1.1, REST with JSON, and S3.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "cloud/aws/core/operation.h"
#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// Returns the protocol of the operation's API: that of S3 while the API is unknown.
Protocol effective_protocol(const OperationContext& context);

// Renders a result of the query protocol:
// <ActionResponse xmlns=…><ActionResult>`result`</ActionResult><ResponseMetadata>…
// The ActionResult element is left out if `result` is empty.
OperationResult query_result(const OperationContext& context, std::string_view result);
OperationResult json_result(const OperationContext& context, const boost::json::object& result);

http::FullResponse render_error(const OperationContext& context, const AwsError& error);

// Returns the second request id of S3, x-amz-id-2.
std::string host_id(std::string_view request_id);

std::string escape_xml(std::string_view text);
// Returns "<name>text</name>" with the text escaped.
std::string element(std::string_view name, std::string_view text);

}  // namespace integreat::cloud
