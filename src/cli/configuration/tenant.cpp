// SPDX-License-Identifier: Apache-2.0
#include "cli/configuration/tenant.h"

#include <algorithm>
#include <cerrno>
#include <ostream>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include "base/result.h"
#include "cli/runtime/config_loader.h"

namespace integreat::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view scaffold =
    R"(# Manifest of {title}. Validate it with `integreat check`; every key is documented in
# docs/reference/manifests.md.
integreat: 1  # Format version of this manifest.
app: {name}
title: {title}
project: {project}  # Firebase project of the app's users.

# Allowed values of the custom claim "role" in the project's tokens.
roles: [member, admin]

# Origins that may call the API from a browser. Add your own: https://{name}.example
cors:
  origins: ["http://localhost:*"]

# Rate limit per caller. `tenant_limit` limits all callers together.
limit: {{requests: 600, window: 1m, burst: 100}}

# Your own servers. The environment variable {variable} overrides the address.
upstreams:
  backend:
    url: env:{variable}:http://127.0.0.1:9300

# Proxies everything below /v1/apps/{name}/backend/ to the server, for signed-in users.
routes:
  - path: /backend/{{rest...}}
    methods: [GET, POST, PUT, PATCH, DELETE]
    upstream: backend
    target: /{{rest...}}
    summary: The app's own server.
)";

std::string make_title(const std::string& name) {
    std::string title = name;
    std::replace(title.begin(), title.end(), '-', ' ');
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
    return title;
}

std::string make_variable_name(const std::string& name) {
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

// Creates a file atomically. Fails if the file exists.
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
    if (written) why = errno == EEXIST ? "it already exists" : reason();
    ::unlink(draft.c_str());
    return Error{Fault::conflict, file.string() + " cannot be written: " + why, ""};
}

// Returns the errors of a new manifest, validated together with the existing ones.
std::vector<config::Diagnostic> find_diagnostics(config::Sources sources, config::Source added,
                                                 const json::Environment& environment) {
    std::string file = added.file;
    sources.manifests.push_back(std::move(added));
    auto diagnostics = config::load_configuration(sources, environment).errors;
    std::erase_if(diagnostics, [&](const config::Diagnostic& diagnostic) { return diagnostic.file != file; });
    return diagnostics;
}

}  // namespace

int tenant_add(const TenantAddOptions& options, std::ostream& out, std::ostream& err) {
    auto fail = [&](const std::string& message) {
        err << message << "\n";
        return exit_failure;
    };
    if (auto error = config::check_slug(options.name)) return fail("NAME " + *error);
    if (auto error = config::check_project(options.project)) return fail("--project " + *error);

    fs::path folder = find_configuration_paths(options.configuration.folder).apps_folder;
    fs::path file = (folder / (options.name + ".yaml")).lexically_normal();
    std::error_code error;
    if (fs::symlink_status(file, error).type() != fs::file_type::not_found) {
        return fail("the app " + options.name + " already exists: " + file.string());
    }
    std::string text = fmt::format(
        fmt::runtime(scaffold), fmt::arg("name", options.name), fmt::arg("title", make_title(options.name)),
        fmt::arg("project", options.project), fmt::arg("variable", make_variable_name(options.name)));
    auto sources = read_configuration(options.configuration.folder);
    auto diagnostics = find_diagnostics(sources, {file.string(), text}, options.configuration.environment);
    // The rest of the manifest is generated, so an error concerns the name or the project.
    if (!diagnostics.empty()) return fail(diagnostics.front().message);

    fs::create_directories(folder, error);
    if (error) return fail(folder.string() + " cannot be created: " + error.message());
    if (auto created = create_file(file, text); !created) return fail(created.error().message);
    out << "Wrote " << file.string() << ". Edit it, and run `integreat check`.\n";
    return exit_success;
}

void add_tenant_command(CLI::App& app, CommandContext& context) {
    auto* tenant = app.add_subcommand("tenant", "Manage tenants (one application with one manifest each)");
    tenant->require_subcommand(1);
    auto* add = tenant->add_subcommand("add", "Create a manifest to start from, apps/NAME.yaml");
    auto options = bind_command(context, *add, tenant_add);
    add_configuration_option(*add, options->configuration);
    add->add_option("NAME", options->name, "Name of the app: lower-case letters, digits and dashes")
        ->required();
    add->add_option("--project", options->project, "Firebase project ID of the app")->required();
}

}  // namespace integreat::cli
