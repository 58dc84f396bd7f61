// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/running_instance.h"

#include <cerrno>
#include <fstream>
#include <iterator>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json/value/parse.h"

namespace integreat::cli {

std::filesystem::path find_untraversable_parent(const std::filesystem::path& folder) {
    std::filesystem::path prefix;
    for (const auto& part : std::filesystem::absolute(folder).lexically_normal().parent_path()) {
        prefix /= part;
        struct stat status {};
        if (::stat(prefix.c_str(), &status) == 0 && (status.st_mode & S_IXOTH) == 0) return prefix;
    }
    return {};
}

std::filesystem::path default_data_folder() {
    const std::filesystem::path here = ".integreat";
    if (::geteuid() != 0 || find_untraversable_parent(here / "postgres").empty()) return here;
    return "/var/lib/integreat";
}

std::optional<RunningInstance> find_running_instance(const std::filesystem::path& data) {
    std::ifstream file(data / running_file, std::ios::binary);
    if (!file) return std::nullopt;
    std::string text{std::istreambuf_iterator<char>(file), {}};
    auto parsed = json::parse_object(text);
    if (!parsed) return std::nullopt;
    const auto& object = *parsed;
    auto member = [&](const char* name) {
        const auto* value = object.if_contains(name);
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    const auto* pid = object.if_contains("pid");
    if (pid == nullptr || !pid->is_int64()) return std::nullopt;
    RunningInstance running{static_cast<int>(pid->get_int64()), member("gateway"), member("firebase"),
                            member("aws")};
    bool alive = running.pid > 0 && (::kill(running.pid, 0) == 0 || errno == EPERM);
    return alive ? std::optional(running) : std::nullopt;
}

}  // namespace integreat::cli
