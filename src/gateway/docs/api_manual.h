// SPDX-License-Identifier: Apache-2.0
// docs/api.md: the routes that every Integreat has, how to call them and what their refusals mean, in
// Markdown. What each app adds is known only where its manifest is; there, /docs and /openapi.json list all.
#pragma once

#include <string>
#include <vector>

#include "http/routing/route.h"

namespace integreat::gateway {

// `routes` are those of the platform itself and of an app called "{app}".
std::string api_manual(const std::vector<http::Route>& routes);

}  // namespace integreat::gateway
