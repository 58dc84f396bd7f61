// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/route.h"

#include "gateway/stages/rate_limit.h"
#include "http/message/local_host.h"
#include "http/routing/target.h"

namespace integreat::gateway {

namespace {

// Refuses pages of other sites, and host names that were rebound to this machine (DNS rebinding), on the
// routes of `integreat dev` that are not for everyone.
bool require_local_host(PipelineContext& context) {
    const auto& request = context.request;
    bool checked = request.exposure == http::Exposure::this_machine &&
                   context.request_context.route->exposure != http::Exposure::everyone;
    if (!checked || http::names_this_machine(request)) return true;
    auto rejection = make_rejection(http::ProblemType::host_not_allowed,
                                    "This page is for programs and pages on this machine.",
                                    "Host and Origin must name this machine");
    rejection.facts = {{"Host", std::string(request.headers.value("Host"))},
                       {"Origin", std::string(request.headers.value("Origin"))}};
    return reject(context, "route", std::move(rejection));
}

}  // namespace

bool require_unambiguous_target(PipelineContext& context) {
    auto checked = http::check_target(context.request.target);
    if (checked) return true;
    const auto& message = checked.error().message;
    return reject(context, "target", make_rejection(http::ProblemType::malformed_target, message, message));
}

bool find_route(PipelineContext& context) {
    auto& request_context = context.request_context;
    const auto& snapshot = current_snapshot(request_context);
    auto path = context.request.path();
    auto match = snapshot.router.match(context.request.method, path);
    auto* found = std::get_if<http::RouteMatch>(&match);
    if (found && found->route->exposure <= context.request.exposure) {
        request_context.route = found->route;
        request_context.parameters = std::move(found->parameters);
        context.route = &snapshot.compiled(*request_context.route);
        context.tenant = context.route->tenant;
        request_context.deadline = request_context.arrived + request_context.route->timeout;
    } else {
        if (found) match = http::RouteNotFound{};
        context.tenant = &snapshot.find_tenant(path);
        if (auto* wrong = std::get_if<http::MethodNotAllowed>(&match))
            context.allowed_methods = std::move(wrong->allow);
    }
    request_context.tenant.text.assign(context.tenant->tenant.text);
    return true;
}

bool require_route(PipelineContext& context) {
    if (context.request_context.route) return require_local_host(context);
    const auto& allowed = context.allowed_methods;
    bool has_path = !allowed.empty();  // Browsers ask for the methods of a path before they use one.
    bool asks_for_methods = context.request.method == http::Method::options && has_path;
    if (!asks_for_methods && !limit_unrouted(context)) return false;
    if (allowed.empty()) {
        return reject(context, "route",
                      make_rejection(http::ProblemType::not_found, "No route has this path.",
                                     "no route matches the path"));
    }
    if (context.request.method == http::Method::options) {
        context.result = http::FullResponse{.status = 204, .headers = {{"Allow", allowed}}, .body = {}};
        return false;
    }
    auto rejection = make_rejection(http::ProblemType::method_not_allowed, "Use one of: " + allowed + ".",
                                    "the path allows " + allowed + " only");
    rejection.problem.headers.add("Allow", allowed);
    return reject(context, "route", std::move(rejection));
}

}  // namespace integreat::gateway
