// SPDX-License-Identifier: Apache-2.0
// Typed reading of a request's JSON object. A field of the wrong type or beyond its limit is remembered and
// reads as absent; check() reports all of them at once. null is absent, as in Google's APIs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.h"
#include "cloud/firebase/store/limits.h"

namespace integreat::firebase {

class Fields {
public:
    explicit Fields(const boost::json::object& body) : body_(body) {}

    std::optional<std::string> text(std::string_view name, std::size_t bytes_max = url_bytes_max);
    std::optional<bool> flag(std::string_view name);
    std::optional<std::int64_t> number(std::string_view name);  // Also as a string of digits.
    std::vector<std::string> texts(std::string_view name, std::size_t count_max);
    const boost::json::object* object(std::string_view name);
    std::vector<const boost::json::object*> objects(std::string_view name, std::size_t count_max);
    bool has(std::string_view name) const { return find(name) != nullptr; }

    Result<> check() const;

private:
    const boost::json::value* find(std::string_view name) const;
    void refuse(std::string_view name, const std::string& expected);

    const boost::json::object& body_;
    std::string mistakes_;
};

// A refusal in Firebase's words: "EMAIL_EXISTS", "WEAK_PASSWORD : Password should be …".
inline Error refusal(std::string code) {
    return {Fault::invalid, std::move(code), {}};
}

// Lower case; INVALID_EMAIL unless it can be an address.
Result<std::string> check_email(std::string_view text);
Result<> check_phone_number(std::string_view text);
// INVALID_CLAIMS, CLAIMS_TOO_LARGE or FORBIDDEN_CLAIM unless it is the text of a permitted JSON object.
Result<> check_claims(std::string_view text);
Result<> check_claims(const boost::json::object& claims);
bool is_http_url(std::string_view text);

}  // namespace integreat::firebase
