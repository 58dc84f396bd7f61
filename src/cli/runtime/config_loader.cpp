// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/config_loader.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "json/value/limits.h"

namespace integreat::cli {

namespace {

namespace fs = std::filesystem;

std::string name_of(const fs::path& file) {
    return file.lexically_normal().string();
}

config::Mistake mistake_of(const fs::path& file, std::string message) {
    return {name_of(file), 0, 0, std::move(message)};
}

std::optional<config::Source> read_settings(const fs::path& file, std::vector<config::Mistake>& mistakes) {
    std::error_code error;
    auto type = fs::symlink_status(file, error).type();
    return type == fs::file_type::not_found ? std::nullopt : read_source(file, mistakes);
}

fs::path apps_folder_of(const fs::path& folder, const std::optional<config::Source>& settings) {
    std::string apps = config::Settings().apps_dir;
    if (settings) apps = config::load_settings(settings->text, settings->file, nullptr).value.apps_dir;
    return folder / apps;
}

// Files to read, by name. What an editor leaves behind (".campus.yaml.swp", "campus.yaml~") is not ours.
std::vector<fs::path> manifests_in(const fs::path& folder, std::vector<config::Mistake>& mistakes) {
    std::error_code error;
    std::vector<fs::path> files;
    for (fs::directory_iterator entries(folder, error), end; !error && entries != end;
         entries.increment(error)) {
        const fs::path& file = entries->path();
        if (file.filename().string().starts_with('.')) continue;
        if (file.extension() == ".yaml") {
            files.push_back(file);
        } else if (file.extension() == ".yml") {
            mistakes.push_back(mistake_of(file, "is not read: a manifest's name ends in .yaml"));
        }
    }
    if (error == std::errc::no_such_file_or_directory) {
        mistakes.push_back(mistake_of(folder,
                                      "this folder of manifests does not exist: create it, or let "
                                      "`integreat tenant add NAME --project ID` do so"));
    } else if (error == std::errc::not_a_directory) {
        mistakes.push_back(mistake_of(folder, "is not a folder, and the one of the manifests is wanted"));
    } else if (error) {
        mistakes.push_back(mistake_of(folder, "cannot be read: " + error.message()));
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

std::optional<config::Source> read_source(const fs::path& file, std::vector<config::Mistake>& mistakes) {
    std::error_code error;
    auto status = fs::status(file, error);
    if (error) {
        bool dangling = status.type() == fs::file_type::not_found;
        mistakes.push_back(mistake_of(file, dangling ? "is a link to a file that does not exist"
                                                     : "cannot be read: " + error.message()));
        return std::nullopt;
    }
    if (status.type() != fs::file_type::regular) {
        bool folder = status.type() == fs::file_type::directory;
        mistakes.push_back(
            mistake_of(file, folder ? "is a folder, and a file is wanted" : "is not a regular file"));
        return std::nullopt;
    }
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    std::string text(json::document_bytes_max + 1,
                     '\0');  // One more than allowed, so that the check sees it.
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.is_open() || stream.bad()) {
        mistakes.push_back(mistake_of(file, "cannot be read: " + std::generic_category().message(errno)));
        return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return config::Source{name_of(file), std::move(text)};
}

ConfigurationPlace place_of_configuration(const fs::path& folder) {
    std::vector<config::Mistake> ignored;  // read_configuration reports them.
    fs::path file = folder / "integreat.yaml";
    return {file, apps_folder_of(folder, read_settings(file, ignored))};
}

config::Sources read_configuration(const fs::path& folder) {
    config::Sources sources;
    sources.settings = read_settings(folder / "integreat.yaml", sources.mistakes);
    auto files = manifests_in(apps_folder_of(folder, sources.settings), sources.mistakes);
    // One more than may be is enough to be refused.
    if (files.size() > config::apps_max + 1) files.resize(config::apps_max + 1);
    for (const auto& file : files) {
        if (auto source = read_source(file, sources.mistakes))
            sources.manifests.push_back(std::move(*source));
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
