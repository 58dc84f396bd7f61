// SPDX-License-Identifier: Apache-2.0
#include "net/server/port_owner.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

namespace integreat::net {

namespace {

namespace fs = std::filesystem;

// Adds the inodes of the sockets that listen on the port. A line is "sl local_address rem_address st …"; the
// local address ends in the port in hexadecimal, state 0A is LISTEN, and the tenth word is the inode.
void add_listening_inodes(const char* table, std::uint16_t port, std::set<std::string>& inodes) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // The titles.
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
        words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >>
            inode;
        auto colon = local.rfind(':');
        if (!words || state != "0A" || colon == std::string::npos) continue;
        unsigned number = 0;
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), number, 16);
        if (number == port) inodes.insert("socket:[" + inode + "]");
    }
}

bool has_descriptor(const fs::path& process, const std::set<std::string>& links) {
    std::error_code error;
    for (const auto& descriptor : fs::directory_iterator(process / "fd", error)) {
        auto target = fs::read_symlink(descriptor.path(), error);
        if (!error && links.contains(target.string())) return true;
    }
    return false;
}

}  // namespace

std::optional<PortOwner> find_port_owner(std::uint16_t port) {
    std::set<std::string> inodes;
    add_listening_inodes("/proc/net/tcp", port, inodes);
    add_listening_inodes("/proc/net/tcp6", port, inodes);
    if (inodes.empty()) return std::nullopt;
    std::error_code error;
    for (const auto& process : fs::directory_iterator("/proc", error)) {
        auto text = process.path().filename().string();
        PortOwner owner;
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), owner.pid);
        if (failure != std::errc() || end != text.data() + text.size()) continue;
        if (!has_descriptor(process.path(), inodes)) continue;
        std::getline(std::ifstream(process.path() / "comm"), owner.name);
        return owner;
    }
    return std::nullopt;
}

}  // namespace integreat::net
