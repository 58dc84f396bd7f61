// SPDX-License-Identifier: Apache-2.0
#include "services/data/routes.h"

#include <algorithm>

#include "services/data/acting.h"
#include "services/data/records.h"

namespace integreat::data {

namespace {

constexpr std::size_t body_bytes_max = 2 * 1024 * 1024;
constexpr std::size_t bulk_bytes_max = 8 * 1024 * 1024;

using Operation = std::function<http::Reply(Asked&)>;

http::Reply refuse_absent(const http::Call& call) {
    return http::to_reply(
        http::problem_from(
            {Fault::unavailable, "The application's database is not there yet; try again later.", ""}),
        call.id.text);
}

// The work of a route once everything about the request is known. `collection` lives as long as `desk`.
http::Handler handler_of(const std::shared_ptr<const Desk>& desk, const CollectionPlan& collection,
                         Operation operation) {
    return [desk, &collection, operation = std::move(operation)](const http::Request& request,
                                                                 http::Call& call) -> http::Response {
        auto* pool = desk->pool();
        if (!pool) return refuse_absent(call);
        const auto& model = *desk->plan->model;
        Asked asked{.desk = *desk,
                    .collection = collection,
                    .view = desk->plan->view(collection, role_of(model, call.principal.get())),
                    .pool = *pool,
                    .acting = acting_for(model, call),
                    .request = request,
                    .call = call};
        auto reply = operation(asked);
        // What the gateway adds to the transaction (the record of the key) is not the caller's to write.
        if (call.transaction) call.transaction->act_as_login();
        return reply;
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

// The routes of one collection.
struct Listing {
    const std::shared_ptr<const Desk>& desk;
    const CollectionPlan& plan;
    const http::RateLimit& limit;
    std::vector<http::Route>& routes;

    const Model& model() const { return *desk->plan->model; }
    const Collection& collection() const { return *plan.collection; }

    http::Route& add(http::Method method, const std::string& below, const std::string& name,
                     const std::vector<Rule>& rules, Operation operation) const {
        const auto& app = model().app;
        return routes.emplace_back(
            http::Route{.method = method,
                        .pattern = "/v1/apps/" + app.text + "/" + collection().name + below,
                        .name = app.text + "." + collection().name + "." + name,
                        .tenant = app,
                        .access = access_for(model(), rules),
                        .limit = limit,
                        .waits = true,
                        .handler = handler_of(desk, plan, std::move(operation))});
    }
};

void add_reads(const Listing& listing) {
    const auto& collection = listing.collection();
    listing.add(http::Method::get, "", "list", collection.read, list_records).summary =
        "List " + collection.name;
    listing.add(http::Method::get, "/{id}", "get", collection.read, get_record).summary =
        "Read a record of " + collection.name;
    listing.add(http::Method::get, "/aggregate", "aggregate", collection.read, aggregate_records).summary =
        "Count and sum up " + collection.name;
}

void add_writes(const Listing& listing) {
    const auto& collection = listing.collection();
    if (!collection.create.empty()) {
        auto& create = listing.add(http::Method::post, "", "create", collection.create, create_records);
        create.summary = "Add one record to " + collection.name + ", or a list of them";
        create.body_bytes_max = bulk_bytes_max;
        create.idempotency = http::Idempotency::accepted;
        create.transactional = http::Transactional::with_key;
    }
    if (!collection.update.empty()) {
        auto& patch = listing.add(http::Method::patch, "/{id}", "patch", collection.update, patch_record);
        patch.summary = "Change a record of " + collection.name;
        patch.body_bytes_max = body_bytes_max;
    }
    if (!collection.remove.empty()) {
        listing.add(http::Method::del, "/{id}", "delete", collection.remove, delete_record).summary =
            "Delete a record of " + collection.name;
    }
    for (const auto& transition : collection.transitions) {
        auto& route =
            listing.add(http::Method::post, "/{id}/" + transition.name, transition.name, transition.allow,
                        [&transition](Asked& asked) { return carry_out(asked, transition); });
        route.summary = transition.summary.empty() ? "Carry out " + transition.name : transition.summary;
        route.body_bytes_max = body_bytes_max;
        route.idempotency = http::Idempotency::accepted;
        route.transactional = http::Transactional::with_key;
    }
}

}  // namespace

std::vector<http::Route> routes_of(std::shared_ptr<const Desk> desk, const http::RateLimit& limit) {
    std::vector<http::Route> routes;
    for (const auto& plan : desk->plan->collections) {
        Listing listing{desk, plan, limit, routes};
        if (!plan.collection->read.empty()) add_reads(listing);
        add_writes(listing);
    }
    return routes;
}

}  // namespace integreat::data
