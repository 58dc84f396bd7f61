// SPDX-License-Identifier: Apache-2.0
// Which fields of an upstream's answer go on to the client, beside those that the gateway adds. Fields of the
// one hop (Connection and the like) are left out by whoever reads the answer.
#pragma once

#include <string_view>

#include "http/message/headers.h"

namespace integreat::http {

// A field among `ours` is said by us alone, unless several may stand side by side. Which sites' scripts
// may read an answer is said by the app's manifest, never by an upstream: it might say "all".
bool goes_on(std::string_view name, const Headers& ours);

}  // namespace integreat::http
