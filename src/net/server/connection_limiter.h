// SPDX-License-Identifier: Apache-2.0
// Connection limits per server and per client address, shared by all I/O threads. Checked once per
// connection, not per request.
#pragma once

#include <string>
#include <unordered_map>

#include "base/concurrency/synchronized.h"
#include "net/server/trusted_proxies.h"

namespace integreat::net {

class ConnectionLimiter {
public:
    ConnectionLimiter(int max_connections, int per_client_max)
        : max_(max_connections), per_client_max_(per_client_max) {}

    enum class Decision { admitted, server_full, client_full };
    // Counts a connection. If it is admitted, release() must be called with the same address. `exempt`: the
    // limit per client does not apply.
    Decision acquire(const Address& address, bool exempt);
    void release(const Address& address);

private:
    struct Counts {
        int all = 0;
        std::unordered_map<std::string, int> by_client;
    };
    int max_;
    int per_client_max_;
    Synchronized<Counts> counts_;
};

}  // namespace integreat::net
