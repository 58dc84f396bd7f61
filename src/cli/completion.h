// SPDX-License-Identifier: Apache-2.0
// Shell completion, made from the same command tree that parses: it cannot name what does not exist.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace integreat::cli {

// The script to source: `source <(integreat completion bash)`. Shells: bash, zsh, fish.
Result<std::string> completion_script(const CLI::App& program, const std::string& shell);

}  // namespace integreat::cli
