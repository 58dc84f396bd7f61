// SPDX-License-Identifier: Apache-2.0
// The body of a request that may be too large to be held: it comes in pieces, and is read in pieces, as
// often as needed. A small one stays in memory; a larger one lies in a file without a name, which goes when
// the spool goes and when the process does, however that ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message/body_stream.h"

namespace integreat::http {

class Spool {
public:
    static constexpr std::size_t memory_bytes_max = 256 * 1024;

    explicit Spool(std::string folder) : folder_(std::move(folder)) {}

    // Fault::unavailable if the disk does not take it.
    Result<> append(std::string_view piece);

    std::uint64_t size() const { return size_; }

    // Replaces `to` by at most `bytes` from `offset` on; empty at the end.
    Result<> read(std::uint64_t offset, std::size_t bytes, std::string& to) const;

private:
    Result<> write(std::string_view piece);

    std::string folder_;
    std::string memory_;  // All of it, until there is a file.
    std::unique_ptr<OpenFile> file_;
    std::uint64_t size_ = 0;
};

}  // namespace integreat::http
