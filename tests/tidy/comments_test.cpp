// SPDX-License-Identifier: Apache-2.0
// Comments are sentences that start with a verb or a noun (docs/inside/style.md, R33).
#include <regex>

#include <gtest/gtest.h>

#include "sources.h"

namespace integreat::tidy {

namespace {

using std::string;

// Words that make a fragment of the comment they begin.
const std::regex fragment(R"(^(Of|What|Who|Whose|Whom|Whoever|Whatever|That|Those|How)\b)");

// The text of the comment that begins on a line; empty if there is none or if it goes on with the one before.
string comment_start(const std::vector<string>& lines, std::size_t index, const string& mark) {
    auto whole_line = [&](std::size_t i) {
        auto first = lines[i].find_first_not_of(' ');
        return first != string::npos && lines[i].compare(first, mark.size(), mark) == 0;
    };
    const auto& line = lines[index];
    if (whole_line(index)) {
        if (index > 0 && whole_line(index - 1)) return {};
        auto begin = line.find_first_not_of(' ', line.find(mark) + mark.size());
        return begin == string::npos ? string() : line.substr(begin);
    }
    auto trailing = line.find("  " + mark + " ");
    return trailing == string::npos ? string() : line.substr(trailing + mark.size() + 3);
}

void expect_sentences(const std::vector<Source>& sources, const string& mark) {
    for (const auto& source : sources) {
        bool hash = source.path.ends_with(".py") || source.path.ends_with(".cmake") ||
                    source.path.ends_with(".txt") || source.path.find('.') == string::npos ||
                    source.path == ".ci/run";
        if (hash != (mark == "#")) continue;
        for (std::size_t i = 0; i < source.lines.size(); ++i) {
            auto text = comment_start(source.lines, i, mark);
            EXPECT_FALSE(std::regex_search(text, fragment))
                << at(source, i) << "start with a verb or a noun (R33): " << text;
        }
    }
}

TEST(Comments, OfCppStartWithAVerbOrANoun) {
    expect_sentences(cpp_sources(), "//");
}

TEST(Comments, OfScriptsStartWithAVerbOrANoun) {
    expect_sentences(script_sources(), "#");
    expect_sentences(script_sources(), "//");
}

}  // namespace

}  // namespace integreat::tidy
