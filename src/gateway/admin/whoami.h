// SPDX-License-Identifier: Apache-2.0
// GET /v1/apps/{app}/me: who the token or key says I am.
#pragma once

#include <string>

#include "base/principal.h"
#include "http/routing/route.h"

namespace integreat::gateway {

// Gives the route of an app's manifest its handler, its words and schema; any key of the tenant may ask.
void complete_me(http::Route& route);

std::string me_json(const Principal& principal);

}  // namespace integreat::gateway
