// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/routes.h"

#include <algorithm>

#include "services/collections/api/changes_handler.h"
#include "services/collections/api/exchange.h"
#include "services/collections/api/handlers.h"
#include "services/collections/api/openapi_schemas.h"
#include "services/collections/api/record_body.h"
#include "services/collections/views/caller_role.h"

namespace integreat::collections {

namespace {

constexpr std::size_t body_bytes_max = 2 * 1024 * 1024;
constexpr std::size_t bulk_bytes_max = 8 * 1024 * 1024;

using Operation = std::function<http::Response(Asked&)>;
using OneStep = Step (*)(Asked&);

http::Reply refuse_absent(const http::Call& call) {
    return http::to_reply(
        http::problem_from(
            {Fault::unavailable, "The application's database is not there yet; try again later.", ""}),
        call.id.text);
}

// Everything about the request that the work of a route needs.
Asked asked_of(const Desk& desk, const CollectionPlan& collection, postgres::Pool& pool,
               const http::Request& request, http::Call& call) {
    const auto& view = desk.plan->view(collection, role_of(*desk.plan->model, call.principal.get()));
    return {.desk = desk,
            .collection = collection,
            .view = view,
            .pool = pool,
            .acting = acting_as(view.database_role, call),
            .request = request,
            .call = call};
}

// `collection` lives as long as `desk`.
http::Handler handler_of(const std::shared_ptr<const Desk>& desk, const CollectionPlan& collection,
                         Operation operation) {
    return [desk, &collection, operation = std::move(operation)](const http::Request& request,
                                                                 http::Call& call) -> http::Response {
        auto* pool = desk->pool();
        if (!pool) return refuse_absent(call);
        auto asked = asked_of(*desk, collection, *pool, request, call);
        auto response = operation(asked);
        // What the gateway adds to the transaction (the record of the key) is not the caller's to write.
        if (call.transaction) call.transaction->act_as_login();
        return response;
    };
}

// The same for what needs one statement only, so that an I/O thread can wait for it in its lane.
http::Handler handler_of(const std::shared_ptr<const Desk>& desk, const CollectionPlan& collection,
                         OneStep step) {
    auto now = handler_of(desk, collection, Operation([step](Asked& asked) -> http::Response {
                              return answer_now(asked, step(asked));
                          }));
    return [desk, &collection, step, now = std::move(now)](const http::Request& request,
                                                           http::Call& call) -> http::Response {
        auto* pool = desk->pool();
        if (!call.lane || !pool) return now(request, call);
        auto asked = std::make_shared<Asked>(asked_of(*desk, collection, *pool, request, call));
        auto found = step(*asked);
        return answer_later(std::move(asked), std::move(found));
    };
}

// Those for whom some rule may hold.
http::Access access_for(const Model& model, const std::vector<Rule>& rules) {
    using Who = http::Access::Who;
    http::Access access{.who = Who::roles, .keys_as_roles = true};
    for (const auto& role : model.roles) {
        if (rules_for(rules, role).empty()) continue;
        if (role == role_anonymous)
            access.who = Who::anyone;
        else if (role == role_none && access.who != Who::anyone)
            access.who = Who::signed_in;
        else
            access.roles.push_back(role);
    }
    if (access.who != Who::roles) access.roles.clear();
    return access;
}

std::vector<http::Parameter> filter_parameters(const Collection& collection) {
    std::vector<http::Parameter> parameters;
    for (const auto& field : collection.fields) {
        bool only_null = field.type == FieldType::json || field.type == FieldType::address ||
                         field.type == FieldType::file;
        parameters.push_back({field.name, false,
                              only_null ? "null.true or null.false"
                                        : "op.value with eq, ne, lt, le, gt, ge, in, like, starts or null; "
                                          "given more than once, all must hold",
                              filter_schema(field)});
    }
    if (!collection.search.empty()) parameters.push_back({"q", false, "Words to be found."});
    // What is asked for by these names is something else.
    std::erase_if(parameters, [](const auto& one) { return one.name == "limit" || one.name == "next"; });
    return parameters;
}

http::Parameter id_parameter() {
    return {"id", false, "Of the record.", R"({"type": "string", "format": "uuid"})"};
}

http::Parameter if_match_parameter() {
    return {"If-Match", true, "The ETag of the version that is meant.",
            R"({"type": "string", "examples": ["\"7\""]})"};
}

