// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "json/value/parse.h"
#include "services/collections/api/bulk_insert_errors.h"
#include "services/collections/api/handlers.h"
#include "services/collections/api/insert_sql.h"
#include "services/collections/api/record_body.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

constexpr int merge_attempts_max = 3;  // Until nobody else is faster.

// What a statement gives back of the records it wrote: what the role may see of them.
struct Returning {
    std::vector<Shown> shown;
    std::size_t id = 0, version = 0;  // Columns.
    std::string sql;                  // " RETURNING t.\"id\", ..."; empty if the role sees nothing.
};

Returning returning_for(const View& view) {
    Returning returning{.shown = shown_in_order(view.readable), .sql = {}};
    for (std::size_t i = 0; i < view.readable.size(); ++i) {
        const auto& field = *view.readable[i];
        returning.sql += (i == 0 ? " RETURNING t." : ", t.") + column(field);
        if (field.name == "id") returning.id = i;
        if (field.name == "version") returning.version = i;
    }
    return returning;
}

std::string record_json(const Returning& returning, const postgres::Rows& rows, std::size_t row) {
    if (returning.shown.empty()) return "{}";
    std::string json;
    append_record(json, returning.shown, rows, row);
    return json;
}

http::Reply created_reply(Asked& asked, const Returning& returning, const Answered& answered) {
    if (!answered.rows) return refuse_statement(asked, answered);
    auto reply = json_reply(201, record_json(returning, *answered.rows, 0));
    if (returning.shown.empty()) return reply;
    std::string id(answered.rows->text(0, returning.id));
    reply.headers.add("Location", std::string(asked.request.path()) + "/" + id);
    reply.headers.add("ETag", etag_of(answered.rows->text(0, returning.version)));
    return reply;
}

Step create_one(Asked& asked, const bj::value& body) {
    Mistakes mistakes;
    auto written = check_new(asked.collection, asked.view, body, "", mistakes);
    if (!mistakes.none()) return refuse_mistakes(asked, std::move(mistakes), "The body");
    auto returning = returning_for(asked.view);
    auto sql = insert_sql(asked, written, returning.sql);
    return Question{std::move(sql), [returning = std::move(returning)](Asked& by, const Answered& answered) {
                        return created_reply(by, returning, answered);
                    }};
}

// How many of `records`, from `first` on, have values for the same fields. Those without any go one by one.
std::size_t alike(const std::vector<Written>& records, std::size_t first) {
    auto end = first + 1;
    while (end < records.size() && !records[first].fields.empty() &&
           records[end].fields == records[first].fields)
        ++end;
    return end - first;
}

struct Stored {
    std::optional<http::Reply> trouble;
    std::vector<std::string> items;
};

// In the call's transaction.
Stored store_all(Asked& asked, const std::vector<Written>& records, const Returning& returning) {
    Stored stored;
    for (std::size_t first = 0; first < records.size();) {
        auto count = alike(records, first);
        auto answered = run(asked, insert_many_sql(asked, {records.data() + first, count}, returning.sql));
        if (!answered.rows) {
            stored.trouble = refuse_statement(asked, answered);
            return stored;
        }
        for (std::size_t i = 0; i < count; ++i)
            stored.items.push_back(record_json(returning, *answered.rows, i));
        first += count;
    }
    return stored;
}

// As the pointers of mistakes say it.
Place place_in_list(std::size_t index) {
    auto record = "#/" + std::to_string(index);
    return {.record = record, .field = record + "/"};
}

std::optional<http::Reply> refused_records(Asked& asked, const std::vector<Written>& records) {
    RefusedRows rows(asked);
    for (std::size_t first = 0; first < records.size();) {
        auto count = alike(records, first);
        auto place = [first](std::size_t index) { return place_in_list(first + index); };
        if (!rows.store({records.data() + first, count}, place)) break;
        first += count;
    }
    return rows.reply();
}

