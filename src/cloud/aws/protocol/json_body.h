// SPDX-License-Identifier: Apache-2.0
// Readers for the request bodies of the JSON services, with AWS's validation errors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// Parses the body; SerializationException unless it is a JSON object.
AwsResult<boost::json::object> parse_json_body(const OperationContext& context);

// Returns a string member; ValidationException unless it has 1 to `max_bytes` bytes.
AwsResult<std::string> required_text(const boost::json::object& body, std::string_view name,
                                     std::size_t max_bytes = 2'048);
// Returns a string member, or an empty text if it is missing or null.
AwsResult<std::string> optional_text(const boost::json::object& body, std::string_view name,
                                     std::size_t max_bytes = 2'048);
AwsResult<bool> optional_flag(const boost::json::object& body, std::string_view name, bool default_value);
// Return null if the member is missing.
AwsResult<const boost::json::object*> optional_object(const boost::json::object& body, std::string_view name);
AwsResult<const boost::json::array*> optional_array(const boost::json::object& body, std::string_view name);

AwsError validation_error(std::string message);

}  // namespace integreat::cloud
