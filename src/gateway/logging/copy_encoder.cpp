// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/copy_encoder.h"

#include <bit>
#include <cstring>

#include <boost/endian/conversion.hpp>

#include "base/text/ascii.h"
#include "gateway/logging/transaction_log.h"

namespace integreat::gateway {

namespace {

constexpr std::int64_t epoch_2000_us = 946'684'800'000'000;   // The epoch of PostgreSQL.
constexpr std::string_view replacement = "\xEF\xBF\xBD";      // U+FFFD
constexpr std::string_view truncation_mark = "\xE2\x80\xA6";  // "…"
constexpr char jsonb_version = 1;

template <class Number>
void append_big_endian(std::string& out, Number number) {
    auto bytes = std::bit_cast<std::array<char, sizeof(Number)>>(boost::endian::native_to_big(number));
    out.append(bytes.data(), bytes.size());
}

void append_null(std::string& out) {
    append_big_endian<std::int32_t>(out, -1);
}

void append_integer(std::string& out, std::int64_t number) {
    append_big_endian<std::int32_t>(out, 8);
    append_big_endian(out, number);
}

// Returns whether all bytes are ASCII other than NUL, the usual case; examines eight at a time.
bool is_ascii(std::string_view text) {
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        bool has_zero = ((word - 0x0101010101010101u) & ~word & 0x8080808080808080u) != 0;
        if (has_zero || (word & 0x8080808080808080u) != 0) return false;
    }
    for (; left > 0; ++at, --left) {
        if (*at <= 0) return false;
    }
    return true;
}

// Returns the length of the UTF-8 sequence at the beginning of `text` (RFC 3629); 0 if it is invalid or a
// NUL.
std::size_t sequence_length(std::string_view text) {
    auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return byte(i) >= low && byte(i) <= high;
    };
    unsigned first = byte(0);
    if (first == 0) return 0;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        bool second = follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
        return second && follows(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        bool second = follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
        return second && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

// Truncates a text to `max_bytes` without splitting a character.
std::string_view truncate(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return text;
    std::size_t end = max_bytes;
    for (int back = 0; back < 3 && end > 0 && (text[end] & 0xC0) == 0x80; ++back)
        --end;
    return text.substr(0, end);
}

void append_valid(std::string& out, std::string_view text) {
    if (is_ascii(text)) {
        out.append(text);
        return;
    }
    while (!text.empty()) {
        auto length = sequence_length(text);
        out.append(length == 0 ? replacement : text.substr(0, length));
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

// Appends a field: its length, and the bytes that `fill` appends.
template <class Fill>
void append_field(std::string& out, Fill fill) {
    auto at = out.size();
    out.append(4, '\0');
    fill();
    auto length = boost::endian::native_to_big(static_cast<std::uint32_t>(out.size() - at - 4));
    std::memcpy(out.data() + at, &length, sizeof length);
}

void append_text(std::string& out, std::string_view text, std::size_t max_bytes) {
    if (text.empty()) return append_null(out);
    append_field(out, [&] {
        auto truncated = truncate(text, max_bytes);
        append_valid(out, truncated);
        if (truncated.size() < text.size()) out.append(truncation_mark);
    });
}

// Returns the length of the prefix of `text` that needs no escaping in JSON: ASCII without control
// characters, quote and backslash.
std::size_t verbatim_length(std::string_view text) {
    static constexpr auto verbatim = [] {
        std::array<bool, 256> table{};
        for (unsigned c = 0x20; c < 0x80; ++c)
            table[c] = c != '"' && c != '\\';
        return table;
    }();
    std::size_t length = 0;
    while (length < text.size() && verbatim[static_cast<unsigned char>(text[length])])
        ++length;
    return length;
}

void append_json_text(std::string& out, std::string_view text, std::size_t max_bytes) {
    auto remaining = truncate(text, max_bytes);
    out += '"';
    while (!remaining.empty()) {
        auto length = verbatim_length(remaining);
        out.append(remaining.substr(0, length));
        remaining.remove_prefix(length);
        if (remaining.empty()) break;
        char c = remaining.front();
        length = sequence_length(remaining);
        if (length == 0) {
            out.append(replacement);
        } else if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            constexpr std::string_view digits = "0123456789abcdef";
            out.append("\\u00");
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[static_cast<unsigned char>(c) & 15];
        } else {
            out.append(remaining.substr(0, length));
        }
        remaining.remove_prefix(std::max<std::size_t>(length, 1));
    }
    if (text.size() > max_bytes) out.append(truncation_mark);
    out += '"';
}

// Appends a header name in lower case, the form in which names are compared and stored.
void append_json_name(std::string& out, std::string_view name, std::size_t max_bytes) {
    auto start = out.size();
    append_json_text(out, name, max_bytes);
    std::transform(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
                   out.begin() + static_cast<std::ptrdiff_t>(start), [](char c) { return to_lower(c); });
}

// Appends an object of the fields, with names in lower case and the values of a repeated name joined. Fields
// beyond the limit of a body are omitted.
void append_object(std::string& out, std::span<const LogField> fields, const LogTextLimits& limits) {
    auto start = out.size();
    out += '{';
    for (std::size_t i = 0; i < fields.size() && out.size() - start < limits.max_body_bytes; ++i) {
        auto name = fields[i].name;
        auto has_same_name = [&](const LogField& field) { return iequals(field.name, name); };
        if (std::any_of(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(i), has_same_name))
            continue;
        if (out.back() != '{') out += ',';
        append_json_name(out, name, limits.max_text_bytes);
        out += ':';
        auto following = fields.subspan(i + 1);
        if (std::none_of(following.begin(), following.end(), has_same_name)) {
            append_json_text(out, fields[i].value, limits.max_text_bytes);
            continue;
        }
        std::string joined(fields[i].value);
        for (const auto& field : following) {
            if (has_same_name(field)) joined.append(", ").append(field.value);
        }
        append_json_text(out, joined, limits.max_text_bytes);
    }
    out += '}';
}

void append_headers(std::string& out, const LogRow& row, const LogTextLimits& limits) {
    if (row.request_headers.empty()) return append_null(out);
    append_field(out, [&] {
        out += jsonb_version;
        append_object(out, row.request_headers, limits);
    });
}

void append_decision(std::string& out, const LogRow& row, const LogTextLimits& limits) {
    if (row.decision_stage.empty()) return append_null(out);
    append_field(out, [&] {
        out += jsonb_version;
        out.append("{\"stage\":");
        append_json_text(out, row.decision_stage, limits.max_text_bytes);
        out.append(",\"rule\":");
        append_json_text(out, row.decision_rule, limits.max_text_bytes);
        out.append(",\"facts\":");
        append_object(out, row.decision_facts, limits);
        out += '}';
    });
}

void append_degrees(std::string& out, const std::optional<double>& degrees) {
    if (!degrees) return append_null(out);
    append_big_endian<std::int32_t>(out, 8);
    append_big_endian(out, std::bit_cast<std::uint64_t>(*degrees));
}

}  // namespace

void encode_row(std::string& out, const LogRow& row, const LogTextLimits& limits) {
    auto text = [&](std::string_view value) { append_text(out, value, limits.max_text_bytes); };
    append_big_endian<std::int16_t>(out, static_cast<std::int16_t>(log_columns.size()));
    append_integer(out, row.created.time_since_epoch().count() - epoch_2000_us);
    // NOT NULL: an empty ID is stored as an empty text.
    append_field(out, [&] { append_valid(out, truncate(row.request_id, limits.max_text_bytes)); });
    for (auto value : {row.trace_id, row.tenant, row.principal_kind, row.principal, row.role, row.destination,
                       row.api_version, row.method, row.route, row.url}) {
        text(value);
    }
    append_headers(out, row, limits);
    append_text(out, row.request_body, limits.max_body_bytes);
    append_big_endian<std::int32_t>(out, 2);
    append_big_endian(out, static_cast<std::int16_t>(row.status));
    append_integer(out, static_cast<std::int64_t>(row.response_bytes));
    append_text(out, row.response_body, limits.max_body_bytes);
    append_integer(out, row.duration.count());
    if (row.upstream_duration) {
        append_integer(out, row.upstream_duration->count());
    } else {
        append_null(out);
    }
    text(row.error_type);
    text(row.cause);
    append_decision(out, row, limits);
    for (auto value : {row.client_ip, row.country, row.region, row.city, row.zip})
        text(value);
    append_degrees(out, row.latitude);
    append_degrees(out, row.longitude);
}

}  // namespace integreat::gateway
