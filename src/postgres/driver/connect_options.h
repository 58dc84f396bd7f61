// SPDX-License-Identifier: Apache-2.0
// The libpq options of a database URL: the options that the URL gives, and defaults. For remote servers that
// is TLS with the host name verified against the system's certificates unless the URL says otherwise.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace integreat::postgres {

struct ConnectOptions {
    std::vector<std::pair<std::string, std::string>> options;
    std::string find(std::string_view name) const;  // Empty if not set.
};

// Fault::invalid if the URL cannot be parsed.
Result<ConnectOptions> parse_connect_options(const Secret& url);

}  // namespace integreat::postgres