std::vector<http::Parameter> shape_parameters() {
    return {{"fields", false, "Which fields to answer, divided by commas."},
            {"expand", false, "References to answer with their records, divided by commas."}};
}

std::vector<http::Parameter> page_parameters(const Collection& collection) {
    auto parameters = shape_parameters();
    parameters.push_back({"sort", false, "At most three fields, divided by commas; -field descends.",
                          R"({"type": "string", "examples": ["-created_at"]})"});
    parameters.push_back({"limit", false, "Records of a page.",
                          R"({"type": "integer", "minimum": 1, "maximum": 200, "default": 20})"});
    parameters.push_back({"next", false, "`next` of the page before, with the same filter and order."});
    std::erase_if(parameters, [&](const auto& one) {
        return collection.find(one.name) && one.name != "next" && one.name != "limit";
    });
    return parameters;
}

// The routes of one collection.
struct Listing {
    const std::shared_ptr<const Desk>& desk;
    const CollectionPlan& plan;
    const http::RateLimit& limit;
    const std::shared_ptr<const http::Components>& components;
    std::vector<http::Route>& routes;

    const Model& model() const { return *desk->plan->model; }
    const Collection& collection() const { return *plan.collection; }
    std::string schema(const char* suffix = "") const {
        return schema_reference(schema_name(model(), collection()) + suffix);
    }

    http::Route& add(http::Method method, const std::string& below, const std::string& name,
                     http::Access access, Operation operation) const {
        const auto& app = model().app;
        return routes.emplace_back(
            http::Route{.method = method,
                        .pattern = "/v1/apps/" + app.text + "/" + collection().name + below,
                        .name = app.text + "." + collection().name + "." + name,
                        .tenant = app,
                        .access = std::move(access),
                        .limit = limit,
                        .waits = true,
                        .components = components,
                        .handler = handler_of(desk, plan, std::move(operation))});
    }
    http::Route& add(http::Method method, const std::string& below, const std::string& name,
                     const std::vector<Rule>& rules, Operation operation) const {
        return add(method, below, name, access_for(model(), rules), std::move(operation));
    }
    http::Route& add(http::Method method, const std::string& below, const std::string& name,
                     const std::vector<Rule>& rules, OneStep step) const {
        auto& route = add(method, below, name, rules, Operation());
        route.in_lane = true;
        route.handler = handler_of(desk, plan, step);
        return route;
    }
};

void add_list(const Listing& listing) {
    const auto& collection = listing.collection();
    auto& list = listing.add(http::Method::get, "", "list", collection.read, list_records);
    list.summary = "List " + collection.name;
    list.response_schema = listing.schema(".Page");
    list.problems = {"invalid-request", "unavailable"};
    list.documented_parameters = filter_parameters(collection);
    auto more = page_parameters(collection);
    list.documented_parameters.insert(list.documented_parameters.end(), more.begin(), more.end());

    auto& sums =
        listing.add(http::Method::get, "/aggregate", "aggregate", collection.read, aggregate_records);
    sums.summary = "Count and sum up " + collection.name;
    sums.response_schema = R"({"type": "object", "required": ["items"],
        "properties": {"items": {"type": "array", "items": {"type": "object",
            "description": "The fields of `group`, and of `select` count, sum_FIELD, avg_FIELD and so on."}}},
        "examples": [{"items": [{"count": 12}]}]})";
    sums.problems = {"invalid-request", "unavailable"};
    sums.documented_parameters = filter_parameters(collection);
    sums.documented_parameters.push_back(
        {"select", false, "count (if left out), sum(field), avg(field), min(field), max(field), by commas",
         R"({"type": "string", "default": "count"})"});
    sums.documented_parameters.push_back({"group", false, "At most three fields, divided by commas."});
}

