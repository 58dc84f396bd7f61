// SPDX-License-Identifier: Apache-2.0
// S3's refusals, with the codes and sentences that its users search for:
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/result.h"
#include "cloud/aws/core/aws_error.h"

namespace integreat::s3 {

using cloud::AwsError;

// What was not foreseen, in S3's words.
AwsError from_error(const Error& error);

// As Result, but what is wrong is said in AWS's words. TRY works with both.
template <class T = std::monostate>
class [[nodiscard]] Tried {
public:
    Tried() requires std::is_same_v<T, std::monostate>
    = default;
    Tried(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Tried(AwsError error) : state_(std::in_place_index<1>, std::move(error)) {}
    Tried(const Error& error) : state_(std::in_place_index<1>, from_error(error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    T& operator*() & { return value(); }
    T operator*() && { return std::move(value()); }
    T* operator->() { return &value(); }
    AwsError error() && {
        ASSERT(!*this);
        return std::move(*std::get_if<1>(&state_));
    }

private:
    T& value() {
        ASSERT(*this);
        return *std::get_if<0>(&state_);
    }
    std::variant<T, AwsError> state_;
};

AwsError no_such_bucket(std::string_view bucket);
AwsError no_such_key(std::string_view key);
AwsError no_such_version(std::string_view key, std::string_view version);
AwsError no_such_upload(std::string_view upload_id);
AwsError malformed_xml();
AwsError invalid_argument(std::string message, std::string_view name, std::string_view value);
AwsError invalid_request(std::string message);
AwsError precondition_failed(std::string_view condition);
AwsError access_denied(std::string cause);
AwsError invalid_digest();
AwsError bad_digest(std::string_view expected, std::string_view calculated);
AwsError entity_too_large(std::uint64_t proposed, std::uint64_t allowed);
AwsError method_not_allowed(std::string_view method, std::string_view resource_type);
AwsError not_implemented(std::string_view what);
AwsError invalid_tag(std::string message);
AwsError key_too_long(std::size_t size);

}  // namespace integreat::s3
