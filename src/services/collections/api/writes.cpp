// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/writes.h"

#include <algorithm>
#include <charconv>

#include "base/text/ascii.h"
#include "json/value/parse.h"
#include "services/collections/api/bulk_insert_errors.h"
#include "services/collections/api/insert_sql.h"
#include "services/collections/api/reads.h"
#include "services/collections/api/record_body.h"
#include "services/collections/api/record_files.h"
#include "services/collections/values/field_formats.h"
#include "services/collections/views/sql_names.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

constexpr int merge_attempts_max = 3;  // Retries after concurrent updates.

// The RETURNING clause of a statement: the columns the role may read.
struct Returning {
    std::vector<OutputColumn> columns;
    std::size_t id = 0, version = 0;  // Result columns.
    std::string sql;                  // " RETURNING t.\"id\", ..."; empty if the role may read nothing.
};

Returning make_returning(const RoleView& view) {
    Returning returning{.columns = output_columns(view.readable), .sql = {}};
    for (std::size_t i = 0; i < view.readable.size(); ++i) {
        const auto& field = *view.readable[i];
        returning.sql += (i == 0 ? " RETURNING t." : ", t.") + column(field);
        if (field.name == "id") returning.id = i;
        if (field.name == "version") returning.version = i;
    }
    return returning;
}

std::string record_json(const Returning& returning, const postgres::ResultSet& rows, std::size_t row) {
    if (returning.columns.empty()) return "{}";
    std::string json;
    append_record(json, returning.columns, rows, row);
    return json;
}

http::FullResponse created_response(CollectionRequest& request, const Returning& returning,
                                    const QueryOutcome& outcome) {
    if (!outcome.rows) return reject_query_error(request, outcome);
    auto response = json_response(201, record_json(returning, *outcome.rows, 0));
    if (returning.columns.empty()) return response;
    std::string id(outcome.rows->text(0, returning.id));
    response.headers.add("Location", std::string(request.http_request.path()) + "/" + id);
    response.headers.add("ETag", to_etag(outcome.rows->text(0, returning.version)));
    return response;
}

HandlerResult create_one(CollectionRequest& request, const bj::value& body) {
    ValidationErrors errors;
    auto columns = parse_create_body(request.collection, request.view, body, "", errors);
    if (needs_file_store(request, columns) && current_completion_queue(request.http_context))
        return http::NeedsBlockingThread{};
    if (auto refused = verify_files(request, columns, "", {}, errors)) return *std::move(refused);
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The body");
    auto returning = make_returning(request.view);
    auto sql = insert_sql(request, columns, returning.sql);
    return QueryPlan{std::move(sql), [returning = std::move(returning)](CollectionRequest& pending,
                                                                        const QueryOutcome& outcome) {
                         return created_response(pending, returning, outcome);
                     }};
}

// Returns the number of records from `first` on that one statement can insert: those with values for the same
// fields. Records without any values are inserted one by one.
std::size_t batch_size(const std::vector<ColumnValues>& records, std::size_t first) {
    auto end = first + 1;
    while (end < records.size() && !records[first].fields.empty() &&
           records[end].fields == records[first].fields)
        ++end;
    return end - first;
}

// Inserts all records in the transaction of the request. Returns them as JSON.
Result<std::vector<std::string>, http::FullResponse> insert_all(CollectionRequest& request,
                                                                const std::vector<ColumnValues>& records,
                                                                const Returning& returning) {
    std::vector<std::string> items;
    for (std::size_t first = 0; first < records.size();) {
        auto count = batch_size(records, first);
        auto outcome =
            execute(request, insert_many_sql(request, {records.data() + first, count}, returning.sql));
        if (!outcome.rows) return reject_query_error(request, outcome);
        for (std::size_t i = 0; i < count; ++i)
            items.push_back(record_json(returning, *outcome.rows, i));
        first += count;
    }
    return items;
}

RowLocation list_location(std::size_t index) {
    auto record = "#/" + std::to_string(index);
    return {.record = record, .field_prefix = record + "/"};
}

