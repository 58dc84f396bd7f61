// SPDX-License-Identifier: Apache-2.0
// ASSERT checks an invariant that only a bug in this program can break. It stays on in release builds: a
// process in an unknown state must not go on handling money and personal data.
#pragma once

namespace integreat {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace integreat

#define ASSERT(expression) \
    ((expression) ? static_cast<void>(0) : ::integreat::assertion_failed(#expression, __FILE__, __LINE__))
