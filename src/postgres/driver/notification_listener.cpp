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
constexpr milliseconds pause_first{100};
constexpr milliseconds pause_max{5'000};
constexpr milliseconds wait_max{3'600'000};

}  // namespace

Notices::Notices(std::function<Secret()> url, std::string channel)
    : url_(std::move(url)), channel_(std::move(channel)), interrupt_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (interrupt_ < 0) throw std::bad_alloc();
}

Notices::~Notices() {
    close(interrupt_);
}

void Notices::interrupt() {
    // The only way to fail is a counter that is full, which interrupts as well.
    static_cast<void>(eventfd_write(interrupt_, 1));
}

void Notices::rest() {
    connection_.reset();
    pause_ = milliseconds(0);
    retry_at_ = {};
    sleep(milliseconds(-1));
}

// Until the socket has something, the time is over (never, if it is negative), or somebody interrupts.
void Notices::sleep(milliseconds most) {
    std::array<pollfd, 2> watched{pollfd{interrupt_, POLLIN, 0},
                                  pollfd{connection_ ? connection_->socket() : -1, POLLIN, 0}};
    poll(watched.data(), watched.size(), static_cast<int>(std::min(most, wait_max).count()));
    eventfd_t interrupts = 0;
    static_cast<void>(eventfd_read(interrupt_, &interrupts));
}

// True if there is a connection that was not there before.
bool Notices::connect() {
    if (connection_ || steady_clock::now() < retry_at_) return false;
    auto url = url_();
    if (url.empty()) return false;
    auto until = steady_clock::now() + connect_max;
    ConnectFailure failure;
    connection_ = Connection::open(url, until, failure);
    if (connection_ && connection_->script("LISTEN " + quote_identifier(channel_), until)) {
        pause_ = milliseconds(0);
        return true;
    }
    connection_.reset();
    pause_ = std::clamp(pause_ * 2, pause_first, pause_max);
    retry_at_ = steady_clock::now() + pause_;
    return false;
}

Notices::Heard Notices::wait(milliseconds most) {
    Heard heard;
    if (connect()) heard.perhaps_missed = true;
    if (!connection_ && pause_ > milliseconds(0)) most = std::min(most, pause_);
    bool lost = connection_ && !connection_->take_notices(heard.payloads);
    if (lost) connection_.reset();
    if (lost || heard.perhaps_missed || !heard.payloads.empty()) most = milliseconds(0);
    sleep(most);
    if (connection_ && !connection_->take_notices(heard.payloads)) connection_.reset();
    if (!connection_) heard.perhaps_missed = true;
    return heard;
}

}  // namespace integreat::postgres
