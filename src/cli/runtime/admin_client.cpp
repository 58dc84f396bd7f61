// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/admin_client.h"

#include <fstream>
#include <ostream>

#include <fmt/format.h>

#include "cli/runtime/running_instance.h"
#include "json/value/parse.h"

namespace integreat::cli {

namespace {

constexpr const char* token_variable = "INTEGREAT_OPERATOR_TOKEN";

struct Target {
    std::string gateway;
    std::string token;
};

Result<Target> find_target(const AdminOptions& options) {
    Target target{.gateway = options.gateway, .token = ""};
    if (target.gateway.empty()) {
        auto running = find_running(options.data);
        if (!running) {
            return Error{
                Fault::unavailable,
                fmt::format("no gateway is running on {}: start it with `integreat dev`, or name another "
                            "with --data or --gateway",
                            options.data.string()),
                ""};
        }
        target.gateway = running->gateway;
    }
    if (auto token = options.environment ? options.environment(token_variable) : std::nullopt) {
        target.token = *token;
    } else if (options.gateway.empty()) {
        // Ours only: the key of one gateway must not be shown to another.
        std::ifstream file(options.data / operator_key_file);
        std::getline(file, target.token);
    }
    if (target.token.empty()) {
        return Error{
            Fault::unauthenticated,
            fmt::format("the environment variable {} must hold an API key of the platform or the ID token "
                        "of an operator",
                        token_variable),
            ""};
    }
    return target;
}

Error error_of(const http::Reply& reply) {
    auto problem = json::parse_object(reply.body);
    auto text_of = [&](const char* name) {
        const auto* value = problem ? problem->if_contains(name) : nullptr;
        return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    auto detail = text_of("detail");
    if (detail.empty()) detail = fmt::format("the gateway answered {}", reply.status);
    auto fault = reply.status == 404  ? Fault::not_found
                 : reply.status < 500 ? Fault::invalid
                                      : Fault::unavailable;
    return Error{fault, detail, text_of("type")};
}

}  // namespace

Result<boost::json::value> ask_gateway(const AdminOptions& options, http::Outbound& outbound,
                                       const AdminRequest& request) {
    auto target = TRY(find_target(options));
    http::OutboundRequest outgoing{
        .method = request.method, .url = target.gateway + request.path, .headers = {}, .body = request.body};
    outgoing.headers.add("Authorization", "Bearer " + target.token);
    if (!request.body.empty()) outgoing.headers.add("Content-Type", "application/json");
    auto reply = outbound.fetch(outgoing);
    if (!reply) {
        return Error{Fault::unavailable, fmt::format("the gateway {} does not answer", target.gateway),
                     reply.error().cause};
    }
    if (reply->status < 200 || reply->status > 299) return error_of(*reply);
    if (reply->body.empty()) return boost::json::value(nullptr);
    return json::parse(reply->body);
}

}  // namespace integreat::cli
