// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <ostream>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include "base/result.h"
#include "cli/runtime/config_loader.h"
#include "cli/runtime/configuration_commands.h"

namespace integreat::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view scaffold =
    R"(# {title}: what the platform needs to know of this app. `integreat check` looks it over; every key is
# explained in docs/manifests.md.
app: {name}
title: {title}
project: {project}  # The Firebase project whose users these are.

# Values that the custom claim "role" of this project's tokens may have.
roles: [member, admin]

# Sites whose scripts may call. Add your own: https://{name}.example
cors:
  origins: ["http://localhost:*"]

# Each caller may ask so much; all callers together, tenant_limit.
limit: {{requests: 600, window: 1m, burst: 100}}

# Your own servers. {variable} names another address where the platform runs.
upstreams:
  backend:
    url: env:{variable}:http://127.0.0.1:9300

# Everything below /v1/apps/{name}/backend/ goes to it, for whoever is signed in.
routes:
  - path: /backend/{{rest...}}
    methods: [GET, POST, PUT, PATCH, DELETE]
    upstream: backend
    target: /{{rest...}}
    summary: The app's own server.
)";

std::string title_of(const std::string& name) {
    std::string title = name;
    std::replace(title.begin(), title.end(), '-', ' ');
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
    return title;
}

std::string variable_of(const std::string& name) {
    std::string variable;
    for (char c : name) {
        variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c;
    }
    return variable + "_BACKEND_URL";
}

std::string reason() {
    return std::generic_category().message(errno);
}

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        auto count = ::write(descriptor, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return ::fsync(descriptor) == 0;
}

// Under its name appears the whole file or nothing, and nothing that was there before is lost.
Result<> create_file(const fs::path& file, std::string_view text) {
    fs::path draft = file.parent_path() / fmt::format(".{}.{}", file.filename().string(), ::getpid());
    int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (descriptor < 0)
        return Error{Fault::unavailable, draft.string() + " cannot be created: " + reason(), ""};
    bool written = write_all(descriptor, text);
    std::string why = written ? "" : reason();
    ::close(descriptor);
    if (written && ::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, file.c_str(), RENAME_NOREPLACE) == 0)
        return {};
    if (written) why = errno == EEXIST ? "it exists already" : reason();
    ::unlink(draft.c_str());
    return Error{Fault::conflict, file.string() + " cannot be written: " + why, ""};
}

// What would be wrong with the new manifest, beside those that are there.
std::vector<config::Mistake> mistakes_of(config::Sources sources, config::Source added,
                                         const json::Environment& environment) {
    std::string file = added.file;
    sources.manifests.push_back(std::move(added));
    auto mistakes = config::load_configuration(sources, environment).mistakes;
    std::erase_if(mistakes, [&](const config::Mistake& mistake) { return mistake.file != file; });
    return mistakes;
}

}  // namespace

int tenant_add(const TenantOptions& options, std::ostream& out, std::ostream& err) {
    auto refuse = [&](const std::string& sentence) {
        err << sentence << "\n";
        return 1;
    };
    if (auto complaint = config::check_slug(options.name)) return refuse("NAME " + *complaint);
    if (auto complaint = config::check_project(options.project)) return refuse("--project " + *complaint);

    fs::path folder = place_of_configuration(options.configuration.folder).apps_folder;
    fs::path file = (folder / (options.name + ".yaml")).lexically_normal();
    std::error_code error;
    if (fs::symlink_status(file, error).type() != fs::file_type::not_found) {
        return refuse("the app " + options.name + " exists already: " + file.string());
    }
    std::string text = fmt::format(
        fmt::runtime(scaffold), fmt::arg("name", options.name), fmt::arg("title", title_of(options.name)),
        fmt::arg("project", options.project), fmt::arg("variable", variable_of(options.name)));
    auto sources = read_configuration(options.configuration.folder);
    auto mistakes = mistakes_of(sources, {file.string(), text}, options.configuration.environment);
    // The text is ours: what is wrong with it is the name or the project.
    if (!mistakes.empty()) return refuse(mistakes.front().message);

    fs::create_directories(folder, error);
    if (error) return refuse(folder.string() + " cannot be created: " + error.message());
    if (auto created = create_file(file, text); !created) return refuse(created.error().message);
    out << "Wrote " << file.string() << ". Now change it to fit, and run `integreat check`.\n";
    return 0;
}

}  // namespace integreat::cli
