// SPDX-License-Identifier: Apache-2.0
// Errors and warnings about configuration files, with file, line and column.
#pragma once

#include <string>
#include <vector>

#include "json/document/node.h"

namespace integreat::config {

struct Diagnostic {
    std::string file;
    int line = 0;  // From 1; 0 if the diagnostic is about the whole file.
    int column = 0;
    std::string message;
    friend auto operator<=>(const Diagnostic&, const Diagnostic&) = default;
};

// A value read from a file with the errors and warnings in it. The value is usable only if there are no
// errors.
template <class T>
struct Validated {
    T value;
    std::vector<Diagnostic> errors;
    std::vector<Diagnostic> warnings;
    bool is_valid() const { return errors.empty(); }
};

// Formats "apps/teleo.yaml:12:5 unknown role "pator", did you mean "pastor"?"
std::string to_string(const Diagnostic& diagnostic);

// A file during validation: its document tree and the diagnostics found so far.
struct Document {
    std::string file;
    json::Node tree;
    std::vector<Diagnostic> errors;
    std::vector<Diagnostic> warnings;
};

// Reports an error at the location of `pointer` (RFC 6901). Only the first error at a location is kept: later
// ones are consequences of it.
void report(Document& document, std::string_view pointer, std::string message);

// Sorts by file, line and column.
void sort_by_location(std::vector<Diagnostic>& diagnostics);

}  // namespace integreat::config