// Finds the records that the database rejects.
std::optional<http::FullResponse> find_failed_records(CollectionRequest& request,
                                                      const std::vector<ColumnValues>& records) {
    BulkInsertErrors errors(request);
    for (std::size_t first = 0; first < records.size();) {
        auto count = batch_size(records, first);
        auto location_of = [first](std::size_t index) { return list_location(first + index); };
        if (!errors.check({records.data() + first, count}, location_of)) break;
        first += count;
    }
    return errors.response();
}

http::FullResponse create_many(CollectionRequest& request, const bj::array& bodies) {
    ValidationErrors errors;
    if (bodies.empty() || bodies.size() > bulk_max) {
        errors.add("", "must have 1 to " + std::to_string(bulk_max) + " records");
        return reject_invalid(request, std::move(errors), "The body");
    }
    TRY(count_records(request, bodies.size()));
    std::vector<ColumnValues> records;
    for (std::size_t i = 0; i < bodies.size(); ++i)
        records.push_back(
            parse_create_body(request.collection, request.view, bodies[i], "/" + std::to_string(i), errors));
    std::size_t files = 0;
    for (std::size_t i = 0; i < records.size() && errors.empty(); ++i) {
        if (needs_file_store(request, records[i]) && ++files > files_per_request_max) {
            errors.add("/" + std::to_string(i), "is one of more than " +
                                                    std::to_string(files_per_request_max) +
                                                    " records with files: send fewer in one request");
            break;
        }
        auto pointer = "/" + std::to_string(i);
        if (auto refused = verify_files(request, records[i], pointer, {}, errors)) return *std::move(refused);
    }
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The body");
    auto returning = make_returning(request.view);
    ScopedTransaction transaction{request, std::nullopt};
    TRY(transaction.begin());
    auto items = insert_all(request, records, returning);
    bool quota = !items && items.error().status == 429;  // A quota: no single record is at fault.
    if (!items && !quota && items.error().status < 500) {
        transaction.roll_back();  // Returns the connection: finding the failed records needs one, too.
        if (auto all = find_failed_records(request, records)) return *std::move(all);
    }
    if (!items) return std::move(items).error();
    TRY(transaction.commit());
    std::string body = R"({"items":[)";
    for (const auto& item : *items)
        body.append(body.back() == '[' ? "" : ",").append(item);
    return json_response(201, body += "]}");
}

// Versions that If-Match allows (RFC 9110 section 13.1.1). A weak or unknown tag matches none.
struct IfMatch {
    bool any = true;
    std::vector<std::string> versions;
};

IfMatch parse_if_match(const http::Request& request) {
    auto sent = request.headers.get("If-Match");
    if (!sent || *sent == "*") return {};
    IfMatch if_match{.any = false, .versions = {}};
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
        if (whole && std::all_of(digits.begin(), digits.end(), is_digit))
            if_match.versions.emplace_back(digits);
    }
    return if_match;
}

bool allows(const IfMatch& if_match, const std::string& version) {
    return std::find(if_match.versions.begin(), if_match.versions.end(), version) != if_match.versions.end();
}

std::string version_condition(Sql& sql, const IfMatch& if_match) {
    if (if_match.any) return {};
    return " AND t.\"version\" = ANY (" + sql.parameter(to_array_literal(if_match.versions), "bigint[]") +
           ")";
}

// Returns the problem response for an UPDATE or DELETE that affected no row: the record is not visible to the
// caller, has another version, is in another state, or no rule allows the action.
http::FullResponse explain_no_rows(CollectionRequest& request, const std::string& id, const IfMatch& if_match,
                                   const Transition* transition, const char* action) {
    auto visible = TRY(find_visible_version(request, id));
    if (!visible) return reject_not_found(request);
    auto version = std::to_string(visible->version);
    if (!if_match.any && !allows(if_match, version)) {
        return reject(request,
                      http::problem(http::ProblemType::version_mismatch,
                                    "The current version is " + version +
                                        ". Read the record again before changing it."),
                      "If-Match must name the current version");
    }
    if (transition) {
        const auto& from = transition->from;
        if (std::find(from.begin(), from.end(), visible->state) == from.end()) {
            return reject(request,
                          http::problem(http::ProblemType::wrong_state,
                                        "The record is in state " + visible->state + "; " + transition->name +
                                            " does not start from it."),
                          "transition " + transition->name + " does not start from this state");
        }
    }
    return reject_forbidden(request, "You may read this record but not " + std::string(action) + " it.",
                            "no rule for " + std::string(action) + " of " +
                                request.collection.collection->name + " holds for this record");
}

