// SPDX-License-Identifier: Apache-2.0
// Typed reader of the members of a JSON object. A member with a wrong type or beyond its limit is recorded
// and returned as absent; check() reports all recorded errors. null means absent, as in Google's APIs.
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

class JsonFieldReader {
public:
    explicit JsonFieldReader(const boost::json::object& body) : body_(body) {}

    std::optional<std::string> text(std::string_view name, std::size_t max_bytes = url_bytes_max);
    std::optional<bool> flag(std::string_view name);
    std::optional<std::int64_t> number(std::string_view name);  // Accepts a string of digits too.
    std::vector<std::string> texts(std::string_view name, std::size_t count_max);
    const boost::json::object* object(std::string_view name);
    std::vector<const boost::json::object*> objects(std::string_view name, std::size_t count_max);
    bool has(std::string_view name) const { return find(name) != nullptr; }

    Result<> check() const;

private:
    const boost::json::value* find(std::string_view name) const;
    void add_error(std::string_view name, const std::string& expected);

    const boost::json::object& body_;
    std::string errors_;
};

// Makes an error with Firebase's code: "EMAIL_EXISTS", "WEAK_PASSWORD : Password should be …".
inline Error firebase_error(std::string code) {
    return {Fault::invalid, std::move(code), {}};
}

// Returns the address in lower case; INVALID_EMAIL if it is malformed.
Result<std::string> check_email(std::string_view text);
Result<> check_phone_number(std::string_view text);
// Check custom claims: a JSON object within the size limit and without reserved names; INVALID_CLAIMS,
// CLAIMS_TOO_LARGE, FORBIDDEN_CLAIM.
Result<> check_claims(std::string_view text);
Result<> check_claims(const boost::json::object& claims);
bool is_http_url(std::string_view text);

}  // namespace integreat::firebase
