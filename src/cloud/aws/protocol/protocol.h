// SPDX-License-Identifier: Apache-2.0
// AWS's envelopes: results and errors of the query protocol (XML), of JSON 1.1, of REST with JSON, and of S3.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "cloud/aws/core/operation.h"
#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// <ActionResponse xmlns=…><ActionResult>`result`</ActionResult><ResponseMetadata>…: of the query protocol.
// Without a result, the element is left out.
Answer query_result(const Exchange& exchange, std::string_view result);
Answer json_result(const Exchange& exchange, const boost::json::object& result);

http::Reply render(const Exchange& exchange, const AwsError& error);

// S3's second id of a request: x-amz-id-2.
std::string host_id(std::string_view request_id);

std::string escape_xml(std::string_view text);
// "<name>text</name>", escaped.
std::string element(std::string_view name, std::string_view text);

}  // namespace integreat::cloud
