// SPDX-License-Identifier: Apache-2.0
// Bytes from outside become a JSON value here (RFC 8259), strictly: no duplicate names (section 4 leaves
// their meaning open, so two readers could see two documents), no comments or trailing commas, no invalid
// UTF-8 or lone surrogates, no numbers beyond double, nothing after the value. Every dimension has a limit.
#pragma once

#include <string_view>

#include <boost/json/value.hpp>

#include "base/result.h"

namespace integreat::json {

struct ParseLimits {
    std::size_t bytes_max = 1024 * 1024;
    std::size_t depth_max = 32;            // Of arrays and objects within each other.
    std::size_t object_names_max = 1'000;  // Of one object.
};

// Fault::invalid with a sentence that ends in the place: `the name "aud" is given twice (line 1, column 17)`;
// columns count bytes. For short-lived values (a JWT's claims) hand in a monotonic `storage` that outlives
// them: it saves an allocation per value.
Result<boost::json::value> parse(std::string_view text, const ParseLimits& limits = {},
                                 boost::json::storage_ptr storage = {});

// The same, where only an object will do.
Result<boost::json::object> parse_object(std::string_view text, const ParseLimits& limits = {},
                                         boost::json::storage_ptr storage = {});

}  // namespace integreat::json
