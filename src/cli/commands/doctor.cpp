// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/doctor.h"

#include <array>
#include <ostream>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/commands/dev.h"
#include "cli/runtime/config_loader.h"
#include "cli/runtime/running_instance.h"
#include "postgres/server/installation.h"

namespace integreat::cli {

namespace {

namespace fs = std::filesystem;
using State = Finding::State;

constexpr std::uintmax_t free_bytes_wanted = 500u * 1024 * 1024;
constexpr std::uint64_t open_files_spare = 500;  // Databases, upstreams, logs.

// The folder itself or the nearest of its parents that exists.
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

Finding examine_configuration(const config::Checked<config::Configuration>& configuration) {
    const auto& mistakes = configuration.mistakes;
    if (mistakes.empty()) {
        return {State::good, "configuration", fmt::format("{} apps", configuration.value.manifests.size()),
                ""};
    }
    return {State::broken, "configuration",
            fmt::format("{} mistakes, the first: {}", mistakes.size(), config::to_string(mistakes.front())),
            "integreat check shows them all"};
}

Finding examine_postgres(const fs::path& data) {
    auto installation = postgres::find_installation(data / "postgres" / "data");
    if (!installation) {
        return {State::broken, "Postgres", installation.error().message, "apt-get install postgresql-15"};
    }
    return {State::good, "Postgres",
            fmt::format("version {} in {}", installation->version, installation->binaries.string()), ""};
}

Finding examine_folder(const fs::path& data) {
    auto existing = nearest_existing(data);
    auto here = fs::absolute(data).lexically_normal().string();
    if (!fs::is_directory(existing)) {
        return {State::broken, "data folder", existing.string() + " is not a folder",
                "choose another one with --data"};
    }
    if (::access(existing.c_str(), W_OK | X_OK) != 0) {
        return {State::broken, "data folder",
                fmt::format("{} may not be written: {}", existing.string(), strerror(errno)),
                "choose another one with --data"};
    }
    if (auto closed = closed_parent(data); ::geteuid() == 0 && !closed.empty()) {
        return {
            State::broken, "data folder",
            fmt::format("Postgres runs as the user postgres, who cannot pass through {}", closed.string()),
            "choose another one with --data, for instance --data /var/lib/integreat"};
    }
    std::error_code failure;
    auto space = fs::space(existing, failure);
    if (!failure && space.available < free_bytes_wanted) {
        return {State::doubtful, "data folder",
                fmt::format("only {} MB are free below {}", space.available >> 20, here),
                "make room, or choose another one with --data"};
    }
    return {State::good, "data folder", here, ""};
}

Finding examine_port(const std::string& what, std::uint16_t port, const fs::path& data) {
    auto subject = fmt::format("port {}", port);
    if (port_is_free(port)) return {State::good, subject, fmt::format("free for {}", what), ""};
    if (auto running = find_running(data)) {
        return {State::good, subject, fmt::format("in use by integreat itself (process {})", running->pid),
                ""};
    }
    return {State::broken, subject, fmt::format("another program listens there; {} cannot", what),
            fmt::format("end it (ss -ltnp 'sport = :{}' names it), or start with --ports auto", port)};
}

Finding examine_open_files(std::uint64_t wanted) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < wanted) {
        return {
            State::doubtful, "open files",
            fmt::format("at most {}, but {} connections are allowed to come in", limit.rlim_max, wanted),
            fmt::format("ulimit -Hn {} as root before the start, or lower listen.connections_max", wanted)};
    }
    return {State::good, "open files", fmt::format("up to {}", limit.rlim_max), ""};
}

std::vector<Finding> examine(const DoctorOptions& options) {
    std::vector<Finding> findings{examine_postgres(options.data), examine_folder(options.data)};
    auto configuration = config::load_configuration(read_configuration(options.configuration.folder),
                                                    options.configuration.environment);
    findings.push_back(examine_configuration(configuration));
    findings.push_back(examine_port("the gateway", configuration.value.settings.listen.port, options.data));
    findings.push_back(examine_port("the local Firebase Auth", dev_firebase_port, options.data));
    auto connections = static_cast<std::uint64_t>(configuration.value.settings.listen.connections_max);
    findings.push_back(examine_open_files(connections + open_files_spare));
    return findings;
}

int doctor(const DoctorOptions& options, std::ostream& out, std::ostream&) {
    static constexpr std::array<const char*, 3> marks{"ok     ", "look   ", "BROKEN "};
    int broken = 0;
    for (const auto& finding : examine(options)) {
        out << marks[static_cast<std::size_t>(finding.state)] << finding.subject << ": " << finding.sentence
            << "\n";
        if (!finding.mend.empty()) out << "       to mend it: " << finding.mend << "\n";
        broken += finding.state == State::broken ? 1 : 0;
    }
    out << (broken == 0 ? "Nothing is broken.\n" : fmt::format("{} to mend.\n", broken));
    return broken == 0 ? 0 : 1;
}

}  // namespace integreat::cli
