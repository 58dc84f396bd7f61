// SPDX-License-Identifier: Apache-2.0
// Bodies of the JSON services as operations read them, and their errors in AWS's words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// SerializationException if it is no JSON object.
Outcome<boost::json::object> json_body(const Exchange& exchange);

// ValidationException unless it is a string of 1 to `bytes_max` bytes.
Outcome<std::string> required_text(const boost::json::object& body, std::string_view name,
                                   std::size_t bytes_max = 2'048);
// Empty if it is missing or null.
Outcome<std::string> optional_text(const boost::json::object& body, std::string_view name,
                                   std::size_t bytes_max = 2'048);
Outcome<bool> optional_flag(const boost::json::object& body, std::string_view name, bool otherwise);
// Null if it is missing.
Outcome<const boost::json::object*> optional_object(const boost::json::object& body, std::string_view name);
Outcome<const boost::json::array*> optional_array(const boost::json::object& body, std::string_view name);

AwsError validation_error(std::string message);

}  // namespace integreat::cloud
