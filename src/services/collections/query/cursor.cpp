// SPDX-License-Identifier: Apache-2.0
#include "services/collections/query/cursor.h"

#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace integreat::collections {

namespace {

constexpr std::size_t mac_bytes = 16;  // HMAC-SHA-256, truncated to half (RFC 2104 section 5).
constexpr std::size_t cursor_bytes_max = 16 * 1024;
constexpr char null_mark = 'n';
constexpr char text_mark = 't';

// Appends a part with its length in front, so that different sequences of parts never serialize equally.
void append_part(std::string& out, std::string_view part) {
    out += std::to_string(part.size());
    out += ':';
    out += part;
}

std::optional<std::string_view> read_part(std::string_view& input) {
    std::size_t length = 0, digits = 0;
    for (; digits < input.size() && input[digits] >= '0' && input[digits] <= '9' && digits < 6; ++digits)
        length = length * 10 + static_cast<std::size_t>(input[digits] - '0');
    if (digits == 0 || digits >= input.size() || input[digits] != ':') return std::nullopt;
    input.remove_prefix(digits + 1);
    if (input.size() < length) return std::nullopt;
    auto part = input.substr(0, length);
    input.remove_prefix(length);
    return part;
}

std::string compute_mac(std::string_view payload, const Secret& key, std::string_view context) {
    std::string message;
    message.reserve(context.size() + payload.size() + 16);
    append_part(message, context);
    append_part(message, payload);
    auto digest = crypto::hmac_sha256(key.reveal(), message);
    return std::string(crypto::as_view(digest).substr(0, mac_bytes));
}

}  // namespace

std::string cursor_context(const QueryScope& scope, const ListQuery& query, std::string_view caller) {
    std::string context;
    append_part(context, scope.plan.model->app.text);
    append_part(context, scope.collection.collection->name);
    append_part(context, scope.view.role);
    append_part(context, caller);
    append_part(context, query.search);
    for (const auto& key : query.sort)
        append_part(context, (key.descending ? "-" : "+") + key.field->name);
    for (const auto& filter : query.filters) {
        append_part(context, filter.field->name + "." + std::to_string(static_cast<int>(filter.op)));
        for (const auto& operand : filter.operands)
            append_part(context, operand);
    }
    return context;
}

std::string encode_cursor(const KeysetPosition& position, const Secret& key, std::string_view context) {
    std::string payload, part;
    payload.reserve(96);  // Room for a timestamp and an ID.
    for (const auto& value : position) {
        part = value ? text_mark : null_mark;
        if (value) part += *value;
        append_part(payload, part);
    }
    return crypto::base64url_encode(compute_mac(payload, key, context) + payload);
}

std::optional<KeysetPosition> decode_cursor(std::string_view cursor, const Secret& key,
                                            std::string_view context) {
    if (cursor.size() > cursor_bytes_max) return std::nullopt;
    auto bytes = crypto::base64url_decode(cursor);
    if (!bytes || bytes->size() < mac_bytes) return std::nullopt;
    auto payload = std::string_view(*bytes).substr(mac_bytes);
    if (!equal_in_constant_time(std::string_view(*bytes).substr(0, mac_bytes),
                                compute_mac(payload, key, context)))
        return std::nullopt;
    KeysetPosition position;
    position.reserve(4);
    while (!payload.empty()) {
        auto part = read_part(payload);
        if (!part || part->empty()) return std::nullopt;
        if (part->front() == null_mark)
            position.emplace_back();
        else
            position.emplace_back(std::string(part->substr(1)));
    }
    return position;
}

}  // namespace integreat::collections
