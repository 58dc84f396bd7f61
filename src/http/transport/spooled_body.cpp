// SPDX-License-Identifier: Apache-2.0
#include "http/transport/spooled_body.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace integreat::http {

namespace {

Error no_room(const std::string& folder, const char* step) {
    return {Fault::unavailable, "There is no room for a body of this size at the moment; try again later.",
            std::string(step) + " in " + folder + ": " + std::strerror(errno)};
}

// Where the file system makes files without names, there is no moment at which a kill leaves one behind.
int open_nameless(const std::string& folder) {
    int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return descriptor;
    auto name = folder + "/integreat-body-XXXXXX";
    descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0 || ::unlink(name.c_str()) == 0) return descriptor;
    ::close(descriptor);
    return -1;
}

}  // namespace

Result<> Spool::write(std::string_view piece) {
    while (!piece.empty()) {
        auto done = ::write(file_->descriptor(), piece.data(), piece.size());
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return no_room(folder_, "write");
        piece.remove_prefix(static_cast<std::size_t>(done));
    }
    return {};
}

Result<> Spool::append(std::string_view piece) {
    if (!file_ && memory_.size() + piece.size() <= memory_bytes_max) {
        memory_ += piece;
        size_ += piece.size();
        return {};
    }
    if (!file_) {
        int descriptor = open_nameless(folder_);
        if (descriptor < 0) return no_room(folder_, "open");
        file_ = std::make_unique<OpenFile>(descriptor);
        TRY(write(memory_));
        std::string().swap(memory_);
    }
    TRY(write(piece));
    size_ += piece.size();
    return {};
}

Result<> Spool::read(std::uint64_t offset, std::size_t bytes, std::string& to) const {
    bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size_ - std::min(offset, size_)));
    if (!file_) {
        to.assign(memory_, static_cast<std::size_t>(std::min(offset, size_)), bytes);
        return {};
    }
    to.resize(bytes);
    for (std::size_t done = 0; done < bytes;) {
        auto got =
            ::pread(file_->descriptor(), to.data() + done, bytes - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return no_room(folder_, "pread");
        done += static_cast<std::size_t>(got);
    }
    return {};
}

}  // namespace integreat::http
