// SPDX-License-Identifier: Apache-2.0
// Request targets: strict validation, percent-encoding and query parameters (RFC 3986).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace integreat::http {

// Refuses targets that two servers could interpret differently: bytes outside visible ASCII, a path without
// leading slash, dot segments (also encoded, also before ";"), empty segments, backslashes, malformed or NUL
// escapes, fragments; in paths also escaped slashes, escaped control characters and escapes that are not
// UTF-8. A trailing slash of the path is accepted.
Result<> check_target(std::string_view target);

// Decodes "%C3%A9" to "é"; returns nothing for malformed escapes. `plus_is_space` is for forms and queries.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// Escapes everything but the unreserved characters of RFC 3986.
std::string percent_encode(std::string_view text);

// Returns the decoded pairs of a query or form; Fault::invalid for more than `max_pairs` pairs or malformed
// escapes.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query,
                                                                     std::size_t max_pairs = 100);

}  // namespace integreat::http
