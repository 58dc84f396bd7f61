// SPDX-License-Identifier: Apache-2.0
// Finds the process that listens on a TCP port, to name it when the port is taken: proc(5), /proc/net/tcp and
// the file descriptors of the processes that this user may inspect.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace integreat::net {

struct PortOwner {
    int pid = 0;
    std::string name;  // From /proc/PID/comm, at most 15 bytes.
};

std::optional<PortOwner> find_port_owner(std::uint16_t port);

}  // namespace integreat::net
