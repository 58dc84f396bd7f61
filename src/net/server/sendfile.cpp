// SPDX-License-Identifier: Apache-2.0
// The part of a stream that comes from a file: with sendfile(2) its bytes never enter this process.
#include <algorithm>
#include <cerrno>

#include <sys/sendfile.h>
#include <unistd.h>

#include "net/server/response_streamer.h"

namespace integreat::net {

namespace {

// Of one system call; also how long the thread is kept from other clients.
constexpr std::size_t sent_at_once = 1024 * 1024;
constexpr std::size_t piece_bytes = 64 * 1024;

}  // namespace

bool Streaming::read_region(std::size_t bytes_max) {
    const auto& region = std::get<http::FileRegion>(what_.body);
    piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(region.length - made_, bytes_max)));
    for (std::size_t done = 0; done < piece_.size();) {
        auto bytes = ::pread(region.file->descriptor(), piece_.data() + done, piece_.size() - done,
                             static_cast<off_t>(region.offset + made_ + done));
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes <= 0) return false;
        done += static_cast<std::size_t>(bytes);
    }
    made_ += piece_.size();
    return true;
}

Awaitable<bool> Streaming::run_region() {
    const auto length = std::get<http::FileRegion>(what_.body).length;
    for (;;) {
        auto bytes = piece_.size();
        bool sent = co_await send();
        if (!sent) co_return false;
        body_bytes_ += bytes;
        if (made_ == length) co_return true;
        if (!client_.secure()) co_return co_await send_region();
        co_await yield();
        if (!read_region(piece_bytes)) co_return break_off("its file is shorter than its region");
    }
}

// A client must take a piece within write_timeout, as of any other answer.
Awaitable<bool> Streaming::send_region() {
    const auto& region = std::get<http::FileRegion>(what_.body);
    const auto write_timeout = worker_.parts.settings.write_timeout;
    auto deadline = now() + write_timeout;
    std::size_t since_deadline = 0;
    while (made_ < region.length) {
        auto offset = static_cast<off_t>(region.offset + made_);
        auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(region.length - made_, sent_at_once));
        auto bytes = ::sendfile(client_.socket().native_handle(), region.file->descriptor(), &offset, wanted);
        if (bytes == 0 || (bytes < 0 && errno == EIO)) {
            co_return break_off("its file is shorter than its region, or cannot be read");
        }
        if (bytes < 0 && errno == EINTR) continue;
        gone_ = bytes < 0 && errno != EAGAIN;
        if (gone_) co_return false;
        auto count = static_cast<std::size_t>(std::max<ssize_t>(bytes, 0));
        made_ += count;
        body_bytes_ += count;
        worker_.bytes_out += count;
        since_deadline += count;
        if (since_deadline >= piece_bytes) {
            since_deadline = 0;
            deadline = now() + write_timeout;
        }
        if (count == wanted) {
            co_await yield();
            continue;
        }
        client_.expire_at(deadline);  // Less was taken than there was: the kernel's buffer is full.
        error_code error;
        co_await client_.wait_writable(error);
        if (!error) continue;
        if (client_.expired()) worker_.parts.metrics.timeouts_write.add();
        gone_ = true;
        co_return false;
    }
    co_return true;
}

}  // namespace integreat::net
