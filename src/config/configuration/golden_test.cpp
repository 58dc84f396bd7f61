// SPDX-License-Identifier: Apache-2.0
// Golden files: testing/<kind>/<name>.yaml and its expected diagnostics in <name>.diagnostics. After a change
// of messages, `integreat_config_test --rewrite` updates the expected diagnostics; review the diff.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "config/configuration/configuration.h"

namespace integreat::config {

bool rewrite = false;

namespace {

using std::filesystem::path;

const std::set<std::string> valid_manifests{"good", "unversioned"};

const json::Environment environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "DATABASE_URL" ? std::optional<std::string>("postgresql://u:p@h/d") : std::nullopt;
};

std::string contents(const path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<path> list_files(const std::string& kind) {
    std::vector<path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(INTEGREAT_SOURCE_DIR "/src/config/testing/" + kind)) {
        if (entry.path().extension() == ".yaml") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

template <class T>
std::string format_diagnostics(const Validated<T>& result) {
    std::string lines;
    for (const auto& error : result.errors)
        lines += to_string(error) + "\n";
    for (const auto& warning : result.warnings)
        lines += "warning: " + to_string(warning) + "\n";
    return lines;
}

void compare_with_file(const path& file, const std::string& actual) {
    path expected = path(file).replace_extension(".diagnostics");
    if (rewrite) std::ofstream(expected, std::ios::binary) << actual;
    EXPECT_EQ(actual, contents(expected)) << file;
}

}  // namespace

TEST(Golden, ReportsErrorsInManifests) {
    std::set<std::string> messages;
    for (const auto& file : list_files("manifests")) {
        auto checked = load_manifest(contents(file), file.filename().string(), environment);
        compare_with_file(file, format_diagnostics(checked));
        EXPECT_EQ(checked.is_valid(), valid_manifests.contains(file.stem().string())) << file;
        for (const auto& diagnostic : checked.errors)
            messages.insert(diagnostic.message);
    }
    EXPECT_GE(messages.size(), 100u);
}

TEST(Golden, ReportsErrorsInSettings) {
    for (const auto& file : list_files("settings")) {
        auto checked = load_settings(contents(file), file.filename().string(), environment);
        compare_with_file(file, format_diagnostics(checked));
        EXPECT_EQ(checked.is_valid(), file.stem() == "good" || file.stem() == "empty") << file;
    }
}

}  // namespace integreat::config

int main(int count, char** arguments) {
    testing::InitGoogleTest(&count, arguments);
    integreat::config::rewrite = count > 1 && std::string_view(arguments[1]) == "--rewrite";
    return RUN_ALL_TESTS();
}
