// SPDX-License-Identifier: Apache-2.0
// Validates one value of a field against the manifest and converts it to Postgres text. Decimals and money
// never pass through a double.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>
#include <re2/re2.h>

#include "base/result.h"
#include "http/message/problem.h"
#include "services/collections/model.h"

namespace integreat::collections {

// Validation errors of a body, each with its JSON pointer. Errors beyond the limit are dropped.
struct ValidationErrors {
    static constexpr std::size_t count_max = 50;
    std::vector<http::FieldError> list;

    void add(std::string pointer, std::string detail);
    bool empty() const { return list.empty(); }
    bool full() const { return list.size() >= count_max; }
};

// A field with its pattern compiled.
struct CompiledField {
    const Field* field = nullptr;
    std::shared_ptr<const re2::RE2> pattern;  // Null without a pattern.
};

CompiledField compile_field(const Field& field);

// Returns the value as Postgres text, or nothing after adding errors. `value` is not null.
std::optional<std::string> validate_value(const CompiledField& compiled, const boost::json::value& value,
                                          const std::string& pointer, ValidationErrors& errors);

// Converts a filter operand of a query string to Postgres text. Money is compared in minor units, a list by
// one element. The error message states the requirement: `must be a whole number`.
Result<std::string> normalize_operand(const Field& field, std::string_view text);

}  // namespace integreat::collections
