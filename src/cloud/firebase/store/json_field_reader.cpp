// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/store/json_field_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/serialize.hpp>

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

const json::value* Fields::find(std::string_view name) const {
    const auto* value = body_.if_contains(name);
    return value && !value->is_null() ? value : nullptr;
}

void Fields::refuse(std::string_view name, const std::string& expected) {
    if (!mistakes_.empty()) mistakes_ += "; ";
    mistakes_.append(name).append(" must be ").append(expected);
}

std::optional<std::string> Fields::text(std::string_view name, std::size_t bytes_max) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    const auto* text = value->if_string();
    if (!text || text->size() > bytes_max) {
        refuse(name, "a string of at most " + std::to_string(bytes_max) + " bytes");
        return std::nullopt;
    }
    return std::string(*text);
}

std::optional<bool> Fields::flag(std::string_view name) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (value->is_bool()) return value->get_bool();
    refuse(name, "true or false");
    return std::nullopt;
}

std::optional<std::int64_t> Fields::number(std::string_view name) {
    constexpr std::int64_t number_max = 1'000'000'000'000'000;  // Milliseconds far beyond our time.
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
    refuse(name, "a whole number");
    return std::nullopt;
}

std::vector<std::string> Fields::texts(std::string_view name, std::size_t count_max) {
    const auto* value = find(name);
    if (!value) return {};
    const auto* array = value->if_array();
    auto fits = [](const json::value& one) {
        return one.is_string() && one.get_string().size() <= url_bytes_max;
    };
    if (!array || array->size() > count_max || !std::all_of(array->begin(), array->end(), fits)) {
        refuse(name, "a list of at most " + std::to_string(count_max) + " strings");
        return {};
    }
    std::vector<std::string> texts;
    for (const auto& one : *array)
        texts.emplace_back(one.get_string());
    return texts;
}

const json::object* Fields::object(std::string_view name) {
    const auto* value = find(name);
    if (!value) return nullptr;
    if (!value->is_object()) refuse(name, "an object");
    return value->if_object();
}

std::vector<const json::object*> Fields::objects(std::string_view name, std::size_t count_max) {
    const auto* value = find(name);
    if (!value) return {};
    const auto* array = value->if_array();
    auto fits = [](const json::value& one) { return one.is_object(); };
    if (!array || array->size() > count_max || !std::all_of(array->begin(), array->end(), fits)) {
        refuse(name, "a list of at most " + std::to_string(count_max) + " objects");
        return {};
    }
    std::vector<const json::object*> objects;
    for (const auto& one : *array)
        objects.push_back(&one.get_object());
    return objects;
}

Result<> Fields::check() const {
    if (mistakes_.empty()) return {};
    return refusal("INVALID_ARGUMENT : " + mistakes_);
}

Result<std::string> check_email(std::string_view text) {
    auto at = text.find('@');
    bool wrong = text.size() > email_bytes_max || at == 0 || at == std::string_view::npos ||
                 at + 1 == text.size() || at != text.rfind('@') || text.find(' ') != std::string_view::npos ||
                 std::any_of(text.begin(), text.end(), is_control);
    if (wrong) return refusal("INVALID_EMAIL");
    std::string email(text);
    for (auto& character : email) {
        if (character >= 'A' && character <= 'Z') character = static_cast<char>(character | 0x20);
    }
    return email;
}

Result<> check_phone_number(std::string_view text) {
    auto digit = [](char character) { return character >= '0' && character <= '9'; };
    if (text.size() < 4 || text.size() > 16 || text.front() != '+' ||
        !std::all_of(text.begin() + 1, text.end(), digit)) {
        return refusal("INVALID_PHONE_NUMBER : Invalid format.");
    }
    return {};
}

Result<> check_claims(const json::object& claims) {
    for (auto name : reserved_claims) {
        if (claims.contains(name)) return refusal("FORBIDDEN_CLAIM : " + std::string(name));
    }
    if (json::serialize(claims).size() > claims_bytes_max) return refusal("CLAIMS_TOO_LARGE");
    return {};
}

Result<> check_claims(std::string_view text) {
    if (text.size() > claims_bytes_max) return refusal("CLAIMS_TOO_LARGE");
    auto claims = integreat::json::parse_object(text);
    if (!claims) return refusal("INVALID_CLAIMS");
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
