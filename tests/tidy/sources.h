// SPDX-License-Identifier: Apache-2.0
// The repository as the tests of style see it: files with their lines, and the tables of components.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace integreat::tidy {

inline const std::filesystem::path root = INTEGREAT_SOURCE_DIR;

struct Source {
    std::string path;  // Relative to the root: "src/net/server/session.cpp".
    std::vector<std::string> lines;
};

std::vector<std::string> read_lines(const std::filesystem::path& file);

// C++ sources and headers below src/, tests/, bench/ and fuzz/.
const std::vector<Source>& cpp_sources();
// Python, TypeScript, JavaScript, CMake and shell sources of the project.
const std::vector<Source>& script_sources();

// "path:line: ", the start of each failure message. `index` counts from 0.
std::string at(const Source& source, std::size_t index);

// A source that ships: below src/, neither a test nor support for tests.
bool is_product(const std::string& path);

// A line of C++ without its comment and with string and character literals emptied.
std::string code_of_line(const std::string& line);

struct Component {
    std::string name;            // Path below src/: "services/collections".
    std::set<std::string> uses;  // Names of components.
};

// The table of src/README.md, in its order: | component/ | contents | includes |
const std::vector<Component>& components();

// The component of a path below src/, by its longest matching name; empty if there is none.
std::string find_component(const std::string& path);

// The sub-folders that a component's README.md lists, in reading order; "." stands for the component's own
// files. Empty if the component has no sub-folders.
const std::vector<std::string>& subfolders(const std::string& component);

// The first folder of a path below its component, or ".".
std::string subfolder_of(const std::string& path, const std::string& component);

}  // namespace integreat::tidy