void add_feed(const Listing& listing) {
    const auto& collection = listing.collection();

    auto& changes = listing.add(http::Method::get, "/changes", "changes", collection.read, stream_changes);
    changes.summary = "Follow what changes in " + collection.name + ", as server-sent events";
    changes.response_type = "text/event-stream";
    changes.response_schema = feed_schema(collection);
    changes.problems = {"invalid-request", "limit-reached", "unavailable"};
    changes.documented_parameters = {
        {"after", false, "The id of the last event seen, where Last-Event-ID cannot be sent."},
        {"Last-Event-ID", true, "The id of the last event seen: what came after it is told."}};
}

void add_export(const Listing& listing) {
    const auto& collection = listing.collection();
    auto& all = listing.add(http::Method::get, "/export.csv", "export", collection.read, export_records);
    all.summary = "Export " + collection.name + " as comma-separated values (text/csv)";
    all.response_type = "text/csv";
    all.response_schema = table_schema(listing.model(), collection, Action::read);
    all.response_fields = {"Content-Disposition"};
    all.problems = {"invalid-request", "unavailable"};
    all.documented_parameters = filter_parameters(collection);
    for (auto& parameter : page_parameters(collection)) {
        if (parameter.name == "fields" || parameter.name == "sort")
            all.documented_parameters.push_back(std::move(parameter));
    }
}

void add_reads(const Listing& listing) {
    const auto& collection = listing.collection();
    add_list(listing);
    add_feed(listing);
    add_export(listing);
    auto& get = listing.add(http::Method::get, "/{id}", "get", collection.read, get_record);
    get.summary = "Read a record of " + collection.name;
    get.response_schema = listing.schema();
    get.problems = {"invalid-request", "not-found", "unavailable"};
    get.response_fields = {"ETag"};
    get.documented_parameters = shape_parameters();
    get.documented_parameters.push_back(id_parameter());
    get.documented_parameters.push_back(
        {"If-None-Match", true, "The ETag that is known already: 304 if it still holds."});
    auto& history = listing.add(
        http::Method::get, "/{id}/history", "history",
        {.who = http::Access::Who::roles, .roles = collection.history_roles, .keys_as_roles = true},
        record_history);
    history.summary = "Who changed a record of " + collection.name + " when, the newest first";
    history.response_schema = std::string(history_schema());
    history.problems = {"invalid-request", "not-found", "unavailable"};
    history.documented_parameters = {id_parameter(),
                                     {"limit", false, "Changes of a page.",
                                      R"({"type": "integer", "minimum": 1, "maximum": 200, "default": 20})"},
                                     {"next", false, "`next` of the page before."}};
}

void add_create(const Listing& listing) {
    const auto& collection = listing.collection();
    auto& create = listing.add(http::Method::post, "", "create", collection.create, create_records);
    create.summary = "Add one record to " + collection.name + ", or a list of them: all or none";
    create.body_bytes_max = bulk_bytes_max;
    create.idempotency = http::Idempotency::accepted;
    create.transactional = http::Transactional::with_key;
    create.checks_body = true;
    create.request_schema = R"({"anyOf": [)" + listing.schema(".New") +
                            R"(, {"type": "array", "minItems": 1, "maxItems": )" + std::to_string(bulk_max) +
                            R"(, "items": )" + listing.schema(".New") + "}]}";
    create.response_schema =
        R"({"anyOf": [)" + listing.schema() +
        R"(, {"type": "object", "required": ["items"], "properties": {"items": {"type": "array",
                                 "items": )" +
        listing.schema() + "}}}]}";
    create.success_status = 201;
    create.response_fields = {"Location", "ETag"};
    create.problems = {"invalid-request", "malformed-json", "forbidden", "already-exists", "unavailable"};
}

