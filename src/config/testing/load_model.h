// SPDX-License-Identifier: Apache-2.0
// The model of a manifest in a test.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "config/configuration/configuration.h"

namespace integreat::config::testing {

// Loads a manifest without environment variables and returns its model. Each error fails the test; the model
// is then null.
inline std::shared_ptr<const Model> load_model(std::string_view text, const std::string& file) {
    auto loaded = load_manifest(text, file, [](std::string_view) { return std::nullopt; });
    for (const auto& error : loaded.errors)
        ADD_FAILURE() << to_string(error);
    return loaded.value.model;
}

}  // namespace integreat::config::testing
