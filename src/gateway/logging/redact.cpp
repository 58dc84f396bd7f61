// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/redact.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "http/routing/router.h"
#include "json/value/parse.h"
#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

// Of a name without case, "-", "_", "." and spaces. In the order of the alphabet.
constexpr std::array sensitive_parts{
    std::string_view("accesskey"),      std::string_view("apikey"),      std::string_view("authorization"),
    std::string_view("birthdate"),      std::string_view("cardnumber"),  std::string_view("cookie"),
    std::string_view("credential"),     std::string_view("dateofbirth"), std::string_view("email"),
    std::string_view("idempotencykey"), std::string_view("mobile"),      std::string_view("msisdn"),
    std::string_view("passport"),       std::string_view("passwd"),      std::string_view("password"),
    std::string_view("phone"),          std::string_view("privatekey"),  std::string_view("secret"),
    std::string_view("signature"),      std::string_view("token")};
static_assert(std::ranges::is_sorted(sensitive_parts));

// Where the parts that begin with a letter are: most letters of a name begin none.
struct PartsOfLetter {
    std::size_t first = 0, end = 0;
};
constexpr auto parts_of_letter = [] {
    std::array<PartsOfLetter, 26> found{};
    for (std::size_t i = sensitive_parts.size(); i-- > 0;) {
        auto& parts = found[static_cast<std::size_t>(sensitive_parts[i].front() - 'a')];
        parts.end = std::max(parts.end, i + 1);
        parts.first = i;
    }
    return found;
}();

constexpr std::array sensitive_words{
    std::string_view("key"),       std::string_view("pin"),        std::string_view("otp"),
    std::string_view("cvc"),       std::string_view("cvv"),        std::string_view("ssn"),
    std::string_view("tin"),       std::string_view("sig"),        std::string_view("code"),
    std::string_view("to"),        std::string_view("cc"),         std::string_view("bcc"),
    std::string_view("recipient"), std::string_view("recipients"), std::string_view("xforwardedfor"),
    std::string_view("xrealip"),   std::string_view("forwarded")};
constexpr std::array secret_starts{
    std::string_view("sk_live_"), std::string_view("sk_test_"),   std::string_view("pk_live_"),
    std::string_view("whsk_"),    std::string_view("whsec_"),     std::string_view("ghp_"),
    std::string_view("AKIA"),     std::string_view("ASIA"),       std::string_view("AIza"),
    std::string_view("xoxb-"),    std::string_view("Bearer "),    std::string_view("Basic "),
    std::string_view("itg_"),     std::string_view("-----BEGIN ")};

constexpr std::size_t name_bytes_max = 64;  // Longer names are judged by their beginning.

bool digit(char c) {
    return c >= '0' && c <= '9';
}

bool mail_character(char c) {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("._%+-").find(c) != std::string_view::npos;
}

// Somebody before an "@" and a dot with two characters behind it after it.
bool has_mail_address(std::string_view text) {
    for (auto at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
        if (at == 0 || !mail_character(text[at - 1])) continue;
        auto end = at + 1;
        while (end < text.size() && mail_character(text[end]))
            ++end;
        auto domain = text.substr(at + 1, end - at - 1);
        auto dot = domain.find('.');
        if (dot != std::string_view::npos && dot > 0 && dot + 2 < domain.size()) return true;
    }
    return false;
}

// Header and claims of a JWS in base64url both begin with `{"`.
bool has_jwt(std::string_view text) {
    for (auto at = text.find("eyJ"); at != std::string_view::npos; at = text.find("eyJ", at + 3)) {
        if (text.find(".eyJ", at) != std::string_view::npos) return true;
    }
    return false;
}

// Ten digits and more in a run, with the separators that people put into phone and card numbers. Times of
// the clock in milliseconds have 13 and are not told apart: better one too many.
bool has_long_number(std::string_view text) {
    std::size_t digits = 0, separators = 0;
    for (char c : text) {
        if (digit(c)) {
            ++digits;
            separators = 0;
            if (digits >= 10) return true;
        } else if ((c == ' ' || c == '-' || c == '(' || c == ')') && digits > 0 && ++separators <= 2) {
            continue;
        } else {
            digits = separators = 0;
        }
    }
    return false;
}

