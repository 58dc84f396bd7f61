// SPDX-License-Identifier: Apache-2.0
#include "cli/configuration/doctor.h"

#include <array>
#include <ostream>

#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/runtime/config_loader.h"
#include "cli/runtime/running_instance.h"
#include "cli/servers/dev.h"
#include "postgres/server/installation.h"

namespace integreat::cli {

namespace {

namespace fs = std::filesystem;
using Severity = Finding::Severity;

constexpr std::uintmax_t free_bytes_min = 500u * 1024 * 1024;
constexpr std::uint64_t open_files_spare = 500;  // For databases, upstreams and logs.

// Returns the folder itself or its nearest existing parent.
fs::path nearest_existing(fs::path folder) {
    folder = fs::absolute(folder).lexically_normal();
    while (!fs::exists(folder) && folder.has_parent_path() && folder != folder.parent_path()) {
        folder = folder.parent_path();
    }
    return folder;
}

bool port_is_free(std::uint16_t port) {
    int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return false;
    int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool free = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return free;
}

}  // namespace

Finding check_configuration(const config::Validated<config::Configuration>& configuration) {
    const auto& diagnostics = configuration.errors;
    if (diagnostics.empty()) {
        return {Severity::ok, "configuration", format_count(configuration.value.manifests.size(), "app"), ""};
    }
    return {Severity::error, "configuration",
            fmt::format("{}, the first: {}", format_count(diagnostics.size(), "error"),
                        config::to_string(diagnostics.front())),
            "run integreat check to list all errors"};
}

Finding check_postgres(const fs::path& data) {
    auto installation = postgres::find_installation(data / "postgres" / "data");
    if (!installation) {
        return {Severity::error, "Postgres", installation.error().message, "apt-get install postgresql-15"};
    }
    return {Severity::ok, "Postgres",
            fmt::format("version {} in {}", installation->version, installation->binaries.string()), ""};
}

Finding check_data_folder(const fs::path& data) {
    auto existing = nearest_existing(data);
    auto here = fs::absolute(data).lexically_normal().string();
    if (!fs::is_directory(existing)) {
        return {Severity::error, "data folder", existing.string() + " is not a folder",
                "choose another folder with --data"};
    }
    if (::access(existing.c_str(), W_OK | X_OK) != 0) {
        return {Severity::error, "data folder",
                fmt::format("{} is not writable: {}", existing.string(), strerror(errno)),
                "choose another folder with --data"};
    }
    if (auto closed = find_untraversable_parent(data); ::geteuid() == 0 && !closed.empty()) {
        return {Severity::error, "data folder",
                fmt::format("Postgres runs as the user postgres, who may not traverse {}", closed.string()),
                "choose another folder with --data, for example --data /var/lib/integreat"};
    }
    std::error_code failure;
    auto space = fs::space(existing, failure);
    if (!failure && space.available < free_bytes_min) {
        return {Severity::warning, "data folder",
                fmt::format("only {} MB are free in {}", space.available >> 20, here),
                "free disk space, or choose another folder with --data"};
    }
    return {Severity::ok, "data folder", here, ""};
}

Finding check_port(const std::string& service, std::uint16_t port, const fs::path& data) {
    auto subject = fmt::format("port {}", port);
    if (port_is_free(port)) return {Severity::ok, subject, fmt::format("free for {}", service), ""};
    if (auto running = find_running_instance(data)) {
        return {Severity::ok, subject, fmt::format("in use by integreat (process {})", running->pid), ""};
    }
    return {Severity::error, subject, fmt::format("in use by another program, but needed by {}", service),
            fmt::format("stop that program (find it with ss -ltnp 'sport = :{}'), or start with --ports auto",
                        port)};
}

Finding check_open_files(std::uint64_t needed) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < needed) {
        return {Severity::warning, "open files",
                fmt::format("the limit is {}, but {} may be needed", limit.rlim_max, needed),
                fmt::format("run ulimit -Hn {} as root before the start, or reduce listen.max_connections",
                            needed)};
    }
    return {Severity::ok, "open files", fmt::format("up to {}", limit.rlim_max), ""};
}

std::vector<Finding> run_checks(const DoctorOptions& options) {
    std::vector<Finding> findings{check_postgres(options.data), check_data_folder(options.data)};
    auto configuration = config::load_configuration(read_configuration(options.configuration.folder),
                                                    options.configuration.environment);
    findings.push_back(check_configuration(configuration));
    findings.push_back(check_port("the gateway", configuration.value.settings.listen.port, options.data));
    findings.push_back(check_port("the local Firebase Auth", default_firebase_port, options.data));
    auto connections = static_cast<std::uint64_t>(configuration.value.settings.listen.max_connections);
    findings.push_back(check_open_files(connections + open_files_spare));
    return findings;
}

int doctor(const DoctorOptions& options, std::ostream& out, std::ostream&) {
    static constexpr std::array<const char*, 3> labels{"ok       ", "warning  ", "ERROR    "};
    std::size_t errors = 0;
    for (const auto& finding : run_checks(options)) {
        out << labels[static_cast<std::size_t>(finding.severity)] << finding.subject << ": "
            << finding.message << "\n";
        if (!finding.fix.empty()) out << "         fix: " << finding.fix << "\n";
        errors += finding.severity == Severity::error ? 1 : 0;
    }
    out << (errors == 0 ? "No errors found.\n" : format_count(errors, "error") + " found.\n");
    return errors == 0 ? exit_success : exit_failure;
}

void add_doctor_command(CLI::App& app, CommandContext& context) {
    auto* command =
        app.add_subcommand("doctor", "Find problems of this machine or configuration, with fixes");
    auto options = bind_command(context, *command, doctor);
    add_configuration_option(*command, options->configuration);
    add_data_option(*command, options->data);
}

}  // namespace integreat::cli
