// SPDX-License-Identifier: Apache-2.0
// A refusal in AWS's words: the code that SDKs turn into an exception's name, the message that people search
// for, and the status. The protocol's envelope (XML, JSON) is put around it in one place, protocol.cpp.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace integreat::cloud {

struct AwsError {
    int status = 400;
    std::string code;     // "AccessDenied", "NotAuthorizedException"
    std::string message;  // AWS's own sentence.
    // Further elements of S3's <Error>: {"BucketName", "a-bucket"}. Resource, RequestId and HostId are added.
    std::vector<std::pair<std::string, std::string>> details = {};
    // Of the answer: what S3 says about a delete marker that is in the way.
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string cause = {};  // For our log and `integreat why` only.
};

// A T or an AwsError, for TRY: what a Result is to an Error.
template <class T = void>
class [[nodiscard]] Outcome {
public:
    Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Outcome(AwsError error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }

    T& operator*() & { return *checked(); }
    T operator*() && { return std::move(*checked()); }
    T* operator->() { return checked(); }

    AwsError error() && {
        ASSERT(!*this);
        return std::move(*std::get_if<1>(&state_));
    }

private:
    T* checked() {
        ASSERT(*this);
        return std::get_if<0>(&state_);
    }

    std::variant<T, AwsError> state_;
};

template <>
class [[nodiscard]] Outcome<void> {
public:
    Outcome() = default;
    Outcome(AwsError error) : error_(std::move(error)) {}
    Outcome(std::optional<AwsError> error) : error_(std::move(error)) {}

    explicit operator bool() const { return !error_; }
    void operator*() const { ASSERT(!error_); }
    AwsError error() && {
        ASSERT(error_);
        return std::move(*error_);
    }

private:
    std::optional<AwsError> error_;
};

// What was not foreseen: a database that does not answer (503 ServiceUnavailable), a bug of ours (500
// InternalFailure; S3 says InternalError). Fault::invalid and its like become 400 ValidationException.
AwsError from_error(const Error& error);

}  // namespace integreat::cloud
