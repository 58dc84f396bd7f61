// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/config_loader.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "json/document/node.h"

namespace integreat::cli {

namespace {

namespace fs = std::filesystem;

std::string display_name(const fs::path& file) {
    return file.lexically_normal().string();
}

config::Diagnostic make_diagnostic(const fs::path& file, std::string message) {
    return {display_name(file), 0, 0, std::move(message)};
}

std::optional<config::Source> read_settings(const fs::path& file,
                                            std::vector<config::Diagnostic>& diagnostics) {
    std::error_code error;
    auto type = fs::symlink_status(file, error).type();
    return type == fs::file_type::not_found ? std::nullopt : read_source(file, diagnostics);
}

fs::path find_apps_folder(const fs::path& folder, const std::optional<config::Source>& settings) {
    std::string apps = config::Settings().apps_dir;
    if (settings) apps = config::load_settings(settings->text, settings->file, nullptr).value.apps_dir;
    return folder / apps;
}

// Returns the manifest files, sorted by name. Backup files of editors (".campus.yaml.swp", "campus.yaml~")
// are ignored.
std::vector<fs::path> list_manifests(const fs::path& folder, std::vector<config::Diagnostic>& diagnostics) {
    std::error_code error;
    std::vector<fs::path> files;
    for (fs::directory_iterator entries(folder, error), end; !error && entries != end;
         entries.increment(error)) {
        const fs::path& file = entries->path();
        if (file.filename().string().starts_with('.')) continue;
        if (file.extension() == ".yaml") {
            files.push_back(file);
        } else if (file.extension() == ".yml") {
            diagnostics.push_back(
                make_diagnostic(file, "is ignored: the name of a manifest must end in .yaml"));
        }
    }
    if (error == std::errc::no_such_file_or_directory) {
        diagnostics.push_back(make_diagnostic(folder,
                                              "the folder of manifests does not exist: create it, or run "
                                              "`integreat tenant add NAME --project ID`"));
    } else if (error == std::errc::not_a_directory) {
        diagnostics.push_back(
            make_diagnostic(folder, "is not a folder, but must be the folder of manifests"));
    } else if (error) {
        diagnostics.push_back(make_diagnostic(folder, "cannot be read: " + error.message()));
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

std::optional<config::Source> read_source(const fs::path& file,
                                          std::vector<config::Diagnostic>& diagnostics) {
    std::error_code error;
    auto status = fs::status(file, error);
    if (error) {
        bool dangling = status.type() == fs::file_type::not_found;
        diagnostics.push_back(make_diagnostic(
            file, dangling ? "is a link to a missing file" : "cannot be read: " + error.message()));
        return std::nullopt;
    }
    if (status.type() != fs::file_type::regular) {
        bool folder = status.type() == fs::file_type::directory;
        diagnostics.push_back(
            make_diagnostic(file, folder ? "is a folder, but must be a file" : "is not a regular file"));
        return std::nullopt;
    }
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    std::string text(json::document_bytes_max + 1,
                     '\0');  // One more than allowed, so that an oversized file is detected.
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.is_open() || stream.bad()) {
        diagnostics.push_back(
            make_diagnostic(file, "cannot be read: " + std::generic_category().message(errno)));
        return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return config::Source{display_name(file), std::move(text)};
}

ConfigurationPaths find_configuration_paths(const fs::path& folder) {
    std::vector<config::Diagnostic> ignored;  // read_configuration reports them.
    fs::path file = folder / "integreat.yaml";
    return {file, find_apps_folder(folder, read_settings(file, ignored))};
}

config::Sources read_configuration(const fs::path& folder) {
    config::Sources sources;
    sources.settings = read_settings(folder / "integreat.yaml", sources.errors);
    auto files = list_manifests(find_apps_folder(folder, sources.settings), sources.errors);
    // One more than allowed is enough for an error.
    if (files.size() > config::max_apps + 1) files.resize(config::max_apps + 1);
    for (const auto& file : files) {
        if (auto source = read_source(file, sources.errors)) sources.manifests.push_back(std::move(*source));
    }
    return sources;
}

const json::Environment& process_environment() {
    static const json::Environment environment = [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string(name).c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
    };
    return environment;
}

}  // namespace integreat::cli
