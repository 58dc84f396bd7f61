// SPDX-License-Identifier: Apache-2.0
// The command line: which words mean which command, and how each ends.
#pragma once

#include <iosfwd>

namespace integreat::cli {

// Exit codes: 0 done; 1 the command says what is wrong; 2 the command line itself was wrong.
inline constexpr int exit_done = 0;
inline constexpr int exit_trouble = 1;
inline constexpr int exit_usage = 2;

int run_program(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace integreat::cli
