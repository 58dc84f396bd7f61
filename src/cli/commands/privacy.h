// SPDX-License-Identifier: Apache-2.0
// `integreat privacy export` and `integreat privacy erase`: what an app keeps about one person, for them to
// have or to be rid of.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "cli/runtime/configuration_commands.h"

namespace integreat::cli {

struct PrivacyOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data;
    std::string app;
    std::vector<std::string> subject;  // Firebase uids and email addresses.
};

// The document goes to `out`.
int privacy_export(const PrivacyOptions& options, std::ostream& out, std::ostream& err);
int privacy_erase(const PrivacyOptions& options, std::ostream& out, std::ostream& err);

}  // namespace integreat::cli
