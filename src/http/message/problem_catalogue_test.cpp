// SPDX-License-Identifier: Apache-2.0
#include "http/message/problem_catalogue.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

// Slugs as the sources write them: `.type = "token-expired"`, `{404, "not-found"`, `refuse("key-unknown"`.
std::set<std::string> slugs_in_sources() {
    static const std::regex written(
        R"re((?:\btype\s*=\s*|\{\s*\d{3},\s*|\brefuse\()"([a-z]+(?:-[a-z]+)*)")re");
    std::set<std::string> slugs;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(INTEGREAT_SOURCE_DIR "/src")) {
        auto path = entry.path().string();
        if (entry.path().extension() != ".cpp" || path.ends_with("_test.cpp")) continue;
        if (path.find("/src/cloud/") != std::string::npos) continue;  // Speaks other people's errors.
        std::ifstream file(path);
        std::string text{std::istreambuf_iterator<char>(file), {}};
        for (std::sregex_iterator match(text.begin(), text.end(), written), end; match != end; ++match) {
            slugs.insert((*match)[1]);
        }
    }
    return slugs;
}

TEST(Problems, ListsEverySlugThatTheSourcesUse) {
    auto slugs = slugs_in_sources();
    EXPECT_TRUE(slugs.contains("token-missing")) << "the search finds nothing";
    EXPECT_TRUE(slugs.contains("not-found")) << "the search finds nothing";
    EXPECT_TRUE(slugs.contains("api-key-unknown")) << "the search finds nothing";
    for (const auto& slug : slugs) {
        EXPECT_NE(find_problem(slug), nullptr) << "explain \"" << slug << "\" in gateway/problems.cpp";
    }
}

TEST(Problems, ExplainsEachTypeOnce) {
    std::set<std::string_view> seen;
    for (const auto& kind : problem_kinds()) {
        EXPECT_TRUE(seen.insert(kind.slug).second) << kind.slug;
        EXPECT_GE(kind.status, 400) << kind.slug;
        EXPECT_LE(kind.status, 599) << kind.slug;
        EXPECT_TRUE(kind.meaning.ends_with('.') && kind.remedy.ends_with('.')) << kind.slug;
    }
    EXPECT_EQ(find_problem("no-such-problem"), nullptr);
}

}  // namespace
}  // namespace integreat::http
