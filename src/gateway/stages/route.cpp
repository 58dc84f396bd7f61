// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/route.h"

#include "http/routing/target.h"

namespace integreat::gateway {

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
    if (auto* found = std::get_if<http::RouteMatch>(&match)) {
        request_context.route = found->route;
        request_context.parameters = std::move(found->parameters);
        context.route = &snapshot.compiled(*request_context.route);
        context.tenant = context.route->tenant;
        request_context.deadline = request_context.arrived + request_context.route->timeout;
    } else {
        context.tenant = &snapshot.find_tenant(path);
        if (auto* wrong = std::get_if<http::MethodNotAllowed>(&match))
            context.allowed_methods = std::move(wrong->allow);
    }
    request_context.tenant.text.assign(context.tenant->tenant.text);
    return true;
}

bool require_route(PipelineContext& context) {
    if (context.request_context.route) return true;
    const auto& allowed = context.allowed_methods;
    if (allowed.empty()) {
        return reject(
            context, "route",
            make_rejection(http::ProblemType::not_found, "No route has this path; /docs lists all routes.",
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
