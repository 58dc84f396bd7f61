// SPDX-License-Identifier: Apache-2.0
// Layers: which files may include which, between components and between the sub-folders of one.
#include <algorithm>
#include <regex>

#include <gtest/gtest.h>

#include "sources.h"

namespace integreat::tidy {

namespace {

using std::string;

struct Include {
    const Source& source;
    std::size_t line;  // Counts from 0.
    string target;     // Path below src/.
};

// The includes of our own headers below src/.
const std::vector<Include>& includes() {
    static const auto all = [] {
        const std::regex include(R"re(^\s*#include "([^"]+)")re");
        std::vector<Include> found;
        for (const auto& source : cpp_sources()) {
            if (!source.path.starts_with("src/")) continue;
            for (std::size_t i = 0; i < source.lines.size(); ++i) {
                std::smatch match;
                if (std::regex_search(source.lines[i], match, include))
                    found.push_back({source, i, match[1]});
            }
        }
        return found;
    }();
    return all;
}

bool is_allowed(const string& from, const string& to) {
    if (from == to) return true;
    for (const auto& component : components()) {
        if (component.name == from) return component.uses.contains(to);
    }
    return false;
}

// integreat_component(name USES a b LIBRARIES …) of src/CMakeLists.txt.
std::map<string, std::set<string>> built_components() {
    std::map<string, std::set<string>> found;
    const std::regex call(
        R"(^integreat_component\(([a-z0-9_/]+)(?: USES ([a-z0-9_/ ]+?))?(?: LIBRARIES .*)?\)$)");
    const std::regex word("[a-z0-9_/]+");
    for (const auto& line : read_lines(root / "src/CMakeLists.txt")) {
        std::smatch match;
        if (!std::regex_match(line, match, call)) continue;
        auto uses = match[2].str();
        for (std::sregex_iterator it(uses.begin(), uses.end(), word), end; it != end; ++it)
            found[match[1]].insert(it->str());
        found.try_emplace(match[1]);
    }
    return found;
}

// The namespaces that the headers of each component define types in: "postgres" of postgres/.
std::map<string, std::set<string>> components_of_namespaces() {
    const std::regex opened(R"(^namespace integreat::([a-z0-9_]+)\b)");
    std::map<string, std::map<string, int>> uses;  // Component → namespace → files.
    for (const auto& source : cpp_sources()) {
        if (!is_product(source.path) || !source.path.ends_with(".cpp")) continue;
        auto component = find_component(source.path.substr(4));
        for (const auto& line : source.lines) {
            std::smatch match;
            if (std::regex_search(line, match, opened)) ++uses[component][match[1]];
        }
    }
    std::map<string, std::set<string>> homes;
    for (const auto& [component, namespaces] : uses) {
        auto most = std::max_element(namespaces.begin(), namespaces.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
        homes[most->first].insert(component);
    }
    return homes;
}

TEST(Layers, ComponentsIncludeOnlyWhatTheirLineOfTheTableNames) {
    ASSERT_GE(components().size(), 20u);
    EXPECT_GT(includes().size(), 1000u);
    for (const auto& source : cpp_sources()) {
        if (!source.path.starts_with("src/")) continue;
        EXPECT_NE(find_component(source.path.substr(4)), "")
            << source.path << ": its folder is not in the table of src/README.md";
    }
    for (const auto& [source, line, target] : includes()) {
        auto from = find_component(source.path.substr(4));
        auto to = find_component(target);
        EXPECT_NE(to, "") << at(source, line) << "includes " << target
                          << ", which is in no component of the table (paths start below src/)";
        EXPECT_TRUE(is_allowed(from, to))
            << at(source, line) << from << "/ may not include " << to << "/ (src/README.md)";
    }
}

// A forward declaration of another component's type is an edge as an include is.
TEST(Layers, ForwardDeclarationsFollowTheTable) {
    auto homes = components_of_namespaces();
    const std::regex opened(R"(^namespace integreat::([a-z0-9_]+)(?:::[a-z0-9_:]+)? \{)");
    for (const auto& source : cpp_sources()) {
        if (!is_product(source.path)) continue;
        auto from = find_component(source.path.substr(4));
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            std::smatch match;
            if (!std::regex_search(source.lines[i], match, opened) || !homes.contains(match[1])) continue;
            const auto& owners = homes[match[1]];
            EXPECT_TRUE(std::any_of(owners.begin(), owners.end(),
                                    [&](const auto& to) { return is_allowed(from, to); }))
                << at(source, i) << from << "/ may not know the types of " << *owners.begin()
                << "/ (src/README.md)";
        }
    }
}

TEST(Layers, ReadingOrderIsDependencyOrder) {
    std::set<string> above;
    for (const auto& component : components()) {
        for (const auto& used : component.uses) {
            EXPECT_TRUE(above.contains(used))
                << "src/README.md: " << component.name << "/ uses " << used << "/, which is not above it";
        }
        above.insert(component.name);
    }
}

TEST(Layers, TheBuildHasTheEdgesOfTheTable) {
    auto built = built_components();
    for (const auto& component : components()) {
        ASSERT_TRUE(built.contains(component.name))
            << "src/CMakeLists.txt: integreat_component(" << component.name << " …) missing";
        EXPECT_EQ(built[component.name], component.uses)
            << "src/CMakeLists.txt and src/README.md disagree on what " << component.name << "/ uses";
        built.erase(component.name);
    }
    for (const auto& [name, uses] : built)
        ADD_FAILURE() << "src/README.md: no line for " << name << "/";
}

TEST(Layers, EachSubFolderIsInTheReadmeOfItsComponent) {
    std::map<string, std::set<string>> found_below;
    for (const auto& source : cpp_sources()) {
        if (!source.path.starts_with("src/")) continue;
        auto component = find_component(source.path.substr(4));
        auto folder = subfolder_of(source.path.substr(4), component);
        if (folder != "testing") found_below[component].insert(folder);
    }
    for (const auto& [component, folders] : found_below) {
        if (folders == std::set<string>{"."}) continue;
        const auto& listed = subfolders(component);
        for (const auto& folder : folders) {
            EXPECT_NE(std::find(listed.begin(), listed.end(), folder), listed.end())
                << "src/" << component << "/README.md: no line for " << folder;
        }
        for (const auto& folder : listed) {
            EXPECT_TRUE(folders.contains(folder) ||
                        std::filesystem::exists(root / "src" / component / folder))
                << "src/" << component << "/README.md lists " << folder << ", which does not exist";
        }
    }
}

TEST(Layers, SubFoldersIncludeOnlyThoseAboveThem) {
    for (const auto& [source, line, target] : includes()) {
        if (!is_product(source.path)) continue;
        auto component = find_component(source.path.substr(4));
        if (find_component(target) != component) continue;
        auto from = subfolder_of(source.path.substr(4), component);
        auto to = subfolder_of(target, component);
        if (from == to) continue;
        EXPECT_NE(to, "testing") << at(source, line) << "a product may not include support for tests";
        const auto& order = subfolders(component);
        auto place_from = std::find(order.begin(), order.end(), from);
        auto place_to = std::find(order.begin(), order.end(), to);
        EXPECT_LT(place_to, place_from) << at(source, line) << from << " may not include " << to
                                        << ", which is below it in src/" << component << "/README.md";
    }
}

TEST(Layers, ProductsIncludeNoTestSupport) {
    for (const auto& [source, line, target] : includes()) {
        if (!is_product(source.path)) continue;
        EXPECT_EQ(target.find("/testing/"), string::npos) << at(source, line) << target;
    }
    for (const auto& source : cpp_sources()) {
        if (!is_product(source.path)) continue;
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            EXPECT_FALSE(source.lines[i].starts_with("#include <gtest/") ||
                         source.lines[i].starts_with("#include <gmock/"))
                << at(source, i) << "belongs in testing/";
        }
    }
}

TEST(Layers, OnlyTheirFilesKnowTheLibraries) {
    const std::vector<std::pair<std::regex, string>> homes{
        {std::regex(R"(<boost/(asio|beast))"), "src/net/"},
        {std::regex(R"(<curl/)"), "src/net/client/curl_client"},
        {std::regex(R"(<spdlog/)"), "src/base/log.cpp"},
        {std::regex(R"(<libpq-fe\.h>)"), "src/postgres/"},
        {std::regex(R"(<sqlite3\.h>)"), "src/cloud/sqlite/"},
        {std::regex(R"(<yaml-cpp/)"), "src/json/document/yaml"},
        {std::regex(R"(<pugixml)"), "src/formats/xml"},
        {std::regex(R"(<prometheus/)"), "src/metrics/"},
        {std::regex(R"(<CLI/)"), "src/cli/"},
    };
    for (const auto& source : cpp_sources()) {
        if (!is_product(source.path)) continue;
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            if (!source.lines[i].starts_with("#include <")) continue;
            for (const auto& [library, home] : homes) {
                EXPECT_TRUE(!std::regex_search(source.lines[i], library) || source.path.starts_with(home))
                    << at(source, i) << source.lines[i] << " belongs in " << home << " only";
            }
        }
    }
}

TEST(Layers, TimeRandomnessEnvironmentAndFilesComeFromOutside) {
    const std::regex effect(
        R"(::now\(\)|random_device|\bgetenv\b|\b[io]fstream\b|\bfopen\b|RAND_bytes|\bgetrandom\b|\bmt19937)");
    const std::vector<string> allowed{"src/net/",
                                      "src/postgres/",
                                      "src/cloud/",
                                      "src/cli/",
                                      "src/crypto/system_random.cpp",
                                      "src/base/system_clock.cpp",
                                      "src/base/process/",
                                      "src/gateway/logging/transaction_log.cpp"};
    for (const auto& source : cpp_sources()) {
        bool is_free = std::any_of(allowed.begin(), allowed.end(),
                                   [&](const string& place) { return source.path.starts_with(place); });
        if (!is_product(source.path) || is_free) continue;
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            auto code = source.lines[i].substr(0, source.lines[i].find("//"));
            EXPECT_FALSE(std::regex_search(code, effect))
                << at(source, i) << "take a Clock, a Random or the text as an argument (R19): " << code;
        }
    }
}

}  // namespace

}  // namespace integreat::tidy
