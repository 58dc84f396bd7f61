// SPDX-License-Identifier: Apache-2.0
#include "sources.h"

#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

namespace integreat::tidy {

namespace fs = std::filesystem;
using std::string;

namespace {

std::vector<Source> find_sources(const std::vector<string>& folders, const std::set<string>& extensions) {
    static const std::set<string> foreign{"node_modules", "dist", "__pycache__"};
    std::vector<Source> found;
    for (const auto& folder : folders) {
        for (auto it = fs::recursive_directory_iterator(root / folder);
             it != fs::recursive_directory_iterator(); ++it) {
            if (foreign.contains(it->path().filename().string())) it.disable_recursion_pending();
            if (!it->is_regular_file() || !extensions.contains(it->path().extension().string())) continue;
            found.push_back({fs::relative(it->path(), root).string(), read_lines(it->path())});
        }
    }
    return found;
}

std::set<string> split_words(const string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<string>(stream), {}};
}

}  // namespace

std::vector<string> read_lines(const fs::path& file) {
    std::ifstream in(file);
    std::vector<string> lines;
    for (string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

const std::vector<Source>& cpp_sources() {
    static const auto all = find_sources({"src", "tests", "bench", "fuzz"}, {".cpp", ".h"});
    return all;
}

const std::vector<Source>& script_sources() {
    static const auto all = [] {
        auto found = find_sources({"src", "tests", "bench", "fuzz", "sdk", "cmake"},
                                  {".py", ".ts", ".js", ".mjs", ".cmake", ".txt"});
        for (const char* name : {"dev", "CMakeLists.txt", ".ci/run"})
            found.push_back({name, read_lines(root / name)});
        return found;
    }();
    return all;
}

string at(const Source& source, std::size_t index) {
    return source.path + ":" + std::to_string(index + 1) + ": ";
}

bool is_product(const string& path) {
    return path.starts_with("src/") && !path.ends_with("_test.cpp") && path.find("/testing/") == string::npos;
}

string code_of_line(const string& line) {
    string code;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        char c = line[i];
        if (quote) {
            if (c == '\\') {
                ++i;
            } else if (c == quote) {
                quote = 0;
                code += c;
            }
        } else if (c == '"' ||
                   (c == '\'' && (i == 0 || !std::isalnum(static_cast<unsigned char>(line[i - 1]))))) {
            quote = c;
            code += c;
        } else if (c == '/' && i + 1 < line.size() && line[i + 1] == '/') {
            break;
        } else {
            code += c;
        }
    }
    return code;
}

const std::vector<Component>& components() {
    static const auto all = [] {
        std::vector<Component> found;
        const std::regex row(R"(^\| ([a-z0-9_/]+)/ \| .* \| (.*) \|$)");
        for (const auto& line : read_lines(root / "src/README.md")) {
            std::smatch match;
            if (!std::regex_match(line, match, row)) continue;
            auto uses = split_words(match[2]);
            uses.erase("–");
            found.push_back({match[1], uses});
        }
        return found;
    }();
    return all;
}

string find_component(const string& path) {
    string best;
    for (const auto& component : components()) {
        if (path.starts_with(component.name + "/") && component.name.size() > best.size())
            best = component.name;
    }
    return best;
}

const std::vector<string>& subfolders(const string& component) {
    static std::map<string, std::vector<string>> known;
    auto [entry, is_new] = known.try_emplace(component);
    if (is_new) {
        const std::regex row(R"(^\| ([a-z0-9_]+|\.)/? \| .* \|$)");
        for (const auto& line : read_lines(root / "src" / component / "README.md")) {
            std::smatch match;
            if (std::regex_match(line, match, row) && match[1] != "folder") entry->second.push_back(match[1]);
        }
    }
    return entry->second;
}

string subfolder_of(const string& path, const string& component) {
    auto rest = path.substr(component.size() + 1);
    auto slash = rest.find('/');
    return slash == string::npos ? "." : rest.substr(0, slash);
}

}  // namespace integreat::tidy
