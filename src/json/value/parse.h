// SPDX-License-Identifier: Apache-2.0
// Strict JSON parser (RFC 8259) for untrusted input: no duplicate names (section 4 leaves their meaning open,
// so two parsers could read two documents), no comments or trailing commas, no invalid UTF-8 or lone
// surrogates, no numbers beyond double, nothing after the value. Every dimension has a limit.
#pragma once

#include <optional>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/result.h"

namespace integreat::json {

struct ParseLimits {
    std::size_t max_bytes = 1024 * 1024;
    std::size_t depth_max = 32;            // Nesting of arrays and objects.
    std::size_t object_names_max = 1'000;  // Per object.
};

// Parses a JSON text. Fault::invalid with a sentence that ends in the location: `the name "aud" is given
// twice (line 1, column 17)`; columns count bytes. For short-lived values (a JWT's claims) pass a monotonic
// `storage` that outlives them: it saves an allocation per value.
Result<boost::json::value> parse(std::string_view text, const ParseLimits& limits = {},
                                 boost::json::storage_ptr storage = {});

// Parses a JSON text whose value must be an object.
Result<boost::json::object> parse_object(std::string_view text, const ParseLimits& limits = {},
                                         boost::json::storage_ptr storage = {});

// Returns the member if it is a string.
std::optional<std::string_view> find_string(const boost::json::object& object, std::string_view name);

}  // namespace integreat::json
