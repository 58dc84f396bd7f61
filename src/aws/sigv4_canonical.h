// SPDX-License-Identifier: Apache-2.0
// The canonical request of SigV4, one text for all spellings of a request, and the encodings that it uses.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/sigv4.h"
#include "base/text/ascii.h"

namespace integreat::aws {

std::string canonical_request(const SigV4SigningInput& input);

// Percent-encodes everything except letters, digits and "-._~" (and "/" if `keep_slashes`), as SigV4
// requires.
std::string uri_encode(std::string_view text, bool keep_slashes = false);

inline constexpr std::string_view sigv4_algorithm = "AWS4-HMAC-SHA256";

inline std::optional<std::string_view> find_header(const SigV4Request& request, std::string_view name) {
    for (const auto& header : request.headers) {
        if (iequals(header.name, name)) return header.value;
    }
    return std::nullopt;
}

// Decodes "%XX" and leaves everything else unchanged.
std::string percent_decode(std::string_view text);

// Returns the percent-decoded pairs in order. "+" is a space, as in the services that parse the query: if it
// were a plus here, "%2B" of a presigned URL could be changed into a space.
std::vector<std::pair<std::string, std::string>> decode_query(std::string_view query);

}  // namespace integreat::aws
