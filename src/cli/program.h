// SPDX-License-Identifier: Apache-2.0
// The command line: parses the arguments and runs the selected command.
#pragma once

#include <iosfwd>

namespace integreat::cli {

// Returns one of the exit codes in cli/runtime/command_context.h.
int run_program(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace integreat::cli
