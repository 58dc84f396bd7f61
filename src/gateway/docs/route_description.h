// SPDX-License-Identifier: Apache-2.0
// A route in words for people: the same ones on the /docs page and in docs/api.md.
#pragma once

#include <cstddef>
#include <string>

#include "http/routing/route.h"

namespace integreat::gateway {

std::string who_may(const http::Access& access);       // "Operators of the platform"
std::string bytes_text(std::size_t bytes);             // "16 KiB"
std::string limit_text(const http::RateLimit& limit);  // Empty if there is none.

}  // namespace integreat::gateway