http::Reply create_many(Asked& asked, const bj::array& bodies) {
    Mistakes mistakes;
    if (bodies.empty() || bodies.size() > bulk_max) {
        mistakes.add("", "must have 1 to " + std::to_string(bulk_max) + " records");
        return refuse_mistakes(asked, std::move(mistakes), "The body");
    }
    std::vector<Written> records;
    for (std::size_t i = 0; i < bodies.size(); ++i)
        records.push_back(
            check_new(asked.collection, asked.view, bodies[i], "/" + std::to_string(i), mistakes));
    if (!mistakes.none()) return refuse_mistakes(asked, std::move(mistakes), "The body");
    auto returning = returning_for(asked.view);
    InTransaction transaction{asked, std::nullopt};
    if (auto trouble = transaction.begin()) return *std::move(trouble);
    auto stored = store_all(asked, records, returning);
    if (stored.trouble && stored.trouble->status < 500) {
        transaction.roll_back();  // What is found out next takes a connection, too.
        if (auto all = refused_records(asked, records)) return *std::move(all);
    }
    if (stored.trouble) return *std::move(stored.trouble);
    if (auto trouble = transaction.commit()) return *std::move(trouble);
    std::string body = R"({"items":[)";
    for (const auto& item : stored.items)
        body.append(body.back() == '[' ? "" : ",").append(item);
    return json_reply(201, body += "]}");
}

// The versions that If-Match allows (RFC 9110 section 13.1.1). A weak or foreign tag matches none.
struct Expected {
    bool any = true;
    std::vector<std::string> versions;
};

Expected expected_of(const http::Request& request) {
    auto sent = request.headers.get("If-Match");
    if (!sent || *sent == "*") return {};
    Expected expected{.any = false, .versions = {}};
    std::string_view rest = *sent;
    while (!rest.empty()) {
        auto tag = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), tag.size() + 1));
        while (tag.starts_with(' '))
            tag.remove_prefix(1);
        while (tag.ends_with(' '))
            tag.remove_suffix(1);
        bool whole = tag.size() > 2 && tag.size() < 20 && tag.front() == '"' && tag.back() == '"';
        auto digits = whole ? tag.substr(1, tag.size() - 2) : std::string_view();
        if (whole && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
            expected.versions.emplace_back(digits);
    }
    return expected;
}

bool names(const Expected& expected, const std::string& version) {
    return std::find(expected.versions.begin(), expected.versions.end(), version) != expected.versions.end();
}

std::string and_version(Sql& sql, const Expected& expected) {
    if (expected.any) return {};
    return " AND t.\"version\" = ANY (" + sql.parameter(array_literal(expected.versions), "bigint[]") + ")";
}

// Nothing was written: because the record is not there for this caller, is another version, is in another
// state, or because no rule allows it.
http::Reply explain_nothing(Asked& asked, const std::string& id, const Expected& expected,
                            const Transition* transition, const char* action) {
    auto looked = look(asked, id);
    if (looked.trouble) return *std::move(looked.trouble);
    if (!looked.seen) return refuse_missing(asked);
    auto version = std::to_string(looked.seen->version);
    if (!expected.any && !names(expected, version)) {
        return refuse(asked,
                      {.status = 412,
                       .type = "changed-meanwhile",
                       .title = "The record was changed meanwhile",
                       .detail = "It is version " + version + " now. Read it again, then decide."},
                      "If-Match must name the present version");
    }
    if (transition) {
        const auto& from = transition->from;
        if (std::find(from.begin(), from.end(), looked.seen->state) == from.end()) {
            return refuse(asked,
                          {.status = 409,
                           .type = "wrong-state",
                           .title = "The record's state does not allow this",
                           .detail = "It is " + looked.seen->state + "; " + transition->name +
                                     " does not start there."},
                          "transition " + transition->name + " starts elsewhere");
        }
    }
    return refuse_forbidden(asked, "You may read this record, and not " + std::string(action) + " it.",
                            "no rule for " + std::string(action) + " of " +
                                asked.collection.collection->name + " holds for this record");
}

