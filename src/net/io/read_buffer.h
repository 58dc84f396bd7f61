// SPDX-License-Identifier: Apache-2.0
// Bytes received from a connection and not consumed yet. The buffer is small while the connection waits for a
// request and larger while a body streams, so that idle connections cost little memory.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include "base/assert.h"

namespace integreat::net {

class ReadBuffer {
public:
    static constexpr std::size_t idle_bytes = 2 * 1024;
    static constexpr std::size_t streaming_bytes = 32 * 1024;
    // Maximum number of bytes that a client may send behind its request while it waits for the response.
    static constexpr std::size_t pipelined_bytes_max = 32 * 1024;

    std::string_view unread() const { return {storage_.get() + begin_, end_ - begin_}; }

    // Removes `bytes` from the front of the unread bytes.
    void consume(std::size_t bytes) {
        ASSERT(bytes <= end_ - begin_);
        begin_ += bytes;
        if (begin_ == end_) begin_ = end_ = 0;
    }

    // Returns writable space behind the unread bytes for at least one more byte. The capacity is `bytes` if
    // the unread bytes fit into it. Invalidates views returned by unread().
    boost::asio::mutable_buffer prepare(std::size_t bytes) {
        if (begin_ == end_ && bytes != capacity_) {
            storage_.reset(new char[bytes]);
            capacity_ = bytes;
        } else if (end_ == capacity_) {
            move_to_front(bytes);
        }
        return {storage_.get() + end_, capacity_ - end_};
    }
    // Appends the first `bytes` of the prepared space to the unread bytes.
    void commit(std::size_t bytes) { end_ += bytes; }

private:
    void move_to_front(std::size_t bytes) {
        auto length = end_ - begin_;
        if (length == capacity_ || bytes > capacity_) {
            capacity_ = std::max(bytes, length * 2);
            std::unique_ptr<char[]> larger(new char[capacity_]);
            std::memcpy(larger.get(), storage_.get() + begin_, length);
            storage_ = std::move(larger);
        } else {
            std::memmove(storage_.get(), storage_.get() + begin_, length);
        }
        begin_ = 0;
        end_ = length;
    }

    std::unique_ptr<char[]> storage_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace integreat::net
