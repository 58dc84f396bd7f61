// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/admin_client.h"

#include <fstream>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/runtime/command_context.h"
#include "cli/runtime/config_loader.h"
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
        auto running = find_running_instance(options.data);
        if (!running) {
            return Error{
                Fault::unavailable,
                fmt::format("no gateway is running on {}: start it with `integreat dev`, or select another "
                            "one with --data or --gateway",
                            options.data.string()),
                ""};
        }
        target.gateway = running->gateway;
    }
    if (auto token = options.environment ? options.environment(token_variable) : std::nullopt) {
        target.token = *token;
    } else if (options.gateway.empty()) {
        // The stored key is sent to the local gateway only, never to another one.
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

Error to_error(const http::FullResponse& response) {
    auto problem = json::parse_object(response.body);
    auto member = [&](const char* name) { return problem ? get_string(*problem, name) : std::string(); };
    auto detail = member("detail");
    if (detail.empty()) detail = fmt::format("the gateway responded with status {}", response.status);
    auto fault = response.status == 404  ? Fault::not_found
                 : response.status < 500 ? Fault::invalid
                                         : Fault::unavailable;
    return Error{fault, detail, member("type")};
}

}  // namespace

void add_admin_options(CLI::App& command, AdminOptions& options) {
    options.environment = process_environment();
    add_data_option(command, options.data);
    command.add_option("--gateway", options.gateway,
                       "Gateway URL (https://...), called with the token in INTEGREAT_OPERATOR_TOKEN");
}

std::string get_string(const boost::json::object& object, const char* name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<boost::json::value> call_admin_api(const AdminOptions& options, http::HttpClient& http_client,
                                          const AdminRequest& request) {
    auto target = TRY(find_target(options));
    http::ClientRequest outgoing{
        .method = request.method, .url = target.gateway + request.path, .headers = {}, .body = request.body};
    outgoing.headers.add("Authorization", "Bearer " + target.token);
    if (!request.body.empty()) outgoing.headers.add("Content-Type", "application/json");
    auto response = http_client.fetch(outgoing);
    if (!response) {
        return Error{Fault::unavailable, fmt::format("the gateway {} does not respond", target.gateway),
                     response.error().cause};
    }
    if (response->status < 200 || response->status > 299) return to_error(*response);
    if (response->body.empty()) return boost::json::value(nullptr);
    return json::parse(response->body);
}

}  // namespace integreat::cli