http::Reply changed_reply(const Returning& returning, const postgres::Rows& rows) {
    auto reply = json_reply(200, record_json(returning, rows, 0));
    if (!returning.shown.empty()) reply.headers.add("ETag", etag_of(rows.text(0, returning.version)));
    return reply;
}

std::string assignments(Sql& sql, const Written& written) {
    std::string text;
    for (std::size_t i = 0; i < written.fields.size(); ++i) {
        sql.parameters.push_back(written.values[i]);
        text += (i == 0 ? "" : ", ") + column(*written.fields[i]) + " = $" +
                std::to_string(sql.parameters.size()) + "::" + column_type(*written.fields[i]);
    }
    return text;
}

// Nothing if no record was changed.
std::optional<http::Reply> patch_once(Asked& asked, const std::string& id, const bj::value& body,
                                      const Expected& expected) {
    Mistakes mistakes;
    auto written = check_patch(asked.collection, asked.view, body, mistakes);
    if (!mistakes.none()) return refuse_mistakes(asked, std::move(mistakes), "The body");
    if (written.fields.empty()) return answer_now(asked, get_record(asked));
    auto returning = returning_for(asked.view);
    Sql sql;
    auto changes = assignments(sql, written);
    sql.text = asked.view.comment + "UPDATE " + asked.collection.table + " AS t SET " + changes +
               " WHERE t.\"id\" = " + sql.parameter(id, "uuid");
    sql.text += and_version(sql, expected) + returning.sql;
    auto answered = run(asked, sql);
    if (!answered.rows) return refuse_statement(asked, answered);
    if (answered.rows->empty()) return std::nullopt;
    return changed_reply(returning, *answered.rows);
}

// The patch with its objects merged into what the record has now, and which version that is.
struct Merged {
    bj::value body;
    std::string version;
    std::optional<http::Reply> trouble;
};

Merged read_merged(Asked& asked, const std::string& id, const std::vector<const Field*>& fields,
                   const bj::value& body) {
    Sql sql;
    sql.text = asked.view.comment + "SELECT \"version\", " + column_list(fields) + " FROM " +
               asked.collection.table + " WHERE \"id\" = " + sql.parameter(id, "uuid");
    auto answered = run(asked, sql);
    Merged merged{.body = body, .version = {}, .trouble = {}};
    if (!answered.rows) {
        merged.trouble = refuse_statement(asked, answered);
    } else if (answered.rows->empty()) {
        merged.trouble = refuse_missing(asked);
    } else {
        merged.version = answered.rows->text(0, 0);
        auto& members = merged.body.get_object();
        for (std::size_t i = 0; i < fields.size(); ++i) {
            bool none = answered.rows->is_null(0, i + 1);
            auto stored = none ? Result<bj::value>(bj::value()) : json::parse(answered.rows->text(0, i + 1));
            ASSERT(stored);  // It is jsonb.
            auto& member = members.at(fields[i]->name);
            member = merge_patch(*std::move(stored), member);
        }
    }
    return merged;
}

bool changed_since(Asked& asked, const std::string& id, const std::string& version) {
    auto looked = look(asked, id);
    return looked.seen && std::to_string(looked.seen->version) != version;
}

}  // namespace

Step create_records(Asked& asked) {
    if (asked.collection.collection->create.empty() ||
        rules_for(asked.collection.collection->create, asked.view.role).empty()) {
        return refuse_forbidden(
            asked, "The role " + asked.view.role + " may not create records here.",
            "access.create of " + asked.collection.collection->name + " has no rule for the role");
    }
    auto body = parse_body(asked);
    if (body.trouble) return *std::move(body.trouble);
    if (const auto* array = body.value.if_array()) {
        if (asked.call.lane) return http::Defer{};
        return create_many(asked, *array);
    }
    return create_one(asked, body.value);
}

