// SPDX-License-Identifier: Apache-2.0
// Bodies checked against the JSON Schema of their route, so that handlers read what is there. The part of
// JSON Schema 2020-12 that our routes use: type, enum, const, properties, required, additionalProperties
// (false), items, minItems, maxItems, minLength, maxLength, minimum, maximum, and the annotations. A schema
// with any other keyword is refused when it is compiled: what looks checked is checked.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "base/result.h"
#include "http/message/problem.h"

namespace integreat::gateway {

struct Schema {
    std::vector<std::string> types;  // Empty: any.
    std::vector<boost::json::value> choices;
    std::map<std::string, Schema, std::less<>> properties;
    std::set<std::string> required;
    bool closed = false;
    std::shared_ptr<const Schema> items;
    std::optional<double> minimum, maximum;
    std::optional<std::size_t> items_min, items_max;
    std::optional<std::size_t> length_min, length_max;  // In code points.
};

Result<Schema> compile_schema(std::string_view text);

// All mistakes, at most 50, each with its JSON pointer; empty if the value is as it should be.
std::vector<http::FieldError> validate(const Schema& schema, const boost::json::value& value);

}  // namespace integreat::gateway
