// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/operation.h"

#include "base/text/ascii.h"
#include "http/routing/target.h"
#include "json/value/parse.h"
#include "postgres/driver/completion_queue.h"

namespace integreat::collections {

namespace {

constexpr int transaction_attempts_max = 3;
// Result sets above this size, in bytes, are rendered on a blocking thread, so that rendering does not delay
// other requests of the I/O thread.
constexpr std::size_t large_result_bytes = 256 * 1024;

bool is_retryable(const postgres::ServerError& error) {
    return error.sqlstate == "40001" || error.sqlstate == "40P01";
}

std::string join_names(const std::vector<std::string>& names) {
    auto text = join(names, ", ");
    return text;
}

std::vector<http::FieldError> field_errors(const std::vector<std::string>& fields,
                                           const RowLocation& location, const char* detail) {
    std::vector<http::FieldError> errors;
    for (const auto& field : fields)
        errors.push_back({location.field_prefix + field, detail});
    return errors;
}

http::Problem invalid_request(std::vector<http::FieldError> errors) {
    std::string detail = errors.empty() ? "A value is out of range for its field."
                                        : "The body is invalid; `errors` lists each location.";
    return http::problem(http::ProblemType::invalid_request, std::move(detail), std::move(errors));
}

http::Problem to_problem(const CollectionRequest& request, const ConstraintViolation& violation,
                         const RowLocation& location) {
    const auto& fields = violation.fields;
    switch (violation.kind) {
        case ViolationKind::already_exists: {
            auto problem =
                http::problem(http::ProblemType::already_exists,
                              fields.empty() ? "Another record has the same values."
                                             : "Another record has the same " + join_names(fields) + ".");
            problem.errors = field_errors(fields, location, "is already in use");
            return problem;
        }
        case ViolationKind::referenced:
            return http::problem(
                http::ProblemType::referenced,
                "Records of " + violation.collection + " reference it through " + join_names(fields) + ".");
        case ViolationKind::wrong_state:
            return http::problem(http::ProblemType::wrong_state,
                                 "The transition does not start from the current state of the record.");
        case ViolationKind::required_for_transition: {
            auto problem = http::problem(http::ProblemType::incomplete,
                                         "The transition requires " + join_names(fields) + ".");
            problem.errors = field_errors(fields, location, "is required for this transition");
            return problem;
        }
        case ViolationKind::quota:
            return http::problem(
                http::ProblemType::limit_reached,
                (request.caller.uid.empty() ? "Callers without a token may together create at most "
                                            : "You may create at most ") +
                    std::to_string(request.collection.collection->max_per_owner.value_or(0)) +
                    " records of " + request.collection.collection->name + " (max_per_owner).");
        case ViolationKind::guard:
            return http::problem(http::ProblemType::guard_failed,
                                 "The transition's condition does not hold.");
        case ViolationKind::unreadable_reference:
            return invalid_request(field_errors(fields, location, "there is no such record"));
        case ViolationKind::missing: return invalid_request(field_errors(fields, location, "is required"));
        case ViolationKind::out_of_range:
            return invalid_request(field_errors(fields, location, "is out of range"));
        case ViolationKind::forbidden:
        case ViolationKind::other: break;
    }
    return http::problem(http::ProblemType::forbidden, "No rule of " + request.collection.collection->name +
                                                           " allows this for the role " + request.view.role +
                                                           ".");
}

}  // namespace

QueryOutcome execute(CollectionRequest& request, const Sql& sql) {
    QueryOutcome outcome{.rows = Error{}, .server_error = {}};
    if (auto* transaction = current_transaction(request.http_context)) {
        transaction->set_role(request.caller);
        outcome.rows = transaction->execute(sql.text, std::span<const postgres::Value>(sql.parameters));
        outcome.server_error = transaction->server_error();
        return outcome;
    }
    for (int attempt = 1;; ++attempt) {
        outcome.rows =
            request.pool.query_as(request.http_context.tenant, request.caller, request.http_context.deadline,
                                  sql.text, sql.parameters, &outcome.server_error);
        if (outcome.rows || !is_retryable(outcome.server_error) || attempt >= transaction_attempts_max)
            return outcome;
    }
}

QueryOutcome execute_in_savepoint(CollectionRequest& request, const Sql& sql) {
    QueryOutcome outcome{.rows = Error{}, .server_error = {}};
    auto& transaction = *current_transaction(request.http_context);
    transaction.set_role(request.caller);
    outcome.rows =
        transaction.execute_in_savepoint(sql.text, std::span<const postgres::Value>(sql.parameters));
    outcome.server_error = transaction.server_error();
    return outcome;
}

http::FullResponse execute_blocking(CollectionRequest& request, HandlerResult result) {
    if (auto* response = std::get_if<http::FullResponse>(&result)) return std::move(*response);
    ASSERT(std::holds_alternative<QueryPlan>(result));
    const auto& plan = std::get<QueryPlan>(result);
    return plan.on_result(request, execute(request, plan.sql));
}

http::Response execute_async(std::shared_ptr<CollectionRequest> request, HandlerResult result) {
    if (auto* response = std::get_if<http::FullResponse>(&result)) return std::move(*response);
    auto* plan = std::get_if<QueryPlan>(&result);
    if (!plan) return http::NeedsBlockingThread{};
    // Shared by the response and the query: either may be destroyed first.
    struct Pending {
        std::shared_ptr<CollectionRequest> request;
        QueryPlan plan;
        std::optional<postgres::QueryResult> outcome;
        std::function<void(bool)> ready;
    };
    auto pending = std::make_shared<Pending>(Pending{std::move(request), std::move(*plan), {}, {}});
    auto& http_context = pending->request->http_context;
    bool begun = pending->request->pool.query_async(
        *current_completion_queue(http_context), http_context.tenant, pending->request->caller,
        http_context.deadline, pending->plan.sql.text, pending->plan.sql.parameters,
        [weak = std::weak_ptr(pending)](postgres::QueryResult outcome) {
            auto waiting = weak.lock();
            if (!waiting) return;  // The client has disconnected.
            bool large = outcome.rows && outcome.rows->memory() > large_result_bytes;
            waiting->outcome = std::move(outcome);
            waiting->ready(large);
        });
    if (!begun) return http::NeedsBlockingThread{};
    return http::PendingResponse{
        .on_ready = [pending](std::function<void(bool)> ready) { pending->ready = std::move(ready); },
        .complete = [pending]() -> http::Response {
            auto& outcome = *pending->outcome;
            if (outcome.should_retry || is_retryable(outcome.server_error))
                return http::NeedsBlockingThread{};
            return pending->plan.on_result(*pending->request,
                                           {std::move(outcome.rows), std::move(outcome.server_error)});
        }};
}

http::FullResponse reject(CollectionRequest& request, http::Problem problem, std::string rule) {
    request.http_context.decision = {
        .stage = "data",
        .type = std::string(problem.slug()),
        .rule = std::move(rule),
        .facts = {{"collection", request.collection.collection->name},
                  {"role", request.view.role},
                  {"user", request.caller.uid.empty() ? "(anonymous)" : request.caller.uid}}};
    return http::to_response(problem, request.http_context);
}

Result<void, http::FullResponse> count_records(CollectionRequest& request, std::size_t records) {
    auto& http_context = request.http_context;
    if (http_context.records_wait.count() == 0) {
        http_context.records = records;
        return {};
    }
    auto problem = http::problem(http::ProblemType::limit_reached,
                                 "You have sent too many records in lists and imports "
                                 "(max_records_per_window). Retry after " +
                                     std::to_string(http_context.records_wait.count()) + " s.",
                                 http_context.records_wait);
    return reject(request, std::move(problem), "max_records_per_window of the manifest");
}

http::FullResponse reject_invalid(CollectionRequest& request, ValidationErrors errors, const char* source) {
    auto problem = http::problem(http::ProblemType::invalid_request,
                                 std::string(source) + " is invalid; `errors` lists each location.",
                                 std::move(errors.list));
    auto rule = problem.errors.front().pointer + " " + problem.errors.front().detail;
    return reject(request, std::move(problem), std::move(rule));
}

http::FullResponse reject_not_found(CollectionRequest& request) {
    return reject(
        request,
        http::problem(http::ProblemType::not_found, "The record does not exist, or you may not read it."),
        "a record the caller may not read is reported as not found (access.read of " +
            request.collection.collection->name + ")");
}

http::FullResponse reject_forbidden(CollectionRequest& request, std::string detail, std::string rule) {
    return reject(request, http::problem(http::ProblemType::forbidden, std::move(detail)), std::move(rule));
}

std::optional<DatabaseProblem> database_problem_from(const CollectionRequest& request,
                                                     const QueryOutcome& outcome,
                                                     const RowLocation& location) {
    auto violation =
        classify_violation(request.model(), *request.collection.collection, outcome.server_error);
    if (violation.kind == ViolationKind::other) return {};
    auto problem = to_problem(request, violation, location);
    if (problem.errors.empty() && !location.record.empty())
        problem.errors.push_back({location.record, problem.detail});
    return DatabaseProblem{std::move(problem), "the database rejected it: " + outcome.rows.error().cause};
}

http::FullResponse reject_query_error(CollectionRequest& request, const QueryOutcome& outcome,
                                      const RowLocation& location) {
    const auto& error = outcome.rows.error();
    request.http_context.cause = error.cause;
    if (auto found = database_problem_from(request, outcome, location))
        return reject(request, std::move(found->problem), std::move(found->rule));
    auto problem = http::problem_from(error);
    if (error.cause.starts_with("unknown: ") && request.http_request.method != http::Method::get)
        problem.detail =
            "The connection to the database was lost, so the outcome is unknown. Check the record before "
            "retrying.";
    return reject(request, std::move(problem), "the query failed: " + error.cause);
}

Result<std::optional<VisibleVersion>, http::FullResponse> find_visible_version(CollectionRequest& request,
                                                                               const std::string& id) {
    std::optional<VisibleVersion> found;
    if (!request.view.can_read()) return found;
    bool has_state = !request.collection.collection->initial_state.empty();
    Sql sql;
    sql.text = request.view.sql_comment + "SELECT \"version\"" + (has_state ? ", \"state\"" : "") + " FROM " +
               request.collection.table + " WHERE \"id\" = " + sql.parameter(id, "uuid");
    auto outcome = execute(request, sql);
    if (!outcome.rows) return reject_query_error(request, outcome);
    if (outcome.rows->empty()) return found;
    found = VisibleVersion{.version = outcome.rows->integer(0, 0), .state = {}};
    if (has_state) found->state = outcome.rows->text(0, 1);
    return found;
}

Result<QueryPairs, http::FullResponse> parse_query_pairs(CollectionRequest& request) {
    auto pairs = http::parse_query(request.http_request.query());
    if (pairs) return *std::move(pairs);
    ValidationErrors errors;
    errors.list.push_back({"?", pairs.error().message});
    return reject_invalid(request, std::move(errors), "The query");
}

Result<boost::json::value, http::FullResponse> parse_json_body(CollectionRequest& request) {
    auto value =
        json::parse(request.http_request.body, {.max_bytes = request.http_context.route->max_body_bytes});
    if (value) return *std::move(value);
    return reject(request, http::problem(http::ProblemType::malformed_json, value.error().message),
                  "the body must be JSON");
}

http::FullResponse json_response(int status, std::string body) {
    return {.status = status,
            .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "private, no-cache"}},
            .body = std::move(body)};
}

std::string to_etag(std::string_view version) {
    return "\"" + std::string(version) + "\"";
}

}  // namespace integreat::collections