void add_import(const Listing& listing) {
    const auto& collection = listing.collection();
    auto& import = listing.add(http::Method::post, "/import", "import", collection.create, import_records);
    import.summary = "Add records to " + collection.name +
                     " from comma-separated values (text/csv) with a heading line: all or none";
    const auto& limits = listing.desk->imports;
    import.body_bytes_max = limits.bytes_max;
    import.timeout = limits.timeout;
    import.spools_body = true;
    import.idempotency = http::Idempotency::accepted;
    import.transactional = http::Transactional::with_key;
    import.checks_body = true;
    import.request_type = "text/csv";
    import.request_schema = table_schema(listing.model(), collection, Action::create);
    import.response_schema = R"({"type": "object", "required": ["imported"],
        "properties": {"imported": {"type": "integer", "minimum": 1}}})";
    import.success_status = 201;
    import.problems = {"invalid-request", "unsupported-media-type", "forbidden",
                       "already-exists",  "limit-reached",          "unavailable"};
}

void add_changes(const Listing& listing) {
    const auto& collection = listing.collection();
    if (!collection.update.empty()) {
        auto& patch = listing.add(http::Method::patch, "/{id}", "patch", collection.update, patch_record);
        patch.summary = "Change a record of " + collection.name + " (JSON merge patch)";
        patch.body_bytes_max = body_bytes_max;
        patch.checks_body = true;
        patch.request_schema = listing.schema(".Change");
        patch.request_type = "application/merge-patch+json";
        patch.response_schema = listing.schema();
        patch.response_fields = {"ETag"};
        patch.documented_parameters = {id_parameter(), if_match_parameter()};
        patch.problems = {"invalid-request", "malformed-json",    "forbidden",  "not-found",
                          "already-exists",  "changed-meanwhile", "unavailable"};
        if (collection.if_match_required) patch.problems.push_back("if-match-missing");
    }
    if (!collection.remove.empty()) {
        auto& remove = listing.add(http::Method::del, "/{id}", "delete", collection.remove, delete_record);
        remove.summary = "Delete a record of " + collection.name;
        remove.success_status = 204;
        remove.documented_parameters = {id_parameter(), if_match_parameter()};
        remove.problems = {"forbidden", "not-found", "referenced", "changed-meanwhile", "unavailable"};
    }
}

void add_transitions(const Listing& listing) {
    for (const auto& transition : listing.collection().transitions) {
        auto& route =
            listing.add(http::Method::post, "/{id}/" + transition.name, transition.name, transition.allow,
                        [&transition](Asked& asked) { return carry_out(asked, transition); });
        route.summary = transition.summary.empty() ? "Carry out " + transition.name : transition.summary;
        route.body_bytes_max = body_bytes_max;
        route.idempotency = http::Idempotency::accepted;
        route.transactional = http::Transactional::with_key;
        route.checks_body = true;
        route.request_schema = accepted_schema(listing.model(), listing.collection(), transition);
        route.body_optional = true;
        route.response_schema = listing.schema();
        route.response_fields = {"ETag"};
        route.documented_parameters = {id_parameter(), if_match_parameter()};
        route.problems = {"invalid-request", "malformed-json", "forbidden",         "not-found",
                          "wrong-state",     "incomplete",     "changed-meanwhile", "unavailable"};
        if (!transition.guard.empty()) route.problems.push_back("guard-failed");
    }
}

}  // namespace

std::vector<http::Route> routes_of(std::shared_ptr<const Desk> desk, const http::RateLimit& limit) {
    std::vector<http::Route> routes;
    auto components = component_schemas(*desk->plan->model);
    for (const auto& plan : desk->plan->collections) {
        Listing listing{desk, plan, limit, components, routes};
        if (!plan.collection->read.empty()) add_reads(listing);
        if (!plan.collection->create.empty()) add_create(listing);
        if (!plan.collection->create.empty()) add_import(listing);
        add_changes(listing);
        add_transitions(listing);
    }
    return routes;
}

}  // namespace integreat::collections