http::FullResponse updated_response(const Returning& returning, const postgres::ResultSet& rows) {
    auto response = json_response(200, record_json(returning, rows, 0));
    if (!returning.columns.empty()) response.headers.add("ETag", to_etag(rows.text(0, returning.version)));
    return response;
}

std::string assignments(Sql& sql, const ColumnValues& columns) {
    std::string text;
    for (std::size_t i = 0; i < columns.fields.size(); ++i) {
        sql.parameters.push_back(columns.values[i]);
        text += (i == 0 ? "" : ", ") + column(*columns.fields[i]) + " = $" +
                std::to_string(sql.parameters.size()) + "::" + parameter_type(*columns.fields[i]);
    }
    return text;
}

// Returns nullopt if no record was updated.
std::optional<http::FullResponse> try_patch(CollectionRequest& request, const std::string& id,
                                            const bj::value& body, const IfMatch& if_match,
                                            const StoredFiles& stored) {
    ValidationErrors errors;
    auto columns = parse_patch_body(request.collection, request.view, body, errors);
    if (auto refused = verify_files(request, columns, "", stored, errors)) return refused;
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The body");
    if (columns.fields.empty()) return execute_blocking(request, get_record(request));
    auto returning = make_returning(request.view);
    Sql sql;
    auto changes = assignments(sql, columns);
    sql.text = request.view.sql_comment + "UPDATE " + request.collection.table + " AS t SET " + changes +
               " WHERE t.\"id\" = " + sql.parameter(id, "uuid");
    sql.text += version_condition(sql, if_match) + returning.sql;
    auto outcome = execute(request, sql);
    if (!outcome.rows) return reject_query_error(request, outcome);
    if (outcome.rows->empty()) return std::nullopt;
    return updated_response(returning, *outcome.rows);
}

// A patch whose objects are merged into the stored ones, and the version they were read from.
struct MergedPatch {
    bj::value body;
    std::string version;
    StoredFiles files;
};

Result<MergedPatch, http::FullResponse> read_and_merge(CollectionRequest& request, const std::string& id,
                                                       const std::vector<const Field*>& fields,
                                                       const bj::value& body) {
    Sql sql;
    sql.text = request.view.sql_comment + "SELECT \"version\", " + column_list(fields) + " FROM " +
               request.collection.table + " WHERE \"id\" = " + sql.parameter(id, "uuid");
    auto outcome = execute(request, sql);
    if (!outcome.rows) return reject_query_error(request, outcome);
    if (outcome.rows->empty()) return reject_not_found(request);
    MergedPatch merged{.body = body, .version = std::string(outcome.rows->text(0, 0)), .files = {}};
    auto& members = merged.body.get_object();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        bool is_null = outcome.rows->is_null(0, i + 1);
        auto stored = is_null ? Result<bj::value>(bj::value()) : json::parse(outcome.rows->text(0, i + 1));
        ASSERT(stored);  // A jsonb column is valid JSON.
        if (fields[i]->type == FieldType::file) merged.files.emplace(fields[i], *stored);
        auto& member = members.at(fields[i]->name);
        member = merge_patch(*std::move(stored), member);
    }
    return merged;
}

bool changed_since(CollectionRequest& request, const std::string& id, const std::string& version) {
    auto visible = find_visible_version(request, id);
    return visible && *visible && std::to_string((*visible)->version) != version;
}

}  // namespace

HandlerResult create_records(CollectionRequest& request) {
    if (request.collection.collection->create.empty() ||
        rules_for(request.collection.collection->create, request.view.role).empty()) {
        return reject_forbidden(
            request, "The role " + request.view.role + " may not create records here.",
            "access.create of " + request.collection.collection->name + " has no rule for the role");
    }
    auto body = TRY(parse_json_body(request));
    if (const auto* array = body.if_array()) {
        if (current_completion_queue(request.http_context)) return http::NeedsBlockingThread{};
        return create_many(request, *array);
    }
    return create_one(request, body);
}

