// SPDX-License-Identifier: Apache-2.0
#include "http/message/problem_catalogue.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "http/message/problem.h"

namespace integreat::http {
namespace {

TEST(ProblemCatalogue, HaveOneSlugOneTitleAndOneExplanationPerType) {
    std::set<std::string_view> slugs, titles;
    for (const auto& definition : problem_definitions()) {
        EXPECT_TRUE(slugs.insert(definition.slug).second) << definition.slug;
        EXPECT_TRUE(titles.insert(definition.title).second) << definition.title;
        EXPECT_GE(definition.status, 400) << definition.slug;
        EXPECT_LE(definition.status, 599) << definition.slug;
        EXPECT_FALSE(definition.title.ends_with('.')) << definition.slug;
        EXPECT_TRUE(definition.meaning.ends_with('.') && definition.remedy.ends_with('.')) << definition.slug;
        EXPECT_EQ(find_problem(definition.slug), &definition);
        EXPECT_EQ(to_slug(definition.type), definition.slug);
    }
    EXPECT_EQ(find_problem("no-such-problem"), nullptr);
}

TEST(ProblemCatalogue, RenderTheTitleAndStatusOfTheirType) {
    for (const auto& definition : problem_definitions()) {
        auto response = to_response(problem(definition.type, "Fix it."), "req_1", "https://docs.example");
        auto body = boost::json::parse(response.body).as_object();
        EXPECT_EQ(response.status, definition.status) << definition.slug;
        EXPECT_EQ(body["status"].as_int64(), definition.status) << definition.slug;
        EXPECT_EQ(std::string_view(body["title"].as_string()), definition.title);
        EXPECT_EQ(std::string_view(body["type"].as_string()),
                  "https://docs.example/" + std::string(definition.slug));
    }
    auto body = boost::json::parse(to_response(problem(ProblemType::overloaded, ""), "").body).as_object();
    EXPECT_EQ(body["type"].as_string(), "https://integreat.dev/problems/overloaded");
}

// A slug of several words appears in the catalogue only: every other source names the ProblemType.
TEST(ProblemCatalogue, AreNamedByTheirTypeInTheSources) {
    static const std::regex literal(R"re("([a-z]+(?:-[a-z]+)+)")re");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(INTEGREAT_SOURCE_DIR "/src")) {
        auto path = entry.path().string();
        auto extension = entry.path().extension();
        if ((extension != ".cpp" && extension != ".h") || path.ends_with("_test.cpp")) continue;
        if (path.ends_with("/problem_catalogue.cpp") || path.ends_with("/problem_catalogue.h")) continue;
        if (path.find("/src/cloud/") != std::string::npos)
            continue;  // Speaks the errors of AWS and Firebase.
        std::ifstream file(path);
        std::string text{std::istreambuf_iterator<char>(file), {}};
        for (std::sregex_iterator match(text.begin(), text.end(), literal), end; match != end; ++match) {
            auto slug = (*match)[1].str();
            EXPECT_EQ(find_problem(slug), nullptr) << path << " writes \"" << slug << "\" by hand";
        }
    }
}

}  // namespace
}  // namespace integreat::http
