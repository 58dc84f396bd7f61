// SPDX-License-Identifier: Apache-2.0
// ASSERT states what only a bug of ours can break. It stays on in release builds: a process that has
// lost its footing must not go on handling other people's money and data.
#pragma once

namespace integreat {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace integreat

#define ASSERT(expression) \
    ((expression) ? static_cast<void>(0) : ::integreat::assertion_failed(#expression, __FILE__, __LINE__))
