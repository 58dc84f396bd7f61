// SPDX-License-Identifier: Apache-2.0
// Sizes of functions, files and folders (docs/inside/style.md, R25, R34, R35), and constructs that the
// compiler translates wrongly (R22).
#include <algorithm>
#include <regex>

#include <gtest/gtest.h>

#include "sources.h"

namespace integreat::tidy {

namespace {

using std::string;

// g++ 12 leaks the members constructed so far when TRY returns from within braces.
TEST(Sizes, TryIsNotUsedInBraces) {
    static const std::regex within(R"re((^\s*|[{,]\s*)\.\w+ = TRY\(|\{TRY\(|\{"\w+", TRY\()re");
    for (const auto& source : cpp_sources()) {
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            EXPECT_FALSE(std::regex_search(source.lines[i], within))
                << at(source, i) << "name the result of TRY, then put it in the braces";
        }
    }
}

TEST(Sizes, FilesAndLinesHaveALimit) {
    constexpr std::size_t file_lines_max = 800;
    constexpr std::size_t line_columns_max = 110;
    for (const auto& source : cpp_sources()) {
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
// with the brace in the column of that line: clang-format ensures both.
TEST(Sizes, FunctionsFitAScreen) {
    auto continues = [](const string& line) {
        return line.ends_with(",") || line.ends_with("||") || line.ends_with("&&");
    };
    auto initializes = [](const string& line) {
        auto first = line.find_first_not_of(' ');
        return first != string::npos && line[first] == ':';
    };
    constexpr std::size_t function_lines_max = 60;
    const std::regex head(R"(^( *)\S.*\)( const| noexcept| override| final| -> [^{]+)* \{$)");
    const std::regex introducer(R"(\[[^\]]*\]\()");
    const std::regex not_a_function(R"(^ *(if|for|while|switch|else|\}|namespace|do|return|extern)\b)");
    for (const auto& source : cpp_sources()) {
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            std::smatch match;
            const auto& line = source.lines[i];
            if (!std::regex_match(line, match, head) || std::regex_search(line, not_a_function)) continue;
            std::size_t begin = i;  // The first line of a head gives its column.
            while (begin > 0 && source.lines[begin].find('(') == string::npos)
                --begin;
            bool lambda =
                std::regex_search(line, introducer);  // Ends in its own column, not in that of its call.
            while (!lambda && begin > 0 &&
                   (continues(source.lines[begin - 1]) || initializes(source.lines[begin])))
                --begin;
            if (std::regex_search(source.lines[begin], not_a_function)) continue;
            string indent = source.lines[begin].substr(0, source.lines[begin].find_first_not_of(' '));
            string closing = indent + "}";
            std::size_t end = i + 1;
            while (end < source.lines.size() && !source.lines[end].starts_with(closing))
                ++end;
            EXPECT_LE(end - i + 1, function_lines_max) << at(source, i) << "split this function (R25)";
            if (indent.empty()) i = end;
        }
    }
}

// Names the files of each folder below src/ that ship: sources, headers and README.md.
std::map<string, std::vector<string>> product_files() {
    std::map<string, std::vector<string>> folders;
    for (const auto& source : cpp_sources()) {
        if (!is_product(source.path)) continue;
        auto slash = source.path.rfind('/');
        folders[source.path.substr(0, slash)].push_back(source.path.substr(slash + 1));
    }
    return folders;
}

TEST(Sizes, AFolderHasAtMost25Files) {
    constexpr std::size_t files_max = 25;
    for (const auto& [folder, files] : product_files())
        EXPECT_LE(files.size(), files_max) << folder << ": group its files in sub-folders (R34)";
}

// A source without a header hides what it defines. The operations of a local AWS or Firebase service are
// declared together in the operations.h of their folder, which its table reads.
TEST(Sizes, ASourceHasItsHeader) {
    // Compiles Asio itself, once for all sources (BOOST_ASIO_SEPARATE_COMPILATION): it declares nothing of
    // ours.
    const std::set<string> exempt{"main.cpp", "asio.cpp"};
    for (const auto& [folder, files] : product_files()) {
        std::set<string> names(files.begin(), files.end());
        bool has_operations = folder.starts_with("src/cloud/") && names.contains("operations.h");
        for (const auto& name : files) {
            if (!name.ends_with(".cpp") || exempt.contains(name)) continue;
            EXPECT_TRUE(names.contains(name.substr(0, name.size() - 4) + ".h") || has_operations)
                << folder << "/" << name << " has no header of its own (R35)";
        }
    }
}

}  // namespace

}  // namespace integreat::tidy
