// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/notification_listener.h"

#include <algorithm>
#include <array>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "postgres/driver/connection.h"
#include "postgres/driver/identifier.h"

namespace integreat::postgres {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds connect_max{2'000};
constexpr milliseconds retry_delay_first{100};
constexpr milliseconds retry_delay_max{5'000};
constexpr milliseconds poll_timeout_max{3'600'000};

}  // namespace

NotificationListener::NotificationListener(std::function<Secret()> url, std::string channel)
    : url_(std::move(url)), channel_(std::move(channel)), interrupt_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!interrupt_) throw std::bad_alloc();
}

NotificationListener::~NotificationListener() = default;

void NotificationListener::interrupt() {
    // Fails only if the counter is at its maximum, which interrupts as well.
    static_cast<void>(eventfd_write(interrupt_.get(), 1));
}

void NotificationListener::pause() {
    connection_.reset();
    retry_delay_ = milliseconds(0);
    retry_at_ = {};
    sleep(milliseconds(-1));
}

// Waits until the socket is readable, the timeout has passed (never, if it is negative), or interrupt() is
// called.
void NotificationListener::sleep(milliseconds timeout) {
    std::array<pollfd, 2> watched{pollfd{interrupt_.get(), POLLIN, 0},
                                  pollfd{connection_ ? connection_->socket() : -1, POLLIN, 0}};
    poll(watched.data(), watched.size(), static_cast<int>(std::min(timeout, poll_timeout_max).count()));
    eventfd_t interrupts = 0;
    static_cast<void>(eventfd_read(interrupt_.get(), &interrupts));
}

// Returns true if it opened a connection.
bool NotificationListener::connect() {
    if (connection_ || steady_clock::now() < retry_at_) return false;
    auto url = url_();
    if (url.empty()) return false;
    auto until = steady_clock::now() + connect_max;
    ConnectFailure failure;
    connection_ = Connection::open(url, until, failure);
    if (connection_ && connection_->script("LISTEN " + quote_identifier(channel_), until)) {
        retry_delay_ = milliseconds(0);
        return true;
    }
    connection_.reset();
    retry_delay_ = std::clamp(retry_delay_ * 2, retry_delay_first, retry_delay_max);
    retry_at_ = steady_clock::now() + retry_delay_;
    return false;
}

Notifications NotificationListener::wait(milliseconds timeout) {
    Notifications notifications;
    if (connect()) notifications.may_have_gaps = true;
    if (!connection_ && retry_delay_ > milliseconds(0)) timeout = std::min(timeout, retry_delay_);
    bool lost = connection_ && !connection_->receive_notifications(notifications.payloads);
    if (lost) connection_.reset();
    if (lost || notifications.may_have_gaps || !notifications.payloads.empty()) timeout = milliseconds(0);
    sleep(timeout);
    if (connection_ && !connection_->receive_notifications(notifications.payloads)) connection_.reset();
    if (!connection_) notifications.may_have_gaps = true;
    return notifications;
}

}  // namespace integreat::postgres
