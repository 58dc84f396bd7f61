// SPDX-License-Identifier: Apache-2.0
// State shared between threads, with a lock as the only way in.
#pragma once

#include <mutex>
#include <utility>

namespace integreat {

template <class T>
class Guarded {
public:
    Guarded() = default;
    explicit Guarded(T value) : value_(std::move(value)) {}

    class Access {
    public:
        T& operator*() const { return *value_; }
        T* operator->() const { return value_; }

        // For waiting on a std::condition_variable.
        std::unique_lock<std::mutex>& lock() { return lock_; }

    private:
        friend class Guarded;
        Access(std::mutex& mutex, T& value) : lock_(mutex), value_(&value) {}

        std::unique_lock<std::mutex> lock_;
        T* value_;
    };

    // Holds the lock as long as the returned Access lives: keep it short, call nothing foreign meanwhile.
    Access lock() { return Access(mutex_, value_); }

private:
    std::mutex mutex_;
    T value_;
};

}  // namespace integreat