http::FullResponse patch_record(CollectionRequest& request) {
    auto id = normalize_uuid(request.http_context.parameter("id"));
    if (!id) return reject_not_found(request);
    if (request.collection.collection->if_match_required &&
        !request.http_request.headers.contains("If-Match")) {
        return reject(request,
                      http::problem(http::ProblemType::if_match_missing,
                                    "Send If-Match with the ETag of the version you read."),
                      "if_match of " + request.collection.collection->name + " is required");
    }
    auto body = TRY(parse_json_body(request));
    auto if_match = parse_if_match(request.http_request);
    auto merged = fields_to_merge(request.view, body);
    if (merged.empty()) {
        auto patched = try_patch(request, *id, body, if_match, {});
        return patched ? *std::move(patched) : explain_no_rows(request, *id, if_match, nullptr, "change");
    }
    for (int attempt = 1;; ++attempt) {
        auto current = TRY(read_and_merge(request, *id, merged, body));
        bool stale = !if_match.any && !allows(if_match, current.version);
        auto patched = stale ? std::nullopt
                             : try_patch(request, *id, current.body,
                                         {.any = false, .versions = {current.version}}, current.files);
        if (patched) return *std::move(patched);
        // No row was updated: a retry helps only if a concurrent update changed the version.
        bool may_retry = !stale && if_match.any && attempt < merge_attempts_max;
        if (!may_retry || !changed_since(request, *id, current.version))
            return explain_no_rows(request, *id, if_match, nullptr, "change");
    }
}

http::FullResponse delete_record(CollectionRequest& request) {
    auto id = normalize_uuid(request.http_context.parameter("id"));
    if (!id) return reject_not_found(request);
    auto if_match = parse_if_match(request.http_request);
    Sql sql;
    // The record trigger of a table with soft delete treats setting deleted_at as a deletion.
    auto action =
        request.collection.collection->soft_delete
            ? "UPDATE " + request.collection.table + " AS t SET \"" + std::string(deleted_at) + "\" = now()"
            : "DELETE FROM " + request.collection.table + " AS t";
    sql.text = request.view.sql_comment + action + " WHERE t.\"id\" = " + sql.parameter(*id, "uuid");
    sql.text += version_condition(sql, if_match) + " RETURNING t.\"id\"";
    auto outcome = execute(request, sql);
    if (!outcome.rows) return reject_query_error(request, outcome);
    if (outcome.rows->empty()) return explain_no_rows(request, *id, if_match, nullptr, "delete");
    return {.status = 204, .headers = {}, .body = {}};
}

http::FullResponse apply_transition(CollectionRequest& request, const Transition& transition) {
    auto id = normalize_uuid(request.http_context.parameter("id"));
    if (!id) return reject_not_found(request);
    auto if_match = parse_if_match(request.http_request);
    bj::value body = bj::object();
    if (!request.http_request.body.empty()) body = TRY(parse_json_body(request));
    ValidationErrors errors;
    auto columns = parse_transition_body(request.collection, request.view, transition, body, errors);
    if (auto refused = verify_files(request, columns, "", {}, errors)) return *std::move(refused);
    if (!errors.empty()) return reject_invalid(request, std::move(errors), "The body");
    auto returning = make_returning(request.view);
    Sql sql;
    auto changes = assignments(sql, columns);
    sql.text = request.view.sql_comment + "UPDATE " + request.collection.table +
               " AS t SET \"state\" = " + sql.parameter(transition.to, "text") +
               (changes.empty() ? "" : ", " + changes) + " FROM (SELECT set_config('integreat.transition', " +
               sql.parameter(transition.name, "text") +
               ", true) AS name OFFSET 0) AS transition WHERE transition.name <> '' AND t.\"id\" = " +
               sql.parameter(*id, "uuid");
    sql.text += version_condition(sql, if_match) + returning.sql;
    auto outcome = execute(request, sql);
    if (!outcome.rows) return reject_query_error(request, outcome);
    if (outcome.rows->empty())
        return explain_no_rows(request, *id, if_match, &transition, transition.name.c_str());
    return updated_response(returning, *outcome.rows);
}

}  // namespace integreat::collections
