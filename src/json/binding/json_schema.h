// SPDX-License-Identifier: Apache-2.0
// Converts a description (describe.h) to JSON Schema 2020-12.
#pragma once

#include <string_view>

#include <boost/json/fwd.hpp>

#include "json/binding/describe.h"

namespace integreat::json {

boost::json::object to_json_schema(const Field& root, std::string_view title);

}  // namespace integreat::json
