// SPDX-License-Identifier: Apache-2.0
// A value with a mutex: the value is accessible only while the mutex is locked.
#pragma once

#include <mutex>
#include <utility>

namespace integreat {

template <class T>
class Synchronized {
public:
    Synchronized() = default;
    explicit Synchronized(T value) : value_(std::move(value)) {}

    class Access {
    public:
        T& operator*() const { return *value_; }
        T* operator->() const { return value_; }

        // Returns the lock, to wait on a std::condition_variable.
        std::unique_lock<std::mutex>& lock() { return lock_; }

    private:
        friend class Synchronized;
        Access(std::mutex& mutex, T& value) : lock_(mutex), value_(&value) {}

        std::unique_lock<std::mutex> lock_;
        T* value_;
    };

    // Locks the mutex until the returned Access is destroyed. Keep that short and call no foreign code
    // meanwhile.
    Access lock() { return Access(mutex_, value_); }

private:
    std::mutex mutex_;
    T value_;
};

}  // namespace integreat
