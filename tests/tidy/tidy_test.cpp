// SPDX-License-Identifier: Apache-2.0
// The rules of the house that a machine can check (docs/style.md), each with file:line in its message:
// include edges, forbidden names, hidden effects, sizes.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;
using std::string;

const fs::path root = INTEGREAT_SOURCE_DIR;

struct Source {
    string path;  // Relative to the root: "src/net/session.cpp".
    std::vector<string> lines;
};

std::vector<string> lines_of(const fs::path& file) {
    std::ifstream in(file);
    std::vector<string> lines;
    for (string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

const std::vector<Source>& sources() {
    static const std::vector<Source> all = [] {
        std::vector<Source> found;
        for (const char* folder : {"src", "tests", "bench", "fuzz"}) {
            for (auto it = fs::recursive_directory_iterator(root / folder);
                 it != fs::recursive_directory_iterator(); ++it) {
                if (it->path().filename() == "node_modules") it.disable_recursion_pending();
                auto extension = it->path().extension();
                if (!it->is_regular_file() || (extension != ".cpp" && extension != ".h")) continue;
                found.push_back({fs::relative(it->path(), root).string(), lines_of(it->path())});
            }
        }
        return found;
    }();
    return all;
}

string at(const Source& source, std::size_t index) {
    return source.path + ":" + std::to_string(index + 1) + ": ";
}

bool starts_with(const string& text, const string& start) {
    return text.compare(0, start.size(), start) == 0;
}

std::set<string> words_of(const string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<string>(stream), {}};
}

struct Component {
    string name;
    std::set<string> uses;
};

// The table of src/README.md: | folder/ | what it is | includes |
std::vector<Component> drawn_components() {
    std::vector<Component> folders;
    std::regex row(R"(^\| ([a-z0-9_/]+)/ \| .* \| (.*) \|$)");
    for (const auto& line : lines_of(root / "src/README.md")) {
        std::smatch match;
        if (!std::regex_match(line, match, row)) continue;
        auto uses = words_of(match[2]);
        uses.erase("–");
        folders.push_back({match[1], uses});
    }
    return folders;
}

// integreat_component(name USES a b LIBRARIES ...) of src/CMakeLists.txt
std::map<string, std::set<string>> built_components() {
    std::map<string, std::set<string>> folders;
    std::regex call(R"(^integreat_component\(([a-z0-9_/]+)(?: USES ([a-z0-9_/ ]+?))?(?: LIBRARIES .*)?\)$)");
    for (const auto& line : lines_of(root / "src/CMakeLists.txt")) {
        std::smatch match;
        if (std::regex_match(line, match, call)) folders[match[1]] = words_of(match[2]);
    }
    return folders;
}

// The folder of the table a path below src/ lies in: the longest name that fits.
string folder_of(const string& path, const std::vector<Component>& folders) {
    string best;
    for (const auto& folder : folders) {
        if (starts_with(path, folder.name + "/") && folder.name.size() > best.size()) best = folder.name;
    }
    return best;
}

TEST(Tidy, FoldersIncludeOnlyWhatTheirLineOfTheTableNames) {
    auto folders = drawn_components();
    ASSERT_GE(folders.size(), 10u);
    std::map<string, std::set<string>> uses;
    for (const auto& folder : folders)
        uses[folder.name] = folder.uses;

    std::regex include(R"re(^\s*#include "([^"]+)")re");
    std::size_t checked = 0;
    for (const auto& source : sources()) {
        if (!starts_with(source.path, "src/")) continue;
        auto from = folder_of(source.path.substr(4), folders);
        EXPECT_FALSE(from.empty()) << source.path << ": its folder is not in the table of src/README.md";
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            std::smatch match;
            if (!std::regex_search(source.lines[i], match, include)) continue;
            auto to = folder_of(match[1], folders);
            EXPECT_FALSE(to.empty()) << at(source, i) << "includes " << match[1]
                                     << ", which is in no folder of the table (paths start below src/)";
            EXPECT_TRUE(to == from || uses[from].contains(to))
                << at(source, i) << from << "/ may not include " << to << "/ (src/README.md)";
            ++checked;
        }
    }
    EXPECT_GT(checked, 40u);
}

TEST(Tidy, ReadingOrderIsDependencyOrder) {
    std::set<string> above;
    for (const auto& folder : drawn_components()) {
        for (const auto& used : folder.uses) {
            EXPECT_TRUE(above.contains(used))
                << "src/README.md: " << folder.name << "/ uses " << used << "/, which is not above it";
        }
        above.insert(folder.name);
    }
}

TEST(Tidy, TheBuildHasTheEdgesOfTheTable) {
    auto built = built_components();
    for (const auto& folder : drawn_components()) {
        ASSERT_TRUE(built.contains(folder.name))
            << "src/CMakeLists.txt: integreat_component(" << folder.name << " …) missing";
        EXPECT_EQ(built[folder.name], folder.uses)
            << "src/CMakeLists.txt and src/README.md disagree on what " << folder.name << "/ uses";
        built.erase(folder.name);
    }
    for (const auto& [name, uses] : built)
        ADD_FAILURE() << "src/README.md: no line for " << name << "/";
}

TEST(Tidy, OnlyNetKnowsSocketsAndOnlyTheirFilesKnowTheOtherLibraries) {
    const std::vector<std::pair<std::regex, string>> homes{
        {std::regex(R"(<boost/(asio|beast))"), "src/net/"},
        {std::regex(R"(<curl/)"), "src/net/client/curl_client"},
        {std::regex(R"(<spdlog/)"), "src/base/log.cpp"},
        {std::regex(R"(<libpq-fe\.h>)"), "src/postgres/"},
        {std::regex(R"(<sqlite3\.h>)"), "src/cloud/"},
        {std::regex(R"(<yaml-cpp/)"), "src/json/document/yaml"},
        {std::regex(R"(<prometheus/)"), "src/metrics/"},
        {std::regex(R"(<CLI/)"), "src/cli/"},
    };
    for (const auto& source : sources()) {
        if (!starts_with(source.path, "src/") || source.path.ends_with("_test.cpp")) continue;
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            if (!starts_with(source.lines[i], "#include <")) continue;
            for (const auto& [library, home] : homes) {
                EXPECT_TRUE(!std::regex_search(source.lines[i], library) || starts_with(source.path, home))
                    << at(source, i) << source.lines[i] << " belongs in " << home << " only";
            }
        }
    }
}

TEST(Tidy, NamesSayWhatThingsAre) {
    const std::regex type(
        R"(^\s*(?:class|struct|enum class|enum|using) (?:\[\[nodiscard\]\] )?([A-Z][A-Za-z0-9]*)\b)");
    const std::regex empty_word(
        "(Manager|Helper|Util|Utils|Common|Misc|Impl|Data|Info|Object|Processor|Service|Base|Abstract)");
    const std::regex word_of_type("[A-Z][a-z0-9]*");
    const std::regex empty_path(
        "(^|[/_])(manager|helper|helpers|util|utils|common|misc|impl|data|info|object|processor)([/_.]|$)");
    for (const auto& source : sources()) {
        bool named_by_design = starts_with(source.path, "src/services/collections/");
        auto path = source.path.substr(named_by_design ? std::strlen("src/services/collections/") : 0);
        EXPECT_FALSE(std::regex_search(path, empty_path))
            << source.path << ": the domain's word or none (R11)";
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            std::smatch match;
            if (!std::regex_search(source.lines[i], match, type)) continue;
            string name = match[1];
            for (std::sregex_iterator it(name.begin(), name.end(), word_of_type), end; it != end; ++it) {
                EXPECT_FALSE(std::regex_match(it->str(), empty_word))
                    << at(source, i) << name << ": \"" << it->str() << "\" says nothing (R11)";
            }
        }
    }
}

