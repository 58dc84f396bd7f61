// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/routes.h"

#include <algorithm>

#include "services/collections/api/changes_handler.h"
#include "services/collections/api/export.h"
#include "services/collections/api/import.h"
#include "services/collections/api/openapi_schemas.h"
#include "services/collections/api/reads.h"
#include "services/collections/api/record_body.h"
#include "services/collections/api/record_files.h"
#include "services/collections/api/writes.h"
#include "services/collections/views/caller_role.h"

namespace integreat::collections {

namespace {

using http::ProblemType;

constexpr std::size_t max_body_bytes = 2 * 1024 * 1024;
constexpr std::size_t bulk_bytes_max = 8 * 1024 * 1024;  // For lists of new records.

using BlockingHandler = std::function<http::Response(CollectionRequest&)>;
using QueryHandler = HandlerResult (*)(CollectionRequest&);

http::FullResponse reject_unavailable(const http::RequestContext& http_context) {
    return http::to_response(
        http::problem_from(
            {Fault::unavailable, "The application's database is not available yet. Retry later.", ""}),
        http_context);
}

CollectionRequest make_collection_request(const CollectionsContext& context, const CollectionPlan& collection,
                                          postgres::Pool& pool, const http::Request& http_request,
                                          http::RequestContext& http_context) {
    const auto& view =
        context.plan->view(collection, caller_role(*context.plan->model, http_context.principal.get()));
    return {.context = context,
            .collection = collection,
            .view = view,
            .pool = pool,
            .caller = make_role_context(view.database_role, http_context),
            .http_request = http_request,
            .http_context = http_context};
}

// Wraps a handler that may block. `collection` lives as long as `context`.
http::Handler make_handler(const std::shared_ptr<const CollectionsContext>& context,
                           const CollectionPlan& collection, BlockingHandler handler) {
    return [context, &collection, handler = std::move(handler)](
               const http::Request& http_request, http::RequestContext& http_context) -> http::Response {
        auto* pool = context->pool();
        if (!pool) return reject_unavailable(http_context);
        auto request = make_collection_request(*context, collection, *pool, http_request, http_context);
        auto response = handler(request);
        // The gateway stores the idempotency key in the same transaction, which the caller's role may not do.
        if (auto* transaction = current_transaction(http_context)) transaction->reset_role();
        return response;
    };
}

// Wraps a handler that needs a single query, which an I/O thread can run asynchronously.
http::Handler make_handler(const std::shared_ptr<const CollectionsContext>& context,
                           const CollectionPlan& collection, QueryHandler handler) {
    auto blocking = make_handler(context, collection,
                                 BlockingHandler([handler](CollectionRequest& request) -> http::Response {
                                     return execute_blocking(request, handler(request));
                                 }));
    return [context, &collection, handler, blocking = std::move(blocking)](
               const http::Request& http_request, http::RequestContext& http_context) -> http::Response {
        auto* pool = context->pool();
        if (!current_completion_queue(http_context) || !pool) return blocking(http_request, http_context);
        auto request = std::make_shared<CollectionRequest>(
            make_collection_request(*context, collection, *pool, http_request, http_context));
        auto result = handler(*request);
        return execute_async(std::move(request), std::move(result));
    };
}

// Returns the access of a route: open to every role that some rule may allow.
http::Access to_access(const Model& model, const std::vector<Rule>& rules) {
    using Audience = http::Access::Audience;
    http::Access access{.audience = Audience::roles, .keys_as_roles = true};
    for (const auto& role : model.roles) {
        if (rules_for(rules, role).empty()) continue;
        if (role == role_anonymous)
            access.audience = Audience::anyone;
        else if (role == role_none && access.audience != Audience::anyone)
            access.audience = Audience::signed_in;
        else
            access.roles.push_back(role);
    }
    if (access.audience != Audience::roles) access.roles.clear();
    return access;
}

std::vector<http::Parameter> filter_parameters(const Collection& collection) {
    std::vector<http::Parameter> parameters;
    for (const auto& field : collection.fields) {
        bool only_null = field.type == FieldType::json || field.type == FieldType::address ||
                         field.type == FieldType::file;
        parameters.push_back({field.name, false,
                              only_null
                                  ? "null.true or null.false"
                                  : "op.value, with op one of eq, ne, lt, le, gt, ge, in, like, starts and "
                                    "null; may be repeated: all conditions must hold",
                              filter_schema(field)});
    }
    if (!collection.search.empty()) parameters.push_back({"q", false, "Full-text search terms."});
    // Fields of these names cannot be filtered by: the parameters mean pagination.
    std::erase_if(parameters, [](const auto& one) { return one.name == "limit" || one.name == "next"; });
    return parameters;
}

http::Parameter id_parameter() {
    return {"id", false, "Record ID.", R"({"type": "string", "format": "uuid"})"};
}

http::Parameter if_match_parameter() {
    return {"If-Match", true, "ETag of the version to change; 412 if the record has another version.",
            R"({"type": "string", "examples": ["\"7\""]})"};
}

