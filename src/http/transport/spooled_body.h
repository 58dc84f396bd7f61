// SPDX-License-Identifier: Apache-2.0
// A request body that may be too large for memory: written in chunks, read in chunks, as often as needed. A
// small one stays in memory; a larger one is stored in an unnamed file, which the kernel removes with the
// SpooledBody or the process, however that ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message/body_stream.h"

namespace integreat::http {

class SpooledBody {
public:
    static constexpr std::size_t max_memory_bytes = 256 * 1024;

    explicit SpooledBody(std::string folder) : folder_(std::move(folder)) {}

    // Appends to the body. Fault::unavailable if the disk is full or fails.
    Result<> append(std::string_view chunk);

    std::uint64_t size() const { return size_; }

    // Replaces `to` with at most `bytes` bytes from `offset` on; empty at the end.
    Result<> read(std::uint64_t offset, std::size_t bytes, std::string& to) const;

private:
    Result<> write(std::string_view chunk);

    std::string folder_;
    std::string memory_;  // Whole body, until there is a file.
    UniqueFd file_;
    std::uint64_t size_ = 0;
};

}  // namespace integreat::http
