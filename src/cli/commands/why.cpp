// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/why.h"

#include <ostream>

#include <CLI/CLI.hpp>

#include "cli/runtime/local_cloud.h"
#include "http/routing/target.h"
#include "net/client/curl_client.h"

namespace integreat::cli {

int why(const WhyOptions& options, std::ostream& out, std::ostream& err) {
    if (!options.request_id.starts_with("req_")) {  // Request IDs of the local cloud have another form.
        auto decision = query_local_cloud("", options.admin.data,
                                          "decisions/" + http::percent_encode(options.request_id));
        if (!decision) return print_error("why", decision.error(), err);
        out << get_string(*decision, "explanation") << "\n";
        return exit_success;
    }
    net::CurlHttpClient http_client;
    auto decision =
        call_admin_api(options.admin, http_client,
                       {.path = "/v1/admin/decisions/" + http::percent_encode(options.request_id)});
    if (!decision) return print_error("why", decision.error(), err);
    if (!decision->is_object())
        return print_error("why", {Fault::internal, "the response of the gateway is not a decision", ""},
                           err);
    out << get_string(decision->get_object(), "explanation") << "\n";
    return exit_success;
}

void add_why_command(CLI::App& app, CommandContext& context) {
    auto* command = app.add_subcommand("why", "Explain why a request was allowed or denied");
    auto options = bind_command(context, *command, why);
    add_admin_options(*command, options->admin);
    command
        ->add_option("REQUEST_ID", options->request_id,
                     "Request ID from the response field Integreat-Request-Id or x-amz-request-id")
        ->required();
}

}  // namespace integreat::cli
