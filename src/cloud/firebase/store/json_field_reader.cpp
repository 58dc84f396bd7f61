// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/store/json_field_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/serialize.hpp>

#include "base/text/ascii.h"
#include "json/value/parse.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

// https://firebase.google.com/docs/auth/admin/create-custom-tokens
constexpr std::array<std::string_view, 16> reserved_claims{
    "acr", "amr",      "at_hash", "aud", "auth_time", "azp", "c_hash", "cnf",
    "exp", "firebase", "iat",     "iss", "jti",       "nbf", "nonce",  "sub"};

bool is_control(char character) {
    return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
}

}  // namespace

const json::value* JsonFieldReader::find(std::string_view name) const {
    const auto* value = body_.if_contains(name);
    return value && !value->is_null() ? value : nullptr;
}

void JsonFieldReader::add_error(std::string_view name, const std::string& expected) {
    if (!errors_.empty()) errors_ += "; ";
    errors_.append(name).append(" must be ").append(expected);
}

std::optional<std::string> JsonFieldReader::text(std::string_view name, std::size_t max_bytes) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    const auto* text = value->if_string();
    if (!text || text->size() > max_bytes) {
        add_error(name, "a string of at most " + std::to_string(max_bytes) + " bytes");
        return std::nullopt;
    }
    return std::string(*text);
}

std::optional<bool> JsonFieldReader::flag(std::string_view name) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (value->is_bool()) return value->get_bool();
    add_error(name, "true or false");
    return std::nullopt;
}

std::optional<std::int64_t> JsonFieldReader::number(std::string_view name) {
    constexpr std::int64_t number_max = 1'000'000'000'000'000;  // In milliseconds; far in the future.
    const auto* value = find(name);
    if (!value) return std::nullopt;
    std::int64_t number = -1;
    if (const auto* integer = value->if_int64()) {
        number = *integer;
    } else if (const auto* text = value->if_string()) {
        auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
        if (failure != std::errc() || end != text->data() + text->size()) number = -1;
    }
    if (number >= 0 && number <= number_max) return number;
    add_error(name, "a whole number");
    return std::nullopt;
}

std::vector<std::string> JsonFieldReader::texts(std::string_view name, std::size_t count_max) {
    const auto* value = find(name);
    if (!value) return {};
    const auto* array = value->if_array();
    auto is_valid = [](const json::value& element) {
        return element.is_string() && element.get_string().size() <= url_bytes_max;
    };
    if (!array || array->size() > count_max || !std::all_of(array->begin(), array->end(), is_valid)) {
        add_error(name, "a list of at most " + std::to_string(count_max) + " strings");
        return {};
    }
    std::vector<std::string> texts;
    for (const auto& element : *array)
        texts.emplace_back(element.get_string());
    return texts;
}

const json::object* JsonFieldReader::object(std::string_view name) {
    const auto* value = find(name);
    if (!value) return nullptr;
    if (!value->is_object()) add_error(name, "an object");
    return value->if_object();
}

std::vector<const json::object*> JsonFieldReader::objects(std::string_view name, std::size_t count_max) {
    const auto* value = find(name);
    if (!value) return {};
    const auto* array = value->if_array();
    auto is_valid = [](const json::value& element) { return element.is_object(); };
    if (!array || array->size() > count_max || !std::all_of(array->begin(), array->end(), is_valid)) {
        add_error(name, "a list of at most " + std::to_string(count_max) + " objects");
        return {};
    }
    std::vector<const json::object*> objects;
    for (const auto& element : *array)
        objects.push_back(&element.get_object());
    return objects;
}

Result<> JsonFieldReader::check() const {
    if (errors_.empty()) return {};
    return firebase_error("INVALID_ARGUMENT : " + errors_);
}

Result<std::string> check_email(std::string_view text) {
    auto at = text.find('@');
    bool malformed = text.size() > email_bytes_max || at == 0 || at == std::string_view::npos ||
                     at + 1 == text.size() || at != text.rfind('@') ||
                     text.find(' ') != std::string_view::npos ||
                     std::any_of(text.begin(), text.end(), is_control);
    if (malformed) return firebase_error("INVALID_EMAIL");
    return to_lower(text);
}

Result<> check_phone_number(std::string_view text) {
    auto digit = [](char character) { return character >= '0' && character <= '9'; };
    if (text.size() < 4 || text.size() > 16 || text.front() != '+' ||
        !std::all_of(text.begin() + 1, text.end(), digit)) {
        return firebase_error("INVALID_PHONE_NUMBER : Invalid format.");
    }
    return {};
}

Result<> check_claims(const json::object& claims) {
    for (auto name : reserved_claims) {
        if (claims.contains(name)) return firebase_error("FORBIDDEN_CLAIM : " + std::string(name));
    }
    if (json::serialize(claims).size() > claims_bytes_max) return firebase_error("CLAIMS_TOO_LARGE");
    return {};
}

Result<> check_claims(std::string_view text) {
    if (text.size() > claims_bytes_max) return firebase_error("CLAIMS_TOO_LARGE");
    auto claims = integreat::json::parse_object(text);
    if (!claims) return firebase_error("INVALID_CLAIMS");
    return check_claims(*claims);
}

bool is_http_url(std::string_view text) {
    auto rest = text.starts_with("https://")  ? text.substr(8)
                : text.starts_with("http://") ? text.substr(7)
                                              : "";
    bool has_host = !rest.empty() && rest.front() != '/' && rest.front() != '?' && rest.front() != '#';
    return has_host && text.size() <= url_bytes_max && text.find(' ') == std::string_view::npos &&
           std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace integreat::firebase
