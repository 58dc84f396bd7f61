// SPDX-License-Identifier: Apache-2.0
// The route table as text: docs/reference/api.md, and the phrases that the pages share with it. The routes of
// each app are known only where its manifest is; there, /docs and /openapi.json list them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "http/routing/route.h"

namespace integreat::gateway {

// Builds docs/reference/api.md, in Markdown. `routes` are those of the platform itself and of an app called
// "{app}".
std::string api_manual(const std::vector<http::Route>& routes);

std::string describe_access(const http::Access& access);   // "Operators of the platform"
std::string describe_size(std::size_t bytes);              // "16 KiB"
std::string describe_limit(const http::RateLimit& limit);  // Empty if there is none.

}  // namespace integreat::gateway
