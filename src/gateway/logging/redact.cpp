// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/redact.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "base/text/ascii.h"
#include "http/routing/target.h"
#include "json/value/parse.h"
#include "json/value/writer.h"

namespace integreat::gateway {

namespace {

// Sensitive substrings of a name in lower case without "-", "_", "." and spaces. In alphabetical order.
constexpr std::array sensitive_parts{
    std::string_view("accesskey"),      std::string_view("apikey"),      std::string_view("authorization"),
    std::string_view("birthdate"),      std::string_view("cardnumber"),  std::string_view("cookie"),
    std::string_view("credential"),     std::string_view("dateofbirth"), std::string_view("email"),
    std::string_view("idempotencykey"), std::string_view("mobile"),      std::string_view("msisdn"),
    std::string_view("passport"),       std::string_view("passwd"),      std::string_view("password"),
    std::string_view("phone"),          std::string_view("privatekey"),  std::string_view("secret"),
    std::string_view("signature"),      std::string_view("token")};
static_assert(std::ranges::is_sorted(sensitive_parts));

// The range of sensitive_parts with the same first letter; empty for most letters.
struct PartRange {
    std::size_t first = 0, end = 0;
};
constexpr auto part_ranges = [] {
    std::array<PartRange, 26> found{};
    for (std::size_t i = sensitive_parts.size(); i-- > 0;) {
        auto& parts = found[static_cast<std::size_t>(sensitive_parts[i].front() - 'a')];
        parts.end = std::max(parts.end, i + 1);
        parts.first = i;
    }
    return found;
}();

// Sensitive names as a whole.
constexpr std::array sensitive_words{
    std::string_view("key"),       std::string_view("pin"),        std::string_view("otp"),
    std::string_view("cvc"),       std::string_view("cvv"),        std::string_view("ssn"),
    std::string_view("tin"),       std::string_view("sig"),        std::string_view("code"),
    std::string_view("to"),        std::string_view("cc"),         std::string_view("bcc"),
    std::string_view("recipient"), std::string_view("recipients"), std::string_view("xforwardedfor"),
    std::string_view("xrealip"),   std::string_view("forwarded")};
// Prefixes of sensitive values.
constexpr std::array secret_prefixes{
    std::string_view("sk_live_"), std::string_view("sk_test_"),   std::string_view("pk_live_"),
    std::string_view("whsk_"),    std::string_view("whsec_"),     std::string_view("ghp_"),
    std::string_view("AKIA"),     std::string_view("ASIA"),       std::string_view("AIza"),
    std::string_view("xoxb-"),    std::string_view("Bearer "),    std::string_view("Basic "),
    std::string_view("itg_"),     std::string_view("-----BEGIN ")};

constexpr std::size_t name_bytes_max = 64;  // Only this prefix of a longer name is examined.

bool is_mail_character(char c) {
    return is_digit(c) || is_alpha(c) || std::string_view("._%+-").find(c) != std::string_view::npos;
}

// Returns whether the text contains an e-mail address: a name, "@", and a domain with a dot.
bool has_mail_address(std::string_view text) {
    for (auto at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
        if (at == 0 || !is_mail_character(text[at - 1])) continue;
        auto end = at + 1;
        while (end < text.size() && is_mail_character(text[end]))
            ++end;
        auto domain = text.substr(at + 1, end - at - 1);
        auto dot = domain.find('.');
        if (dot != std::string_view::npos && dot > 0 && dot + 2 < domain.size()) return true;
    }
    return false;
}

// Returns whether the text contains a JWT: header and claims of a JWS in base64url both begin with `{"`.
bool has_jwt(std::string_view text) {
    for (auto at = text.find("eyJ"); at != std::string_view::npos; at = text.find("eyJ", at + 3)) {
        if (text.find(".eyJ", at) != std::string_view::npos) return true;
    }
    return false;
}

// Returns whether the text contains ten digits or more, with the separators of phone and card numbers.
// Timestamps in milliseconds have 13 digits and count as well: redacting too much is better than too little.
bool has_long_number(std::string_view text) {
    std::size_t digits = 0, separators = 0;
    for (char c : text) {
        if (is_digit(c)) {
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

// Examines a name in one pass. This runs for each field of each request; searching for one part after another
// would read the name many times.
bool has_sensitive_part(std::string_view plain) {
    for (; plain.size() > 1; plain.remove_prefix(1)) {
        auto letter = static_cast<std::size_t>(plain[0] - 'a');
        if (letter >= part_ranges.size()) continue;
        for (auto i = part_ranges[letter].first; i < part_ranges[letter].end; ++i) {
            if (plain[1] == sensitive_parts[i][1] && plain.starts_with(sensitive_parts[i])) return true;
        }
    }
    return false;
}

void append_redacted_pair(std::string& out, std::string_view pair) {
    auto equals = pair.find('=');
    if (equals == std::string_view::npos) {
        out += is_sensitive_value(http::percent_decode(pair, true).value_or(std::string(pair))) ? redacted
                                                                                                : pair;
        return;
    }
    auto name = pair.substr(0, equals), value = pair.substr(equals + 1);
    auto plain_name = http::percent_decode(name, true).value_or(std::string(name));
    auto plain_value = http::percent_decode(value, true).value_or(std::string(value));
    bool hide = !value.empty() && (is_sensitive_name(plain_name) || is_sensitive_value(plain_value));
    out.append(is_sensitive_value(plain_name) ? redacted : name).append("=").append(hide ? redacted : value);
}

void append_redacted_path(std::string& out, std::string_view path) {
    bool suspicious = path.find('@') != std::string_view::npos || path.find('%') != std::string_view::npos ||
                      path.find("eyJ") != std::string_view::npos || has_long_number(path) ||
                      path.find('_') != std::string_view::npos;
    if (!suspicious) {
        out += path;
        return;
    }
    while (!path.empty()) {
        auto end = std::min(path.find('/', 1), path.size());
        auto segment = path.substr(1, end - 1);
        auto plain = http::percent_decode(segment).value_or(std::string(segment));
        out.append("/").append(is_sensitive_value(plain) ? redacted : segment);
        path.remove_prefix(end);
    }
}

void redact(boost::json::value& value) {
    if (auto* object = value.if_object()) {
        for (auto& member : *object) {
            bool hide =
                is_sensitive_name(member.key()) && !member.value().is_null() && !member.value().is_bool();
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
        if (is_sensitive_value(*string)) value = redacted;
    } else if (value.is_number() && has_long_number(boost::json::serialize(value))) {
        value = redacted;
    }
}

}  // namespace

bool is_sensitive_name(std::string_view name) {
    std::array<char, name_bytes_max> letters;
    std::size_t length = 0;
    for (char c : name) {
        if (c == '-' || c == '_' || c == '.' || c == ' ') continue;
        if (length == letters.size()) break;
        letters[length++] = to_lower(c);
    }
    std::string_view plain(letters.data(), length);
    auto equal = [&](std::string_view word) { return plain == word; };
    return std::any_of(sensitive_words.begin(), sensitive_words.end(), equal) || has_sensitive_part(plain);
}

bool is_sensitive_value(std::string_view value) {
    if (value.size() < 6) return false;
    auto has_prefix = [&](std::string_view prefix) { return value.starts_with(prefix); };
    return std::any_of(secret_prefixes.begin(), secret_prefixes.end(), has_prefix) ||
           has_mail_address(value) || has_jwt(value) || has_long_number(value);
}

void append_redacted_target(std::string& out, std::string_view target) {
    auto mark = std::min(target.find('?'), target.size());
    append_redacted_path(out, target.substr(0, mark));
    auto query = target.substr(mark);
    for (char before = '?'; !query.empty(); before = '&') {
        query.remove_prefix(1);
        out += before;
        auto end = std::min(query.find('&'), query.size());
        append_redacted_pair(out, query.substr(0, end));
        query.remove_prefix(end);
    }
}

void append_redacted_headers(std::string& out, const http::Headers& headers) {
    out += '{';
    for (bool first = true; auto [name, value] : headers) {
        if (!first) out += ',';
        first = false;
        json::append_json(out, name);
        out += ':';
        json::append_json(out, is_sensitive_name(name) || is_sensitive_value(value) ? redacted : value);
    }
    out += '}';
}

std::string redact_body(std::string_view body, std::size_t max_bytes) {
    if (body.empty()) return {};
    auto parsed = json::parse(body);
    if (!parsed) return "[" + std::to_string(body.size()) + " bytes, not JSON]";
    redact(*parsed);
    auto text = boost::json::serialize(*parsed);
    if (text.size() <= max_bytes) return text;
    text.resize(max_bytes);
    return text += "[cut]";
}

}  // namespace integreat::gateway
