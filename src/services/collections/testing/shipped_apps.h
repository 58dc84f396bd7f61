// SPDX-License-Identifier: Apache-2.0
// Access to the source tree for tests: the applications in apps/.
#pragma once

#include <fstream>
#include <iterator>

#include "config/testing/load_model.h"
#include "services/collections/model.h"

namespace integreat::collections::testing {

// Returns a file of the source tree: "apps/campus.yaml".
inline std::string read_source_file(const std::string& path) {
    std::ifstream stream(INTEGREAT_SOURCE_DIR "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

// Returns the model of an application in apps/.
inline std::shared_ptr<const Model> load_app(const std::string& name) {
    return config::testing::load_model(read_source_file("apps/" + name + ".yaml"), name + ".yaml");
}

}  // namespace integreat::collections::testing
