// SPDX-License-Identifier: Apache-2.0
// Where the body of a Stream comes from: made piece by piece as fast as the client takes it, so that an
// answer of any length costs the memory of one piece. The transport asks for a piece, sends it, asks again;
// it never asks while a piece is being made or sent. It owns the source and destroys it as soon as the
// stream is over, whichever way: a client that left is noticed also while the source is idle, but never in
// the middle of `produce`, so that must return in bounded time.
//
// Its destructor runs on an I/O thread and must not wait. It may refer to its request and call, which live
// longer, but not to call.transaction.
//
// A source holds nothing scarce from one call to the next (no database connection, no lock): when the next
// call comes, or whether, is up to the client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace integreat::http {

enum class Pace {
    more,    // Call again when these bytes are sent. At least one byte was appended.
    idle,    // Call again after a wake. Bytes may have been appended.
    end,     // These are the last bytes, if any.
    broken,  // The rest cannot be made: the client must see that the body is not whole.
};

// Makes the transport call `produce` again. Any thread may call it, at any time, any number of times, also
// when the stream is long over; it does not block. A wake that comes while `produce` runs is not lost.
using Wake = std::function<void()>;

struct Demand {
    std::size_t bytes;  // About as many are wanted; somewhat more are no harm, they are kept until sent.
    const Wake& wake;   // Copy it before you return `idle`. It is the same at each call of a stream.
};

class BodySource {
public:
    virtual ~BodySource() = default;

    // Appends to `to`. Called by one thread at a time, but not always by the same. An exception is `broken`.
    virtual Pace produce(std::string& to, const Demand& demand) = 0;
};

// Closed when the last who holds it lets go.
class OpenFile {
public:
    explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile();

    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

// Bytes of a file that nobody changes any more, which the transport may pass from kernel to kernel. A file
// that turns out to be shorter is a broken body.
struct FileRegion {
    std::shared_ptr<const OpenFile> file;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

}  // namespace integreat::http
