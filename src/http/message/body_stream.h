// SPDX-License-Identifier: Apache-2.0
// The body of a StreamingResponse, read chunk by chunk as fast as the client receives it, so that a response
// of any length costs the memory of one chunk. The transport reads a chunk, sends it, and reads again; it
// never reads while a chunk is being produced or sent. It owns the BodyStream and destroys it as soon as the
// response has ended, whether completely or not: a disconnect is noticed also while the stream is pending,
// but never during `read`, so `read` must return in bounded time.
//
// The destructor runs on an I/O thread and must not block. A BodyStream may refer to its request and
// RequestContext, which live longer, but not to RequestContext::transaction.
//
// A BodyStream holds no scarce resource between two reads (no database connection, no lock): the client
// decides when the next read comes, or whether it comes at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/unique_fd.h"

namespace integreat::http {

enum class ReadStatus {
    ready,    // Read again when these bytes are sent. At least one byte was appended.
    pending,  // Read again after the waker was called. Bytes may have been appended.
    eof,      // End of the body. The last bytes may have been appended.
    error,    // The rest cannot be produced: the transport aborts the response, so that the client notices.
};

// Makes the transport call `read` again. Any thread may call it, at any time, any number of times, also long
// after the response has ended; it does not block. A call during `read` is not lost.
using Waker = std::function<void()>;

struct ReadRequest {
    std::size_t bytes;   // Preferred chunk size in bytes; a larger chunk is buffered until it is sent.
    const Waker& waker;  // To be copied before `read` returns `pending`. The same one for the whole response.
};

class BodyStream {
public:
    virtual ~BodyStream() = default;

    // Appends to `to`. Called by one thread at a time, but not always by the same. An exception means
    // `error`.
    virtual ReadStatus read(std::string& to, const ReadRequest& request) = 0;
};

// A byte range of an immutable file, which the transport may send with sendfile(2). A file that turns out to
// be shorter aborts the response.
struct FileRegion {
    std::shared_ptr<const UniqueFd> file;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

}  // namespace integreat::http