TEST(Tidy, TimeRandomnessEnvironmentAndFilesComeFromOutside) {
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
    for (const auto& source : sources()) {
        bool test = source.path.ends_with("_test.cpp") || !starts_with(source.path, "src/") ||
                    source.path.find("/testing") != string::npos;
        bool free = std::any_of(allowed.begin(), allowed.end(),
                                [&](const string& place) { return starts_with(source.path, place); });
        if (test || free) continue;
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            auto code = source.lines[i].substr(0, source.lines[i].find("//"));
            EXPECT_FALSE(std::regex_search(code, effect))
                << at(source, i) << "take a Clock, a Random or the text as an argument (R19): " << code;
        }
    }
}

// What a fuzzer grows belongs below build/: it is called by its SHA-1, and there is no end of it.
TEST(Tidy, SeedsOfFuzzersAreNamedByPeople) {
    static const std::regex grown("[0-9a-f]{40}");
    for (const auto& entry : fs::recursive_directory_iterator(root / "fuzz" / "corpus")) {
        EXPECT_FALSE(std::regex_match(entry.path().filename().string(), grown))
            << fs::relative(entry.path(), root).string() << ": say in its name what it tries, or delete it";
    }
}

// g++ 12 forgets the members made before it when TRY returns from within braces: they leak.
TEST(Tidy, TryStandsInNoBraces) {
    static const std::regex within(R"re((^\s*|[{,]\s*)\.\w+ = TRY\(|\{TRY\(|\{"\w+", TRY\()re");
    for (const auto& source : sources()) {
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            EXPECT_FALSE(std::regex_search(source.lines[i], within))
                << at(source, i) << "name what TRY gives, then put it in the braces";
        }
    }
}

