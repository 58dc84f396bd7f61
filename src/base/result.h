// SPDX-License-Identifier: Apache-2.0
// Errors are values. A Result<T> holds a T or one Error; reading the wrong one stops the process.
// The interface is a subset of std::expected, so that a later switch is mechanical.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace integreat {

// What went wrong, in words that every layer understands. The HTTP status, the exit code of the command
// line and the error codes of AWS and Firebase are derived from it, in one place each.
enum class Fault {
    invalid,          // The caller's input is wrong; sending it again will not help.
    unauthenticated,  // We do not know who is asking.
    forbidden,        // We know, and they may not.
    not_found,
    conflict,     // The state does not allow it now: already exists, already running, changed meanwhile.
    exhausted,    // A limit or a quota was reached; later it may work.
    unavailable,  // Something we depend on does not answer; later it may work.
    internal,     // A bug of ours.
};

struct Error {
    Fault fault = Fault::internal;
    std::string message;  // Shown to the caller: says what to change, leaks nothing.
    std::string cause;    // For our log only: the SQL state, the upstream's answer, the path.
};

template <class T = void>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T operator*() && { return std::move(value()); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const& {
        ASSERT(!*this);
        return *std::get_if<1>(&state_);
    }
    Error error() && {
        ASSERT(!*this);
        return std::move(*std::get_if<1>(&state_));
    }

private:
    T& value() {
        ASSERT(*this);
        return *std::get_if<0>(&state_);
    }
    const T& value() const {
        ASSERT(*this);
        return *std::get_if<0>(&state_);
    }

    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const { return !error_; }
    void operator*() const { ASSERT(*this); }

    const Error& error() const& {
        ASSERT(error_);
        return *error_;
    }
    Error error() && {
        ASSERT(error_);
        return std::move(*error_);
    }

private:
    std::optional<Error> error_;
};

}  // namespace integreat

// The value of `expression`, or return its error from the enclosing function. Not for coroutines: there,
// name the result and test it (g++ 12 breaks on statement expressions around co_await). Not within the braces
// of an aggregate either: g++ 12 leaks the members made before it.
#define TRY(expression)                                        \
    __extension__({                                            \
        auto try_result = (expression);                        \
        if (!try_result) return std::move(try_result).error(); \
        *std::move(try_result);                                \
    })
