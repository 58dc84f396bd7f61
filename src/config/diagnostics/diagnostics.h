// SPDX-License-Identifier: Apache-2.0
// What is wrong in the configuration, as an editor or a person finds it.
#pragma once

#include <string>
#include <vector>

#include "json/document/node.h"

namespace integreat::config {

struct Mistake {
    std::string file;
    int line = 0;  // From 1; 0 if it is about the file as such.
    int column = 0;
    std::string message;
    friend auto operator<=>(const Mistake&, const Mistake&) = default;
};

// A value and what is wrong with it; only without mistakes may it be used.
template <class T>
struct Checked {
    T value;
    std::vector<Mistake> mistakes;
    bool good() const { return mistakes.empty(); }
};

// "apps/teleo.yaml:12:5 unknown role "pator", did you mean "pastor"?"
std::string to_string(const Mistake& mistake);

// A file while it is checked: what it says, and the places where it says it.
struct Document {
    std::string file;
    json::Node tree;
    std::vector<Mistake> mistakes;
};

// Reports at the place that `pointer` (RFC 6901) names. The first mistake at a place is the cause, so that
// later ones at the same place are left out.
void complain(Document& document, std::string_view pointer, std::string message);

// By file and place.
void sort_by_place(std::vector<Mistake>& mistakes);

}  // namespace integreat::config
