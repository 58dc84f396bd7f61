// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/reads.h"

#include "json/value/writer.h"
#include "services/collections/changes/history.h"
#include "services/collections/query/cursor.h"
#include "services/collections/values/field_formats.h"

namespace integreat::collections {

namespace {

http::FullResponse reject_unreadable(CollectionRequest& request) {
    return reject_forbidden(
        request, "The role " + request.view.role + " may not read this collection.",
        "access.read of " + request.collection.collection->name + " has no rule for the role");
}

// Returns the cursor of the page after `row`.
std::string cursor_after(const ListSql& list, const postgres::ResultSet& rows, std::size_t row,
                         const Secret& key, std::string_view context) {
    KeysetPosition position;
    for (auto column : list.key_columns)
        position.push_back(rows.value(row, column));
    return encode_cursor(position, key, context);
}

// Returns whether If-None-Match contains the ETag (RFC 9110 section 13.1.2).
bool matches_if_none_match(const http::Request& request, std::string_view etag) {
    auto sent = request.headers.get("If-None-Match");
    if (!sent) return false;
    if (*sent == "*") return true;
    for (std::size_t at = sent->find(etag); at != std::string_view::npos; at = sent->find(etag, at + 1)) {
        auto end = at + etag.size();
        if (end == sent->size() || (*sent)[end] == ',' || (*sent)[end] == ' ') return true;
    }
    return false;
}

void append_aggregate(std::string& to, const Aggregate& aggregate, std::string_view text) {
    using Operation = Aggregate::Operation;
    if (aggregate.operation == Operation::count) {
        to += text;
    } else if (aggregate.operation == Operation::avg) {
        json::append_json(to, text);  // Exact as computed by Postgres: a string, as all decimals.
    } else if (aggregate.operation == Operation::sum && aggregate.field->type == FieldType::decimal) {
        json::append_json(to, text);
    } else {
        append_value(to, *aggregate.field, text);
    }
}

// Renders the only record of `rows`. `version` is its result column; without one, the response has no ETag.
http::FullResponse record_response(CollectionRequest& request, const postgres::ResultSet& rows,
                                   std::span<const OutputColumn> columns,
                                   std::optional<std::size_t> version) {
    if (rows.empty()) return reject_not_found(request);
    auto response = json_response(200, {});
    if (version) {
        auto etag = to_etag(rows.text(0, *version));
        response.headers.add("ETag", etag);
        if (matches_if_none_match(request.http_request, etag)) {
            response.status = 304;
            return response;
        }
    }
    append_record(response.body, columns, rows, 0);
    return response;
}

// Reads a record with fields= or expand=.
HandlerResult get_selected_fields(CollectionRequest& request, const std::string& id) {
    auto pairs = TRY(parse_query_pairs(request));
    ValidationErrors errors;
    auto query = parse_record_query(request.query_scope(), pairs, errors);
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The query");
    auto single = record_sql(request.query_scope(), query, id);
    // With expanded records, the version of this record does not identify the response.
    auto version = query.expand.empty() ? std::optional(single.key_columns.front()) : std::nullopt;
    return QueryPlan{std::move(single.sql), [columns = std::move(single.columns), version](
                                                CollectionRequest& pending, const QueryOutcome& outcome) {
                         if (!outcome.rows) return reject_query_error(pending, outcome);
                         return record_response(pending, *outcome.rows, columns, version);
                     }};
}

// Parameters for rendering one page of a list.
struct Page {
    ListSql list;
    std::string cursor_context;
    std::size_t limit = 0;  // Maximum number of records.
};

http::FullResponse page_response(CollectionRequest& request, const Page& page, const QueryOutcome& outcome) {
    if (!outcome.rows) return reject_query_error(request, outcome);
    const auto& rows = *outcome.rows;
    auto count = std::min(rows.size(), page.limit);
    std::string body;
    body.reserve(rows.memory());  // An estimate: libpq stores a length where JSON has the name.
    body = R"({"items":[)";
    for (std::size_t row = 0; row < count; ++row) {
        if (row > 0) body += ',';
        append_record(body, page.list.columns, rows, row);
    }
    body += R"(],"next":)";
    if (rows.size() > count) {
        json::append_json(
            body, cursor_after(page.list, rows, count - 1, request.context.cursor_key, page.cursor_context));
    } else {
        body += "null";
    }
    return json_response(200, body += '}');
}

http::FullResponse aggregates_response(CollectionRequest& request, const AggregateQuery& query,
                                       const QueryOutcome& outcome) {
    if (!outcome.rows) return reject_query_error(request, outcome);
    const auto& rows = *outcome.rows;
    if (rows.size() > static_cast<std::size_t>(groups_max)) {
        ValidationErrors errors;
        errors.list.push_back({"?group", "makes more than " + std::to_string(groups_max) +
                                             " groups: add a filter, or group by fewer fields"});
        return reject_invalid(request, std::move(errors), "The query");
    }
    auto columns = output_columns(query.group);
    std::string body = R"({"items":[)";
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (row > 0) body += ',';
        if (columns.empty()) {
            body += '{';
        } else {
            append_record(body, columns, rows, row);
            body.back() = ',';
        }
        for (std::size_t i = 0; i < query.select.size(); ++i) {
            body += (i > 0 ? ",\"" : "\"") + query.select[i].name + "\":";
            auto column = columns.size() + i;
            if (rows.is_null(row, column))
                body += "null";
            else
                append_aggregate(body, query.select[i], rows.text(row, column));
        }
        body += '}';
    }
    return json_response(200, body += "]}");
}

}  // namespace

