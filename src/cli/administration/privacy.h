// SPDX-License-Identifier: Apache-2.0
// `integreat privacy export` and `integreat privacy erase`: the personal data that an app stores about one
// person.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct PrivacyOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data;
    std::string app;
    std::vector<std::string> subject;  // Firebase uids and email addresses.
};

// Writes the document to `out`.
int privacy_export(const PrivacyOptions& options, std::ostream& out, std::ostream& err);
int privacy_erase(const PrivacyOptions& options, std::ostream& out, std::ostream& err);

void add_privacy_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
