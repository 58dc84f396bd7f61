// SPDX-License-Identifier: Apache-2.0
#include "gateway/stages/cors.h"

namespace integreat::gateway {

namespace {

bool handle_preflight(PipelineContext& context, std::string_view origin) {
    const auto& cors = context.tenant->cors;
    if (!allows_origin(cors, origin)) {
        const auto& app = context.tenant->tenant.text;
        auto rejection = make_rejection(http::ProblemType::origin_not_allowed,
                                        "The application " + app + " does not list this origin.",
                                        "cors.origins of " + app + " must list the origin");
        rejection.facts.emplace_back("Origin", origin);
        return reject(context, "cors", std::move(rejection));
    }
    context.result = preflight_response(cors, context.allowed_methods);
    return false;
}

}  // namespace

bool apply_cors(PipelineContext& context) {
    const auto& cors = context.tenant->cors;
    if (!cors.enabled()) return true;
    const auto& headers = context.request.headers;
    auto origin = headers.value("Origin");
    add_cors_headers(cors, origin, context.request_context.response_headers);
    bool preflight = context.request.method == http::Method::options && !context.request_context.route &&
                     !origin.empty() && !context.allowed_methods.empty() &&
                     headers.contains("Access-Control-Request-Method");
    return preflight ? handle_preflight(context, origin) : true;
}

}  // namespace integreat::gateway