http::Reply patch_record(Asked& asked) {
    auto id = normal_uuid(asked.call.parameter("id"));
    if (!id) return refuse_missing(asked);
    if (asked.collection.collection->if_match_required && !asked.request.headers.contains("If-Match")) {
        return refuse(asked,
                      {.status = 428,
                       .type = "if-match-missing",
                       .title = "If-Match is needed",
                       .detail = "Send If-Match with the ETag of the record as you read it."},
                      "if_match of " + asked.collection.collection->name + " is required");
    }
    auto body = parse_body(asked);
    if (body.trouble) return *std::move(body.trouble);
    auto expected = expected_of(asked.request);
    auto merged = merged_fields(asked.view, body.value);
    if (merged.empty()) {
        auto patched = patch_once(asked, *id, body.value, expected);
        return patched ? *std::move(patched) : explain_nothing(asked, *id, expected, nullptr, "change");
    }
    for (int attempt = 1;; ++attempt) {
        auto current = read_merged(asked, *id, merged, body.value);
        if (current.trouble) return *std::move(current.trouble);
        bool stale = !expected.any && !names(expected, current.version);
        auto patched =
            stale ? std::nullopt
                  : patch_once(asked, *id, current.body, {.any = false, .versions = {current.version}});
        if (patched) return *std::move(patched);
        // Nothing was written: only if somebody else was faster, another attempt makes sense.
        bool faster = !stale && expected.any && attempt < merge_attempts_max;
        if (!faster || !changed_since(asked, *id, current.version))
            return explain_nothing(asked, *id, expected, nullptr, "change");
    }
}

http::Reply delete_record(Asked& asked) {
    auto id = normal_uuid(asked.call.parameter("id"));
    if (!id) return refuse_missing(asked);
    auto expected = expected_of(asked.request);
    Sql sql;
    // Where records are kept, the guards of the table take this for a deletion.
    auto action =
        asked.collection.collection->soft_delete
            ? "UPDATE " + asked.collection.table + " AS t SET \"" + std::string(deleted_at) + "\" = now()"
            : "DELETE FROM " + asked.collection.table + " AS t";
    sql.text = asked.view.comment + action + " WHERE t.\"id\" = " + sql.parameter(*id, "uuid");
    sql.text += and_version(sql, expected) + " RETURNING t.\"id\"";
    auto answered = run(asked, sql);
    if (!answered.rows) return refuse_statement(asked, answered);
    if (answered.rows->empty()) return explain_nothing(asked, *id, expected, nullptr, "delete");
    return {.status = 204, .headers = {}, .body = {}};
}

http::Reply carry_out(Asked& asked, const Transition& transition) {
    auto id = normal_uuid(asked.call.parameter("id"));
    if (!id) return refuse_missing(asked);
    auto expected = expected_of(asked.request);
    Body body;
    if (asked.request.body.empty())
        body.value = bj::object();
    else
        body = parse_body(asked);
    if (body.trouble) return *std::move(body.trouble);
    Mistakes mistakes;
    auto written = check_accepted(asked.collection, asked.view, transition, body.value, mistakes);
    if (!mistakes.none()) return refuse_mistakes(asked, std::move(mistakes), "The body");
    auto returning = returning_for(asked.view);
    Sql sql;
    auto changes = assignments(sql, written);
    sql.text = asked.view.comment + "UPDATE " + asked.collection.table +
               " AS t SET \"state\" = " + sql.parameter(transition.to, "text") +
               (changes.empty() ? "" : ", " + changes) + " FROM (SELECT set_config('integreat.transition', " +
               sql.parameter(transition.name, "text") +
               ", true) AS told OFFSET 0) AS transition WHERE transition.told <> '' AND t.\"id\" = " +
               sql.parameter(*id, "uuid");
    sql.text += and_version(sql, expected) + returning.sql;
    auto answered = run(asked, sql);
    if (!answered.rows) return refuse_statement(asked, answered);
    if (answered.rows->empty())
        return explain_nothing(asked, *id, expected, &transition, transition.name.c_str());
    return changed_reply(returning, *answered.rows);
}

}  // namespace integreat::collections