std::vector<http::Parameter> selection_parameters() {
    return {{"fields", false, "Fields to return, separated by commas."},
            {"expand", false, "References to replace by their records, separated by commas."}};
}

std::vector<http::Parameter> page_parameters(const Collection& collection) {
    auto parameters = selection_parameters();
    parameters.push_back({"sort", false,
                          "Up to three fields, separated by commas; -field sorts in descending order.",
                          R"({"type": "string", "examples": ["-created_at"]})"});
    parameters.push_back({"limit", false, "Page size.",
                          R"({"type": "integer", "minimum": 1, "maximum": 200, "default": 20})"});
    parameters.push_back({"next", false, "`next` of the previous page, with the same filter and order."});
    std::erase_if(parameters, [&](const auto& one) {
        return collection.find(one.name) && one.name != "next" && one.name != "limit";
    });
    return parameters;
}

// Adds the routes of one collection to `routes`.
struct RouteBuilder {
    const std::shared_ptr<const CollectionsContext>& context;
    const CollectionPlan& plan;
    const http::RateLimit& limit;
    const std::shared_ptr<const http::Components>& components;
    std::vector<http::Route>& routes;

    const Model& model() const { return *context->plan->model; }
    const Collection& collection() const { return *plan.collection; }
    std::string schema(const char* suffix = "") const {
        return schema_reference(schema_name(model(), collection()) + suffix);
    }

    http::Route& add(http::Method method, const std::string& path, const std::string& name,
                     http::Access access, BlockingHandler handler) const {
        const auto& app = model().app;
        return routes.emplace_back(
            http::Route{.method = method,
                        .pattern = "/v1/apps/" + app.text + "/" + collection().name + path,
                        .name = app.text + "." + collection().name + "." + name,
                        .tenant = app,
                        .access = std::move(access),
                        .limit = limit,
                        .execution = http::Execution::blocking,
                        .components = components,
                        .handler = make_handler(context, plan, std::move(handler))});
    }
    http::Route& add(http::Method method, const std::string& path, const std::string& name,
                     const std::vector<Rule>& rules, BlockingHandler handler) const {
        return add(method, path, name, to_access(model(), rules), std::move(handler));
    }
    http::Route& add(http::Method method, const std::string& path, const std::string& name,
                     const std::vector<Rule>& rules, QueryHandler handler) const {
        auto& route = add(method, path, name, rules, BlockingHandler());
        route.execution = http::Execution::single_query;
        route.handler = make_handler(context, plan, handler);
        return route;
    }
};

void add_list_routes(const RouteBuilder& builder) {
    const auto& collection = builder.collection();
    auto& list = builder.add(http::Method::get, "", "list", collection.read, list_records);
    list.summary = "List " + collection.name;
    list.response_schema = builder.schema(".Page");
    list.problems = {ProblemType::invalid_request, ProblemType::unavailable};
    list.documented_parameters = filter_parameters(collection);
    auto page = page_parameters(collection);
    list.documented_parameters.insert(list.documented_parameters.end(), page.begin(), page.end());

    auto& aggregate =
        builder.add(http::Method::get, "/aggregate", "aggregate", collection.read, aggregate_records);
    aggregate.summary = "Aggregate " + collection.name;
    aggregate.response_schema = R"({"type": "object", "required": ["items"],
        "properties": {"items": {"type": "array", "items": {"type": "object",
            "description": "The fields of `group`, and count, sum_FIELD, avg_FIELD and so on as selected."}}},
        "examples": [{"items": [{"count": 12}]}]})";
    aggregate.problems = {ProblemType::invalid_request, ProblemType::unavailable};
    aggregate.documented_parameters = filter_parameters(collection);
    aggregate.documented_parameters.push_back(
        {"select", false,
         "count (default), sum(field), avg(field), min(field) and max(field), separated by commas",
         R"({"type": "string", "default": "count"})"});
    aggregate.documented_parameters.push_back({"group", false, "Up to three fields, separated by commas."});
}

