// SPDX-License-Identifier: Apache-2.0
#include "http/routing/router.h"
#include "json/value/writer.h"
#include "services/collections/api/handlers.h"
#include "services/collections/changes/history.h"

namespace integreat::collections {

namespace {

// The caller's name in a cursor: of nobody, everybody's.
std::string_view caller_of(const Asked& asked) {
    return asked.acting.uid;
}

struct Query {
    QueryPairs pairs;
    std::optional<http::Reply> trouble;
};

Query parse_pairs(Asked& asked) {
    Query query;
    auto pairs = http::parse_query(asked.request.query());
    if (pairs) {
        query.pairs = *std::move(pairs);
    } else {
        Mistakes mistakes;
        mistakes.all.push_back({"?", pairs.error().message});
        query.trouble = refuse_mistakes(asked, std::move(mistakes), "The query");
    }
    return query;
}

http::Reply refuse_unreadable(Asked& asked) {
    return refuse_forbidden(
        asked, "The role " + asked.view.role + " may not read this collection.",
        "access.read of " + asked.collection.collection->name + " has no rule for the role");
}

std::string position_after(const ListSql& list, const postgres::Rows& rows, std::size_t row,
                           const Secret& key, std::string_view context) {
    Position position;
    for (auto column : list.keys)
        position.push_back(rows.value(row, column));
    return seal(position, key, context);
}

// True if a field of If-None-Match names this version (RFC 9110 section 13.1.2).
bool already_has(const http::Request& request, std::string_view etag) {
    auto sent = request.headers.get("If-None-Match");
    if (!sent) return false;
    if (*sent == "*") return true;
    for (std::size_t at = sent->find(etag); at != std::string_view::npos; at = sent->find(etag, at + 1)) {
        auto end = at + etag.size();
        if (end == sent->size() || (*sent)[end] == ',' || (*sent)[end] == ' ') return true;
    }
    return false;
}

void append_sum(std::string& to, const Aggregate& aggregate, std::string_view text) {
    using Operation = Aggregate::Operation;
    if (aggregate.operation == Operation::count) {
        to += text;
    } else if (aggregate.operation == Operation::avg) {
        json::append_json(to, text);  // Exact as the server computed it, so a text as all decimals are.
    } else if (aggregate.operation == Operation::sum && aggregate.field->type == FieldType::decimal) {
        json::append_json(to, text);
    } else {
        append_value(to, *aggregate.field, text);
    }
}

// The one record of `rows`; without `version`, no ETag stands for what is shown.
http::Reply record_reply(Asked& asked, const postgres::Rows& rows, std::span<const Shown> shown,
                         std::optional<std::size_t> version) {
    if (rows.empty()) return refuse_missing(asked);
    auto reply = json_reply(200, {});
    if (version) {
        auto etag = etag_of(rows.text(0, *version));
        reply.headers.add("ETag", etag);
        if (already_has(asked.request, etag)) {
            reply.status = 304;
            return reply;
        }
    }
    append_record(reply.body, shown, rows, 0);
    return reply;
}

// With fields= or expand=.
Step ask_shaped(Asked& asked, const std::string& id) {
    auto parsed = parse_pairs(asked);
    if (parsed.trouble) return *std::move(parsed.trouble);
    Mistakes mistakes;
    auto query = check_single(asked.reader(), parsed.pairs, mistakes);
    if (!mistakes.none()) return refuse_mistakes(asked, std::move(mistakes), "The query");
    auto single = single_sql(asked.reader(), query, id);
    // With others' records inside, the version of this one does not stand for all of it.
    auto version = query.expand.empty() ? std::optional(single.keys.front()) : std::nullopt;
    return Question{std::move(single.sql),
                    [shown = std::move(single.shown), version](Asked& by, const Answered& answered) {
                        if (!answered.rows) return refuse_statement(by, answered);
                        return record_reply(by, *answered.rows, shown, version);
                    }};
}

// What a list's rows are rendered by.
struct Page {
    ListSql list;
    std::string context;  // Of its cursors.
    std::size_t limit = 0;
};

http::Reply page_reply(Asked& asked, const Page& page, const Answered& answered) {
    if (!answered.rows) return refuse_statement(asked, answered);
    const auto& rows = *answered.rows;
    auto count = std::min(rows.size(), page.limit);
    std::string body;
    body.reserve(rows.memory());  // About as much: names stand where libpq keeps lengths.
    body = R"({"items":[)";
    for (std::size_t row = 0; row < count; ++row) {
        if (row > 0) body += ',';
        append_record(body, page.list.shown, rows, row);
    }
    body += R"(],"next":)";
    if (rows.size() > count) {
        json::append_json(body,
                          position_after(page.list, rows, count - 1, asked.desk.cursor_key, page.context));
    } else {
        body += "null";
    }
    return json_reply(200, body += '}');
}

http::Reply sums_reply(Asked& asked, const AggregateQuery& query, const Answered& answered) {
    if (!answered.rows) return refuse_statement(asked, answered);
    const auto& rows = *answered.rows;
    if (rows.size() > static_cast<std::size_t>(groups_max)) {
        Mistakes mistakes;
        mistakes.all.push_back({"?group", "makes more than " + std::to_string(groups_max) +
                                              " groups: filter, or group by something coarser"});
        return refuse_mistakes(asked, std::move(mistakes), "The query");
    }
    auto shown = shown_in_order(query.group);
    std::string body = R"({"items":[)";
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (row > 0) body += ',';
        if (shown.empty()) {
            body += '{';
        } else {
            append_record(body, shown, rows, row);
            body.back() = ',';
        }
        for (std::size_t i = 0; i < query.select.size(); ++i) {
            body += (i > 0 ? ",\"" : "\"") + query.select[i].name + "\":";
            auto column = shown.size() + i;
            if (rows.is_null(row, column))
                body += "null";
            else
                append_sum(body, query.select[i], rows.text(row, column));
        }
        body += '}';
    }
    return json_reply(200, body += "]}");
}

}  // namespace

