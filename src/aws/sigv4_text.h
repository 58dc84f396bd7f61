// SPDX-License-Identifier: Apache-2.0
// Helpers shared by the sources of SigV4.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/sigv4.h"
#include "base/text/ascii.h"

namespace integreat::aws {

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