void add_feed(const RouteBuilder& builder) {
    const auto& collection = builder.collection();

    auto& changes = builder.add(http::Method::get, "/changes", "changes", collection.read, stream_changes);
    changes.summary = "Stream changes of " + collection.name + " as server-sent events";
    changes.response_type = "text/event-stream";
    changes.response_schema = feed_schema(collection);
    changes.problems = {ProblemType::invalid_request, ProblemType::limit_reached, ProblemType::unavailable};
    changes.documented_parameters = {
        {"after", false, "ID of the last event received, for clients that cannot send Last-Event-ID."},
        {"Last-Event-ID", true, "ID of the last event received: the stream resumes after it."}};
}

void add_export(const RouteBuilder& builder) {
    const auto& collection = builder.collection();
    auto& route = builder.add(http::Method::get, "/export.csv", "export", collection.read, export_records);
    route.summary = "Export " + collection.name + " as CSV (text/csv)";
    route.response_type = "text/csv";
    route.response_schema = csv_schema(builder.model(), collection, Action::read);
    route.response_fields = {"Content-Disposition"};
    route.problems = {ProblemType::invalid_request, ProblemType::unavailable};
    route.documented_parameters = filter_parameters(collection);
    for (auto& parameter : page_parameters(collection)) {
        if (parameter.name == "fields" || parameter.name == "sort")
            route.documented_parameters.push_back(std::move(parameter));
    }
}

void add_reads(const RouteBuilder& builder) {
    const auto& collection = builder.collection();
    add_list_routes(builder);
    add_feed(builder);
    add_export(builder);
    auto& get = builder.add(http::Method::get, "/{id}", "get", collection.read, get_record);
    get.summary = "Read a record of " + collection.name;
    get.response_schema = builder.schema();
    get.problems = {ProblemType::invalid_request, ProblemType::not_found, ProblemType::unavailable};
    get.response_fields = {"ETag"};
    get.documented_parameters = selection_parameters();
    get.documented_parameters.push_back(id_parameter());
    get.documented_parameters.push_back(
        {"If-None-Match", true, "ETag of a cached copy; 304 if it is current."});
    auto& history = builder.add(
        http::Method::get, "/{id}/history", "history",
        {.audience = http::Access::Audience::roles, .roles = collection.history_roles, .keys_as_roles = true},
        record_history);
    history.summary = "List the changes of a record of " + collection.name + ", newest first";
    history.response_schema = std::string(history_schema());
    history.problems = {ProblemType::invalid_request, ProblemType::not_found, ProblemType::unavailable};
    history.documented_parameters = {
        id_parameter(),
        {"limit", false, "Page size.", R"({"type": "integer", "minimum": 1, "maximum": 200, "default": 20})"},
        {"next", false, "`next` of the previous page."}};
}

void add_files(const RouteBuilder& builder) {
    const auto& collection = builder.collection();
    for (const auto& field : collection.fields) {
        if (field.type != FieldType::file) continue;
        auto& route =
            builder.add(http::Method::get, "/{id}/files/" + field.name, "open-" + field.name, collection.read,
                        BlockingHandler([&field](CollectionRequest& request) -> http::Response {
                            return open_file(request, field);
                        }));
        route.summary = "Get a link to the file " + field.name + " of a record of " + collection.name +
                        ", valid for some minutes";
        route.response_schema = std::string(file_link_schema());
        route.problems = {ProblemType::invalid_request, ProblemType::forbidden, ProblemType::not_found,
                          ProblemType::unavailable};
        route.documented_parameters = {id_parameter(),
                                       {"redirect", false, "`true`: 303 to the link instead of JSON.",
                                        R"({"type": "string", "enum": ["true"]})"}};
    }
}

void add_create(const RouteBuilder& builder) {
    const auto& collection = builder.collection();
    auto& create = builder.add(http::Method::post, "", "create", collection.create, create_records);
    create.summary = "Create one record of " + collection.name + ", or a list of records atomically";
    create.max_body_bytes = bulk_bytes_max;
    create.counts_records = true;
    create.idempotency = http::Idempotency::accepted;
    create.transactional = http::Transactional::with_key;
    create.request_schema = R"({"anyOf": [)" + builder.schema(".New") +
                            R"(, {"type": "array", "minItems": 1, "maxItems": )" + std::to_string(bulk_max) +
                            R"(, "items": )" + builder.schema(".New") + "}]}";
    create.response_schema =
        R"({"anyOf": [)" + builder.schema() +
        R"(, {"type": "object", "required": ["items"], "properties": {"items": {"type": "array",
                                 "items": )" +
        builder.schema() + "}}}]}";
    create.success_status = 201;
    create.response_fields = {"Location", "ETag"};
    create.problems = {ProblemType::invalid_request, ProblemType::malformed_json, ProblemType::forbidden,
                       ProblemType::already_exists,  ProblemType::limit_reached,  ProblemType::unavailable};
}

