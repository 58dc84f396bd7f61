// SPDX-License-Identifier: Apache-2.0
// Wrong files and what is said about them: testing/<kind>/<name>.yaml and <name>.mistakes beside it.
// After a change of sentences, `integreat_config_test --rewrite` writes what is said now; read the diff.
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

const json::Environment environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "DATABASE_URL" ? std::optional<std::string>("postgresql://u:p@h/d") : std::nullopt;
};

std::string contents(const path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<path> files_in(const std::string& kind) {
    std::vector<path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(INTEGREAT_SOURCE_DIR "/src/config/testing/" + kind)) {
        if (entry.path().extension() == ".yaml") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::string lines_of(const std::vector<Mistake>& mistakes) {
    std::string lines;
    for (const auto& mistake : mistakes)
        lines += to_string(mistake) + "\n";
    return lines;
}

void compare(const path& file, const std::string& said) {
    path expected = path(file).replace_extension(".mistakes");
    if (rewrite) std::ofstream(expected, std::ios::binary) << said;
    EXPECT_EQ(said, contents(expected)) << file;
}

}  // namespace

TEST(Golden, SaysWhatIsWrongInManifests) {
    std::set<std::string> sentences;
    for (const auto& file : files_in("manifests")) {
        auto checked = load_manifest(contents(file), file.filename().string(), environment);
        compare(file, lines_of(checked.mistakes));
        EXPECT_EQ(checked.good(), file.stem() == "good") << file;
        for (const auto& mistake : checked.mistakes)
            sentences.insert(mistake.message);
    }
    EXPECT_GE(sentences.size(), 100u);
}

TEST(Golden, SaysWhatIsWrongInSettings) {
    for (const auto& file : files_in("settings")) {
        auto checked = load_settings(contents(file), file.filename().string(), environment);
        compare(file, lines_of(checked.mistakes));
        EXPECT_EQ(checked.good(), file.stem() == "good" || file.stem() == "empty") << file;
    }
}

}  // namespace integreat::config

int main(int count, char** arguments) {
    testing::InitGoogleTest(&count, arguments);
    integreat::config::rewrite = count > 1 && std::string_view(arguments[1]) == "--rewrite";
    return RUN_ALL_TESTS();
}
