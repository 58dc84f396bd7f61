// SPDX-License-Identifier: Apache-2.0
// Errors as values. A Result<T> holds a T or one Error; reading the wrong one stops the process.
// The interface is a subset of std::expected, so that a later switch is mechanical.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace integreat {

// The kind of an error, independent of any protocol. The HTTP status, the exit code of the command line and
// the error codes of AWS and Firebase are derived from it, in one place each.
enum class Fault {
    invalid,          // The caller's input is wrong; sending it again will not help.
    unauthenticated,  // The caller's identity is unknown.
    forbidden,        // The caller is known and lacks the permission.
    not_found,
    conflict,     // The current state does not allow it: already exists, already running, changed meanwhile.
    exhausted,    // A limit or quota is reached; a retry may succeed.
    unavailable,  // A dependency does not respond; a retry may succeed.
    internal,     // A bug in this program.
};

struct Error {
    Fault fault = Fault::internal;
    std::string message;  // Shown to the caller: says what to change, leaks nothing internal.
    std::string cause;    // For the log only: SQLSTATE, upstream response, path.
};

// A value of type T or an error of type E, by default an Error. cloud/ uses it with AwsError.
template <class T = void, class E = Error>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T operator*() && { return std::move(value()); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const E& error() const& {
        ASSERT(!*this);
        return *std::get_if<1>(&state_);
    }
    E error() && {
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

    std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
public:
    Result() = default;
    Result(E error) : error_(std::move(error)) {}

    explicit operator bool() const { return !error_; }
    void operator*() const { ASSERT(*this); }

    const E& error() const& {
        ASSERT(error_);
        return *error_;
    }
    E error() && {
        ASSERT(error_);
        return std::move(*error_);
    }

private:
    std::optional<E> error_;
};

}  // namespace integreat

// Evaluates to the value of `expression`, or returns its error from the enclosing function. Not for
// coroutines: there, name the result and test it (g++ 12 breaks on statement expressions around co_await).
// Not inside the braces of an aggregate either: g++ 12 leaks the members constructed before it.
#define TRY(expression)                                        \
    __extension__({                                            \
        auto try_result = (expression);                        \
        if (!try_result) return std::move(try_result).error(); \
        *std::move(try_result);                                \
    })
