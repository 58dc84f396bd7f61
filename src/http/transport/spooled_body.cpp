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

Error storage_error(const std::string& folder, const char* step) {
    return {Fault::unavailable, "There is no space for a body of this size at the moment; try again later.",
            std::string(step) + " in " + folder + ": " + std::strerror(errno)};
}

// Uses O_TMPFILE where the file system supports it: then a kill at any moment leaves no file behind.
int open_unnamed_file(const std::string& folder) {
    int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return descriptor;
    auto name = folder + "/integreat-body-XXXXXX";
    descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0 || ::unlink(name.c_str()) == 0) return descriptor;
    ::close(descriptor);
    return -1;
}

}  // namespace

Result<> SpooledBody::write(std::string_view chunk) {
    while (!chunk.empty()) {
        auto count = ::write(file_.get(), chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return storage_error(folder_, "write");
        chunk.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<> SpooledBody::append(std::string_view chunk) {
    if (!file_ && memory_.size() + chunk.size() <= max_memory_bytes) {
        memory_ += chunk;
        size_ += chunk.size();
        return {};
    }
    if (!file_) {
        file_.reset(open_unnamed_file(folder_));
        if (!file_) return storage_error(folder_, "open");
        TRY(write(memory_));
        std::string().swap(memory_);
    }
    TRY(write(chunk));
    size_ += chunk.size();
    return {};
}

Result<> SpooledBody::read(std::uint64_t offset, std::size_t bytes, std::string& to) const {
    bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size_ - std::min(offset, size_)));
    if (!file_) {
        to.assign(memory_, static_cast<std::size_t>(std::min(offset, size_)), bytes);
        return {};
    }
    to.resize(bytes);
    for (std::size_t done = 0; done < bytes;) {
        auto count = ::pread(file_.get(), to.data() + done, bytes - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return storage_error(folder_, "pread");
        done += static_cast<std::size_t>(count);
    }
    return {};
}

}  // namespace integreat::http
