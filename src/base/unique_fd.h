// SPDX-License-Identifier: Apache-2.0
// Owns a file descriptor; closes it on destruction.
#pragma once

#include <utility>

#include <unistd.h>

namespace integreat {

class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~UniqueFd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

    // Returns the descriptor without closing it.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    // Closes the descriptor and takes ownership of `fd`.
    void reset(int fd = -1) {
        int old = std::exchange(fd_, fd);
        if (old >= 0) ::close(old);
    }

private:
    int fd_ = -1;  // Negative if there is none, as open() returns on failure.
};

}  // namespace integreat
