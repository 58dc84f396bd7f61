// SPDX-License-Identifier: Apache-2.0
// The check of routes that need no secret because only this machine may call them: pages of other sites
// (Origin), and host names rebound to this machine (Host, DNS rebinding), are not from here.
#pragma once

#include "http/message/message.h"

namespace integreat::http {

// Returns whether Host, and Origin if there is one, name this machine by its loopback address or "localhost".
bool names_this_machine(const Request& request);

}  // namespace integreat::http