TEST(Tidy, FilesFitAMindAndLinesTwoWindows) {
    constexpr std::size_t file_lines_max = 500;
    constexpr std::size_t line_columns_max = 110;
    for (const auto& source : sources()) {
        EXPECT_LE(source.lines.size(), file_lines_max) << source.path << ": split it (R25)";
        ASSERT_FALSE(source.lines.empty()) << source.path << " is empty";
        EXPECT_EQ(source.lines.front(), "// SPDX-License-Identifier: Apache-2.0") << source.path;
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            auto columns = std::count_if(source.lines[i].begin(), source.lines[i].end(),
                                         [](char byte) { return (byte & 0xC0) != 0x80; });
            EXPECT_LE(static_cast<std::size_t>(columns), line_columns_max)
                << at(source, i) << columns << " columns (R25)";
        }
    }
}

// A function begins where a line ends in ") {" (or with its qualifiers) outside of another function, and ends
// with the brace in the column of that line: clang-format sees to both.
TEST(Tidy, FunctionsFitAScreen) {
    auto goes_on = [](const string& line) {
        return line.ends_with(",") || line.ends_with("||") || line.ends_with("&&");
    };
    auto initializes = [](const string& line) {
        auto first = line.find_first_not_of(' ');
        return first != string::npos && line[first] == ':';
    };
    constexpr std::size_t function_lines_max = 60;
    const std::regex head(R"(^( *)\S.*\)( const| noexcept| override| final| -> [^{]+)* \{$)");
    const std::regex introducer(R"(\[[^\]]*\]\()");
    const std::regex no_function(R"(^ *(if|for|while|switch|else|\}|namespace|do|return|extern)\b)");
    for (const auto& source : sources()) {
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            std::smatch match;
            const auto& line = source.lines[i];
            if (!std::regex_match(line, match, head) || std::regex_search(line, no_function)) continue;
            std::size_t begin = i;  // Of a head of several lines, the first says the column.
            while (begin > 0 && source.lines[begin].find('(') == string::npos)
                --begin;
            bool lambda = std::regex_search(line, introducer);  // Ends in its own column, not its call's.
            while (!lambda && begin > 0 &&
                   (goes_on(source.lines[begin - 1]) || initializes(source.lines[begin])))
                --begin;
            if (std::regex_search(source.lines[begin], no_function)) continue;
            string indent = source.lines[begin].substr(0, source.lines[begin].find_first_not_of(' '));
            string closing = indent + "}";
            std::size_t end = i + 1;
            while (end < source.lines.size() && !starts_with(source.lines[end], closing))
                ++end;
            EXPECT_LE(end - i + 1, function_lines_max)
                << at(source, i) << "a function of this length wants parts (R25)";
            if (indent.empty()) i = end;
        }
    }
}

}  // namespace