HandlerResult list_records(CollectionRequest& request) {
    if (!request.view.can_read()) return reject_unreadable(request);
    auto pairs = TRY(parse_query_pairs(request));
    ValidationErrors errors;
    auto query = parse_list_query(request.query_scope(), pairs, errors);
    std::optional<KeysetPosition> after;
    auto context = cursor_context(request.query_scope(), query, request.caller.uid);
    if (errors.empty() && !query.next.empty()) {
        after = decode_cursor(query.next, request.context.cursor_key, context);
        if (!after || after->size() != query.sort.size() + 1) {
            errors.list.push_back({"?next",
                                   "is not a cursor of this list: use `next` of the previous page, with the "
                                   "same filter, order and caller"});
        }
    }
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The query");
    auto list = list_sql(request.query_scope(), query, after);
    auto sql = std::move(list.sql);
    Page page{std::move(list), std::move(context), static_cast<std::size_t>(query.limit)};
    return QueryPlan{std::move(sql),
                     [page = std::move(page)](CollectionRequest& pending, const QueryOutcome& outcome) {
                         return page_response(pending, page, outcome);
                     }};
}

HandlerResult get_record(CollectionRequest& request) {
    if (!request.view.can_read()) return reject_unreadable(request);
    auto id = normalize_uuid(request.http_context.parameter("id"));
    if (!id) return reject_not_found(request);
    if (!request.http_request.query().empty()) return get_selected_fields(request, *id);
    return QueryPlan{{request.view.select_by_id, {*id}},
                     [](CollectionRequest& pending, const QueryOutcome& outcome) {
                         if (!outcome.rows) return reject_query_error(pending, outcome);
                         return record_response(pending, *outcome.rows, pending.view.output_columns,
                                                pending.view.version_column);
                     }};
}

HandlerResult aggregate_records(CollectionRequest& request) {
    if (!request.view.can_read()) return reject_unreadable(request);
    auto pairs = TRY(parse_query_pairs(request));
    ValidationErrors errors;
    auto query = parse_aggregate_query(request.query_scope(), pairs, errors);
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The query");
    auto sql = aggregate_sql(request.query_scope(), query);
    return QueryPlan{std::move(sql),
                     [query = std::move(query)](CollectionRequest& pending, const QueryOutcome& outcome) {
                         return aggregates_response(pending, query, outcome);
                     }};
}

http::FullResponse record_history(CollectionRequest& request) {
    auto id = normalize_uuid(request.http_context.parameter("id"));
    if (!id) return reject_not_found(request);
    auto pairs = TRY(parse_query_pairs(request));
    ValidationErrors errors;
    auto page = parse_history_query(pairs, errors);
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The query");
    HistoryRequest history{
        .record = *id, .role = request.view.role, .before = page.before, .count_max = page.limit + 1};
    auto changes = read_history(request.pool, request.model(), *request.collection.collection, request.caller,
                                history, request.http_context.deadline);
    if (!changes)
        return reject_query_error(request, {.rows = std::move(changes).error(), .server_error = {}});
    if (changes->empty() && !page.before) return reject_not_found(request);
    auto count = std::min(changes->size(), static_cast<std::size_t>(page.limit));
    std::string body = R"({"items":[)";
    for (std::size_t i = 0; i < count; ++i)
        body.append(i == 0 ? "" : ",").append(to_json((*changes)[i]));
    body += R"(],"next":)";
    body += changes->size() > count ? '"' + std::to_string((*changes)[count - 1].id) + '"' : "null";
    return json_response(200, body += '}');
}

}  // namespace integreat::collections