void add_import(const RouteBuilder& builder) {
    const auto& collection = builder.collection();
    auto& import = builder.add(http::Method::post, "/import", "import", collection.create, import_records);
    import.summary =
        "Import records of " + collection.name + " from CSV (text/csv) with a header line, atomically";
    const auto& limits = builder.context->imports;
    import.max_body_bytes = limits.max_bytes;
    import.timeout = limits.timeout;
    import.execution = http::Execution::spooled;
    import.counts_records = true;
    import.idempotency = http::Idempotency::accepted;
    import.transactional = http::Transactional::with_key;
    import.request_type = "text/csv";
    import.request_schema = csv_schema(builder.model(), collection, Action::create);
    import.response_schema = R"({"type": "object", "required": ["imported"],
        "properties": {"imported": {"type": "integer", "minimum": 1}}})";
    import.success_status = 201;
    import.problems = {ProblemType::invalid_request, ProblemType::unsupported_media_type,
                       ProblemType::forbidden,       ProblemType::already_exists,
                       ProblemType::limit_reached,   ProblemType::unavailable};
}

void add_changes(const RouteBuilder& builder) {
    const auto& collection = builder.collection();
    if (!collection.update.empty()) {
        auto& patch = builder.add(http::Method::patch, "/{id}", "patch", collection.update, patch_record);
        patch.summary = "Update a record of " + collection.name + " (JSON merge patch)";
        patch.max_body_bytes = max_body_bytes;
        patch.request_schema = builder.schema(".Change");
        patch.request_type = "application/merge-patch+json";
        patch.response_schema = builder.schema();
        patch.response_fields = {"ETag"};
        patch.documented_parameters = {id_parameter(), if_match_parameter()};
        patch.problems = {ProblemType::invalid_request, ProblemType::malformed_json,
                          ProblemType::forbidden,       ProblemType::not_found,
                          ProblemType::already_exists,  ProblemType::version_mismatch,
                          ProblemType::unavailable};
        if (collection.if_match_required) patch.problems.push_back(ProblemType::if_match_missing);
    }
    if (!collection.remove.empty()) {
        auto& remove = builder.add(http::Method::del, "/{id}", "delete", collection.remove, delete_record);
        remove.summary = "Delete a record of " + collection.name;
        remove.success_status = 204;
        remove.documented_parameters = {id_parameter(), if_match_parameter()};
        remove.problems = {ProblemType::forbidden, ProblemType::not_found, ProblemType::referenced,
                           ProblemType::version_mismatch, ProblemType::unavailable};
    }
}

void add_transitions(const RouteBuilder& builder) {
    for (const auto& transition : builder.collection().transitions) {
        auto& route = builder.add(
            http::Method::post, "/{id}/" + transition.name, transition.name, transition.allow,
            [&transition](CollectionRequest& request) { return apply_transition(request, transition); });
        route.summary =
            transition.summary.empty() ? "Apply the transition " + transition.name : transition.summary;
        route.max_body_bytes = max_body_bytes;
        route.idempotency = http::Idempotency::accepted;
        route.transactional = http::Transactional::with_key;
        route.request_schema = transition_schema(builder.model(), builder.collection(), transition);
        route.body_optional = true;
        route.response_schema = builder.schema();
        route.response_fields = {"ETag"};
        route.documented_parameters = {id_parameter(), if_match_parameter()};
        route.problems = {ProblemType::invalid_request,  ProblemType::malformed_json, ProblemType::forbidden,
                          ProblemType::not_found,        ProblemType::wrong_state,    ProblemType::incomplete,
                          ProblemType::version_mismatch, ProblemType::unavailable};
        if (!transition.guard.empty()) route.problems.push_back(ProblemType::guard_failed);
    }
}

}  // namespace

std::vector<http::Route> make_routes(std::shared_ptr<const CollectionsContext> context,
                                     const http::RateLimit& limit) {
    std::vector<http::Route> routes;
    auto components = component_schemas(*context->plan->model);
    for (const auto& plan : context->plan->collections) {
        RouteBuilder builder{context, plan, limit, components, routes};
        if (!plan.collection->read.empty()) add_reads(builder);
        if (!plan.collection->read.empty()) add_files(builder);
        if (!plan.collection->create.empty()) add_create(builder);
        if (!plan.collection->create.empty()) add_import(builder);
        add_changes(builder);
        add_transitions(builder);
    }
    return routes;
}

}  // namespace integreat::collections