Step list_records(Asked& asked) {
    if (!asked.view.reads()) return refuse_unreadable(asked);
    auto parsed = parse_pairs(asked);
    if (parsed.trouble) return *std::move(parsed.trouble);
    Mistakes mistakes;
    auto query = check_list(asked.reader(), parsed.pairs, mistakes);
    std::optional<Position> after;
    auto context = context_of(asked.reader(), query, caller_of(asked));
    if (mistakes.none() && !query.next.empty()) {
        after = unseal(query.next, asked.desk.cursor_key, context);
        if (!after || after->size() != query.sort.size() + 1) {
            mistakes.all.push_back({"?next",
                                    "is not a cursor of this list: use the one of the page before, with "
                                    "the same filter, order and caller"});
        }
    }
    if (!mistakes.none()) return refuse_mistakes(asked, std::move(mistakes), "The query");
    auto list = list_sql(asked.reader(), query, after);
    auto sql = std::move(list.sql);
    Page page{std::move(list), std::move(context), static_cast<std::size_t>(query.limit)};
    return Question{std::move(sql), [page = std::move(page)](Asked& by, const Answered& answered) {
                        return page_reply(by, page, answered);
                    }};
}

Step get_record(Asked& asked) {
    if (!asked.view.reads()) return refuse_unreadable(asked);
    auto id = normal_uuid(asked.call.parameter("id"));
    if (!id) return refuse_missing(asked);
    if (!asked.request.query().empty()) return ask_shaped(asked, *id);
    return Question{{asked.view.by_id, {*id}}, [](Asked& by, const Answered& answered) {
                        if (!answered.rows) return refuse_statement(by, answered);
                        return record_reply(by, *answered.rows, by.view.shown, by.view.version);
                    }};
}

Step aggregate_records(Asked& asked) {
    if (!asked.view.reads()) return refuse_unreadable(asked);
    auto parsed = parse_pairs(asked);
    if (parsed.trouble) return *std::move(parsed.trouble);
    Mistakes mistakes;
    auto query = check_aggregate(asked.reader(), parsed.pairs, mistakes);
    if (!mistakes.none()) return refuse_mistakes(asked, std::move(mistakes), "The query");
    auto sql = aggregate_sql(asked.reader(), query);
    return Question{std::move(sql), [query = std::move(query)](Asked& by, const Answered& answered) {
                        return sums_reply(by, query, answered);
                    }};
}

http::Reply record_history(Asked& asked) {
    auto id = normal_uuid(asked.call.parameter("id"));
    if (!id) return refuse_missing(asked);
    auto parsed = parse_pairs(asked);
    if (parsed.trouble) return *std::move(parsed.trouble);
    Mistakes mistakes;
    auto page = check_history(parsed.pairs, mistakes);
    if (!mistakes.none()) return refuse_mistakes(asked, std::move(mistakes), "The query");
    HistoryRequest request{
        .record = *id, .role = asked.view.role, .before = page.before, .count_max = page.limit + 1};
    auto changes = history_of(asked.pool, asked.model(), *asked.collection.collection, asked.acting, request,
                              asked.call.deadline);
    if (!changes) return refuse_statement(asked, {.rows = std::move(changes).error(), .refusal = {}});
    if (changes->empty() && !page.before) return refuse_missing(asked);
    auto count = std::min(changes->size(), static_cast<std::size_t>(page.limit));
    std::string body = R"({"items":[)";
    for (std::size_t i = 0; i < count; ++i)
        body.append(i == 0 ? "" : ",").append(to_json((*changes)[i]));
    body += R"(],"next":)";
    body += changes->size() > count ? '"' + std::to_string((*changes)[count - 1].id) + '"' : "null";
    return json_reply(200, body += '}');
}

}  // namespace integreat::collections
