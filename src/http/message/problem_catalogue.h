// SPDX-License-Identifier: Apache-2.0
// Every type of problem (RFC 9457) that Integreat answers, whichever folder answers it, explained for the
// person who meets it. GET /problems/{type} shows these words, `integreat why` ends with them, and a test
// finds slugs in the sources that are not listed here.
#pragma once

#include <span>
#include <string_view>

namespace integreat::http {

struct ProblemKind {
    std::string_view slug;
    int status;
    std::string_view title;
    std::string_view meaning;
    std::string_view remedy;  // What to do.
};

std::span<const ProblemKind> problem_kinds();
const ProblemKind* find_problem(std::string_view slug);  // Null if there is none.

}  // namespace integreat::http