// Each field of each request is asked for: a search for one part after the other would read the name often.
bool has_sensitive_part(std::string_view plain) {
    for (; plain.size() > 1; plain.remove_prefix(1)) {
        auto letter = static_cast<std::size_t>(plain[0] - 'a');
        if (letter >= parts_of_letter.size()) continue;
        for (auto i = parts_of_letter[letter].first; i < parts_of_letter[letter].end; ++i) {
            if (plain[1] == sensitive_parts[i][1] && plain.starts_with(sensitive_parts[i])) return true;
        }
    }
    return false;
}

void append_redacted_pair(std::string& to, std::string_view pair) {
    auto equals = pair.find('=');
    if (equals == std::string_view::npos) {
        to += sensitive_value(http::percent_decode(pair, true).value_or(std::string(pair))) ? redacted : pair;
        return;
    }
    auto name = pair.substr(0, equals), value = pair.substr(equals + 1);
    auto plain_name = http::percent_decode(name, true).value_or(std::string(name));
    auto plain_value = http::percent_decode(value, true).value_or(std::string(value));
    bool hide = !value.empty() && (sensitive_name(plain_name) || sensitive_value(plain_value));
    to.append(sensitive_value(plain_name) ? redacted : name).append("=").append(hide ? redacted : value);
}

void append_redacted_path(std::string& to, std::string_view path) {
    bool suspicious = path.find('@') != std::string_view::npos || path.find('%') != std::string_view::npos ||
                      path.find("eyJ") != std::string_view::npos || has_long_number(path) ||
                      path.find('_') != std::string_view::npos;
    if (!suspicious) {
        to += path;
        return;
    }
    while (!path.empty()) {
        auto end = std::min(path.find('/', 1), path.size());
        auto segment = path.substr(1, end - 1);
        auto plain = http::percent_decode(segment).value_or(std::string(segment));
        to.append("/").append(sensitive_value(plain) ? redacted : segment);
        path.remove_prefix(end);
    }
}

void redact(boost::json::value& value) {
    if (auto* object = value.if_object()) {
        for (auto& member : *object) {
            bool hide =
                sensitive_name(member.key()) && !member.value().is_null() && !member.value().is_bool();
            if (hide) {
                member.value() = redacted;
            } else {
                redact(member.value());
            }
        }
    } else if (auto* array = value.if_array()) {
        for (auto& item : *array)
            redact(item);
    } else if (auto* string = value.if_string()) {
        if (sensitive_value(*string)) value = redacted;
    } else if (value.is_number() && has_long_number(boost::json::serialize(value))) {
        value = redacted;
    }
}

}  // namespace

bool sensitive_name(std::string_view name) {
    std::array<char, name_bytes_max> letters;
    std::size_t length = 0;
    for (char c : name) {
        if (c == '-' || c == '_' || c == '.' || c == ' ') continue;
        if (length == letters.size()) break;
        letters[length++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }
    std::string_view plain(letters.data(), length);
    auto equal = [&](std::string_view word) { return plain == word; };
    return std::any_of(sensitive_words.begin(), sensitive_words.end(), equal) || has_sensitive_part(plain);
}

bool sensitive_value(std::string_view value) {
    if (value.size() < 6) return false;
    auto starts = [&](std::string_view start) { return value.starts_with(start); };
    return std::any_of(secret_starts.begin(), secret_starts.end(), starts) || has_mail_address(value) ||
           has_jwt(value) || has_long_number(value);
}

void append_redacted_target(std::string& to, std::string_view target) {
    auto mark = std::min(target.find('?'), target.size());
    append_redacted_path(to, target.substr(0, mark));
    auto query = target.substr(mark);
    for (char before = '?'; !query.empty(); before = '&') {
        query.remove_prefix(1);
        to += before;
        auto end = std::min(query.find('&'), query.size());
        append_redacted_pair(to, query.substr(0, end));
        query.remove_prefix(end);
    }
}

void append_redacted_headers(std::string& to, const http::Headers& headers) {
    to += '{';
    for (bool first = true; auto [name, value] : headers) {
        if (!first) to += ',';
        first = false;
        json::append_json(to, name);
        to += ':';
        json::append_json(to, sensitive_name(name) || sensitive_value(value) ? redacted : value);
    }
    to += '}';
}

std::string redact_body(std::string_view body, std::size_t bytes_max) {
    if (body.empty()) return {};
    auto parsed = json::parse(body);
    if (!parsed) return "[" + std::to_string(body.size()) + " bytes, not JSON]";
    redact(*parsed);
    auto text = boost::json::serialize(*parsed);
    if (text.size() <= bytes_max) return text;
    text.resize(bytes_max);
    return text += "[cut]";
}

}  // namespace integreat::gateway
