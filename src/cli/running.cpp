// SPDX-License-Identifier: Apache-2.0
#include "cli/running.h"

#include <cerrno>
#include <fstream>
#include <iterator>

#include <signal.h>

#include "json/parse.h"

namespace integreat::cli {

std::optional<Running> find_running(const std::filesystem::path& data) {
    std::ifstream file(data / running_file, std::ios::binary);
    if (!file) return std::nullopt;
    std::string text{std::istreambuf_iterator<char>(file), {}};
    auto parsed = json::parse_object(text);
    if (!parsed) return std::nullopt;
    const auto& object = *parsed;
    auto text_of = [&](const char* name) {
        const auto* value = object.if_contains(name);
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    const auto* pid = object.if_contains("pid");
    if (pid == nullptr || !pid->is_int64()) return std::nullopt;
    Running running{static_cast<int>(pid->get_int64()), text_of("gateway"), text_of("firebase")};
    bool alive = running.pid > 0 && (::kill(running.pid, 0) == 0 || errno == EPERM);
    return alive ? std::optional(running) : std::nullopt;
}

}  // namespace integreat::cli
