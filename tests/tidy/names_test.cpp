// SPDX-License-Identifier: Apache-2.0
// Names of files, types and variables (docs/inside/style.md, R10, R11, R32).
#include <cctype>
#include <regex>

#include <gtest/gtest.h>

#include "sources.h"

namespace integreat::tidy {

namespace {

using std::string;

// The words of an identifier in lower case: "PolicyContext" and "policy_context" both have two.
std::vector<string> split_identifier(const string& identifier) {
    std::vector<string> words(1);
    for (std::size_t i = 0; i < identifier.size(); ++i) {
        auto c = static_cast<unsigned char>(identifier[i]);
        bool starts_word =
            std::isupper(c) && i > 0 && !std::isupper(static_cast<unsigned char>(identifier[i - 1]));
        if (c == '_' || starts_word) words.emplace_back();
        if (c != '_') words.back() += static_cast<char>(std::tolower(c));
    }
    return words;
}

TEST(Names, SayWhatThingsAre) {
    const std::regex type(
        R"(^\s*(?:class|struct|enum class|enum|using) (?:\[\[nodiscard\]\] )?([A-Z][A-Za-z0-9]*)\b)");
    const std::set<string> empty_words{"manager", "helper", "util",    "utils", "common",
                                       "misc",    "impl",   "data",    "info",  "processor",
                                       "service", "base",   "abstract"};
    const std::regex empty_path(
        "(^|[/_])(manager|helper|helpers|util|utils|common|misc|impl|data|info|object|processor)([/_.]|$)");
    for (const auto& source : cpp_sources()) {
        EXPECT_FALSE(std::regex_search(source.path, empty_path))
            << source.path << ": the domain's word or none (R11)";
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            std::smatch match;
            if (!std::regex_search(source.lines[i], match, type)) continue;
            for (const auto& word : split_identifier(match[1])) {
                EXPECT_FALSE(empty_words.contains(word))
                    << at(source, i) << match[1] << ": \"" << word << "\" says nothing (R11)";
            }
        }
    }
}

// Words that once stood for standard terms. The list only grows.
TEST(Names, AreTheTermsOfTheField) {
    const std::set<string> refused{"told",  "asked",   "answered", "turn",  "turns", "lane",
                                   "lanes", "trouble", "troubles", "taken", "later", "wanted",
                                   "seen",  "looked",  "sprout",   "desk",  "hall",  "heard",
                                   "soil",  "whoever", "sowing",   "sow",   "grown", "whose"};
    const std::regex identifier("[A-Za-z_][A-Za-z0-9_]*");
    for (const auto& source : cpp_sources()) {
        bool raw = false;  // Inside of a raw string literal.
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            const auto& line = source.lines[i];
            if (raw) {
                raw = line.find(")\"") == string::npos && line.find(")yaml\"") == string::npos &&
                      line.find(")sql\"") == string::npos && line.find(")re\"") == string::npos &&
                      line.find(")json\"") == string::npos && line.find(")html\"") == string::npos;
                continue;
            }
            auto opening = line.find("R\"");
            if (opening != string::npos && line.find(")", line.find('(', opening)) == string::npos) {
                raw = true;
                continue;
            }
            if (line.starts_with("#include")) continue;
            auto code = code_of_line(line);
            for (std::sregex_iterator it(code.begin(), code.end(), identifier), end; it != end; ++it) {
                for (const auto& word : split_identifier(it->str())) {
                    EXPECT_FALSE(refused.contains(word))
                        << at(source, i) << it->str() << ": use the standard term instead of \"" << word
                        << "\" (R32)";
                }
            }
        }
    }
}

// A fuzzer names the inputs it finds by their SHA-1; such a corpus belongs below build/.
TEST(Names, SeedsOfFuzzersHaveMeaningfulNames) {
    static const std::regex digest("[0-9a-f]{40}");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "fuzz" / "corpus")) {
        EXPECT_FALSE(std::regex_match(entry.path().filename().string(), digest))
            << std::filesystem::relative(entry.path(), root).string() << ": name what it tries, or delete it";
    }
}

}  // namespace

}  // namespace integreat::tidy
