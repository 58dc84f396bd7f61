// SPDX-License-Identifier: Apache-2.0
// What a database announces on one channel (NOTIFY), heard on a connection of its own, since a pooled one is
// somebody else's after each transaction. It may be lost and comes back by itself; whoever waits is told that
// something may have been missed meanwhile, and looks for itself.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/secret.h"
#include "base/time.h"

namespace integreat::postgres {

class Connection;

class Notices {
public:
    // `url` is asked before each connection. While it is empty nothing is heard: waits end by time or
    // interrupt.
    Notices(std::function<Secret()> url, std::string channel);
    ~Notices();
    Notices(const Notices&) = delete;

    struct Heard {
        std::set<std::string> payloads;
        bool perhaps_missed = false;  // The connection is new, or there is none.
    };

    // Until something is heard, the time is over, or interrupt() was called since the last wait. One thread
    // waits; it also connects here, for at most two seconds at a time.
    Heard wait(std::chrono::milliseconds most);

    bool connected() const { return connection_ != nullptr; }
    void rest();  // Closes the connection until interrupt() is called.

    void interrupt();  // Any thread may.

private:
    bool connect();
    void sleep(std::chrono::milliseconds most);

    std::function<Secret()> url_;
    std::string channel_;
    std::unique_ptr<Connection> connection_;
    int interrupt_;  // eventfd
    Monotonic retry_at_;
    std::chrono::milliseconds pause_{0};
};

}  // namespace integreat::postgres
