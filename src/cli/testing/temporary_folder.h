// SPDX-License-Identifier: Apache-2.0
// Test support: a temporary folder that is removed on destruction.
#pragma once

#include <filesystem>
#include <string>

#include <stdlib.h>

namespace integreat::cli {

struct TemporaryFolder {
    std::filesystem::path path;
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "integreat-cli-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

}  // namespace integreat::cli
