// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "services/collections/query/query_parser.h"

namespace integreat::collections {

namespace {

constexpr std::size_t seal_bytes = 16;  // Of HMAC-SHA-256 (RFC 2104 section 5 allows half).
constexpr std::size_t cursor_bytes_max = 16 * 1024;
constexpr char null_mark = 'n';
constexpr char text_mark = 't';

// Each part with its length before it, so that no two sequences of parts look the same.
void append_part(std::string& to, std::string_view part) {
    to += std::to_string(part.size());
    to += ':';
    to += part;
}

std::optional<std::string_view> take_part(std::string_view& from) {
    std::size_t length = 0, digits = 0;
    for (; digits < from.size() && from[digits] >= '0' && from[digits] <= '9' && digits < 6; ++digits)
        length = length * 10 + static_cast<std::size_t>(from[digits] - '0');
    if (digits == 0 || digits >= from.size() || from[digits] != ':') return std::nullopt;
    from.remove_prefix(digits + 1);
    if (from.size() < length) return std::nullopt;
    auto part = from.substr(0, length);
    from.remove_prefix(length);
    return part;
}

std::string seal_of(std::string_view payload, const Secret& key, std::string_view context) {
    std::string sealed;
    sealed.reserve(context.size() + payload.size() + 16);
    append_part(sealed, context);
    append_part(sealed, payload);
    auto digest = crypto::hmac_sha256(key.reveal(), sealed);
    return std::string(crypto::as_view(digest).substr(0, seal_bytes));
}

}  // namespace

std::string context_of(const Reader& reader, const ListQuery& query, std::string_view caller) {
    std::string context;
    append_part(context, reader.plan.model->app.text);
    append_part(context, reader.collection.collection->name);
    append_part(context, reader.view.role);
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

std::string seal(const Position& position, const Secret& key, std::string_view context) {
    std::string payload, part;
    payload.reserve(96);  // A time and an id.
    for (const auto& value : position) {
        part = value ? text_mark : null_mark;
        if (value) part += *value;
        append_part(payload, part);
    }
    return crypto::base64url_encode(seal_of(payload, key, context) + payload);
}

std::optional<Position> unseal(std::string_view cursor, const Secret& key, std::string_view context) {
    if (cursor.size() > cursor_bytes_max) return std::nullopt;
    auto bytes = crypto::base64url_decode(cursor);
    if (!bytes || bytes->size() < seal_bytes) return std::nullopt;
    auto payload = std::string_view(*bytes).substr(seal_bytes);
    if (!equal_in_constant_time(std::string_view(*bytes).substr(0, seal_bytes),
                                seal_of(payload, key, context)))
        return std::nullopt;
    Position position;
    position.reserve(4);
    while (!payload.empty()) {
        auto part = take_part(payload);
        if (!part || part->empty()) return std::nullopt;
        if (part->front() == null_mark)
            position.emplace_back();
        else
            position.emplace_back(std::string(part->substr(1)));
    }
    return position;
}

}  // namespace integreat::collections
