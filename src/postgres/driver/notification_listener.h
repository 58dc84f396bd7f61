// SPDX-License-Identifier: Apache-2.0
// Listens for the notifications of one channel (LISTEN, NOTIFY), on a connection of its own: a pooled one is
// given to another caller after each transaction. Reconnects after a lost connection and reports that
// notifications may have been missed meanwhile.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/secret.h"
#include "base/time.h"
#include "base/unique_fd.h"

namespace integreat::postgres {

class Connection;

struct Notifications {
    std::set<std::string> payloads;
    bool may_have_gaps = false;  // The connection is new, or there is none.
};

class NotificationListener {
public:
    // `url` is called before each connection attempt. While it returns an empty URL there is no connection,
    // and waits end by timeout or interrupt.
    NotificationListener(std::function<Secret()> url, std::string channel);
    ~NotificationListener();
    NotificationListener(const NotificationListener&) = delete;

    // Waits until there is a notification, `timeout` has passed, or interrupt() was called since the last
    // wait. For one thread only; it also connects here, which takes at most two seconds.
    Notifications wait(std::chrono::milliseconds timeout);

    bool connected() const { return connection_ != nullptr; }
    void pause();  // Closes the connection and waits until interrupt() is called.

    void interrupt();  // Thread-safe.

private:
    bool connect();
    void sleep(std::chrono::milliseconds timeout);

    std::function<Secret()> url_;
    std::string channel_;
    std::unique_ptr<Connection> connection_;
    UniqueFd interrupt_;  // An eventfd.
    Monotonic retry_at_;
    std::chrono::milliseconds retry_delay_{0};
};

}  // namespace integreat::postgres
