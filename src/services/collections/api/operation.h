// SPDX-License-Identifier: Apache-2.0
// Shared by all handlers of collections: the request with its caller, statements run under the caller's
// database role, and problem responses for database errors. No response reveals more about a record than the
// caller may read: a record they may not read is reported as not found.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/concurrency/tenant_semaphore.h"
#include "base/secret.h"
#include "config/settings/settings.h"
#include "http/message/message.h"
#include "http/message/problem.h"
#include "http/routing/route.h"
#include "policy/files/bucket_access.h"
#include "postgres/driver/pool.h"
#include "services/collections/query/query_parser.h"
#include "services/collections/query/select_sql.h"
#include "services/collections/schema/constraint_violation.h"
#include "services/collections/views/role_view.h"
#include "services/files/file_store.h"

namespace integreat::collections {

class ChangeFeed;

// The bucket of an app, for the files of its records.
struct RecordFiles {
    std::shared_ptr<files::FileStore> store;  // Null if the settings configure none.
    std::string project;
    std::vector<policy::OpenedPrefix> opened;
};

// State shared by all routes of one app.
struct CollectionsContext {
    std::shared_ptr<const ModelPlan> plan;
    std::function<postgres::Pool*()> pool;  // Pool of the app's database; null while it is unavailable.
    Secret cursor_key;
    std::shared_ptr<ChangeFeed> feed;
    std::string fingerprint;  // Schema fingerprint of the model.
    config::ImportSettings imports;
    std::shared_ptr<TenantSemaphore> import_semaphore = std::make_shared<TenantSemaphore>();
    RecordFiles files = {};
};

// Returns the transaction that the request runs in: that of its Idempotency-Key, or a ScopedTransaction; null
// if each statement is its own transaction.
inline postgres::Transaction* current_transaction(const http::RequestContext& http_context) {
    return http_context.attachments.find<postgres::Transaction>();
}

// Returns the completion queue of the I/O thread that calls the handler; null on the blocking pool.
inline postgres::CompletionQueue* current_completion_queue(const http::RequestContext& http_context) {
    return http_context.attachments.find<postgres::CompletionQueue>();
}

// One HTTP request to one collection.
struct CollectionRequest {
    const CollectionsContext& context;
    const CollectionPlan& collection;
    const RoleView& view;
    postgres::Pool& pool;
    postgres::RoleContext caller;
    const http::Request& http_request;
    http::RequestContext& http_context;

    const Model& model() const { return *context.plan->model; }
    QueryScope query_scope() const { return {*context.plan, collection, view}; }
};

struct QueryOutcome {
    Result<postgres::ResultSet> rows;
    postgres::ServerError server_error;
};

// The single query a handler needs, and the callback that turns its outcome into the response.
struct QueryPlan {
    Sql sql;
    std::function<http::FullResponse(CollectionRequest&, const QueryOutcome&)> on_result;
};

// A response that needs no query, a single query, or NeedsBlockingThread if one query is not enough.
using HandlerResult = std::variant<http::FullResponse, QueryPlan, http::NeedsBlockingThread>;

// Runs the query of `result`, if any, on the calling thread and returns the response.
http::FullResponse execute_blocking(CollectionRequest& request, HandlerResult result);

// Starts the query of `result` on the completion queue of the I/O thread. Returns NeedsBlockingThread if that
// is not possible.
http::Response execute_async(std::shared_ptr<CollectionRequest> request, HandlerResult result);

// Runs one statement under the caller's role, in the transaction of the request or in one of its own.
// Statements in their own transaction are retried after serialization failures and deadlocks.
QueryOutcome execute(CollectionRequest& request, const Sql& sql);

// Runs one statement in a savepoint of the request's transaction, which stays usable after an error.
QueryOutcome execute_in_savepoint(CollectionRequest& request, const Sql& sql);

// Records the refusal for `integreat why`, with `rule` as the reason, and returns the problem response.
http::FullResponse reject(CollectionRequest& request, http::Problem problem, std::string rule);
// Returns 400 with all validation errors. `source` begins the detail: "The body", "The query".
http::FullResponse reject_invalid(CollectionRequest& request, ValidationErrors errors, const char* source);
http::FullResponse reject_not_found(CollectionRequest& request);
http::FullResponse reject_forbidden(CollectionRequest& request, std::string detail, std::string rule);

// Counts `records` of a list or an import against the caller's budget. Returns 429 if it is used up.
Result<void, http::FullResponse> count_records(CollectionRequest& request, std::size_t records);

// Location of a record in the body, for error messages: {"#/17", "#/17/"}, {"line 17", "line 17, "}.
struct RowLocation {
    std::string record;               // Empty if the body is the record.
    std::string field_prefix = "#/";  // Text before a field name.
};

// A database error expressed in terms of the collection.
struct DatabaseProblem {
    http::Problem problem;
    std::string rule;
};

// Returns nullopt if the client cannot fix the error.
std::optional<DatabaseProblem> database_problem_from(const CollectionRequest& request,
                                                     const QueryOutcome& outcome,
                                                     const RowLocation& location);

// Returns the problem response for a failed statement.
http::FullResponse reject_query_error(CollectionRequest& request, const QueryOutcome& outcome,
                                      const RowLocation& location = {});

// Version and state of a record the caller may read.
struct VisibleVersion {
    std::int64_t version = 0;
    std::string state;
};
// Looks up the current version of a record. Finds nothing if the caller may not read it.
Result<std::optional<VisibleVersion>, http::FullResponse> find_visible_version(CollectionRequest& request,
                                                                               const std::string& id);

// Parses the query string and the JSON body. The error is the problem response.
Result<QueryPairs, http::FullResponse> parse_query_pairs(CollectionRequest& request);
Result<boost::json::value, http::FullResponse> parse_json_body(CollectionRequest& request);

http::FullResponse json_response(int status, std::string body);
std::string to_etag(std::string_view version);

}  // namespace integreat::collections
