// SPDX-License-Identifier: Apache-2.0
#include "cli/administration/explain.h"

#include <ostream>

#include <CLI/CLI.hpp>

#include "aws/sigv4_canonical.h"
#include "base/text/ascii.h"
#include "base/text/closest_match.h"
#include "cli/runtime/local_cloud.h"
#include "config/manifest/opened_files.h"
#include "http/routing/target.h"
#include "json/binding/units.h"
#include "json/document/node.h"
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

int iam_explain(const IamExplainOptions& options, std::ostream& out, std::ostream& err) {
    auto response = query_local_cloud(options.aws, options.data,
                                      "iam/explain?principal=" + aws::uri_encode(options.principal) +
                                          "&action=" + aws::uri_encode(options.action) +
                                          "&resource=" + aws::uri_encode(options.resource));
    if (!response) {
        return print_error("iam explain", response.error(), err);
    }
    out << std::string_view(response->at("explanation").as_string()) << "\n";
    return response->at("allowed").as_bool() ? exit_success : exit_failure;
}

int iam_policy(const IamPolicyOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return exit_failure;
    std::vector<std::string> apps;
    for (const auto& manifest : configuration->manifests) {
        apps.push_back(manifest.app.text);
        if (options.app != manifest.app.text) continue;
        out << config::make_files_policy(manifest.firebase_project, manifest.files) << "\n";
        return exit_success;
    }
    auto hint = did_you_mean(options.app, apps);
    err << "unknown app " << json::quoted(options.app)
        << (hint.empty() ? "; the apps are " + join(apps, ", ") : hint) << "\n";
    return exit_failure;
}

void add_iam_command(CLI::App& app, CommandContext& context) {
    auto* iam = app.add_subcommand("iam", "Permissions in the local cloud and on AWS");
    iam->require_subcommand(1);
    auto* explain = iam->add_subcommand(
        "explain", "Explain whether a principal may perform an action, and which statement decides");
    auto options = bind_command(context, *explain, iam_explain);
    add_data_option(*explain, options->data);
    explain->add_option("--aws", options->aws,
                        "URL of the local cloud (default: of the running integreat dev, or "
                        "http://127.0.0.1:4566)");
    explain->add_option("PRINCIPAL", options->principal, "ARN of a user, a role or the account's root user")
        ->required();
    explain->add_option("ACTION", options->action, "Action, such as s3:GetObject")->required();
    explain->add_option("RESOURCE", options->resource, "ARN of a resource, such as arn:aws:s3:::bucket/key")
        ->required();
    auto* policy = iam->add_subcommand(
        "policy", "Print the policy of the role of an app's users, which \"files\" of the manifest adds to");
    auto policy_options = bind_command(context, *policy, iam_policy);
    add_configuration_option(*policy, policy_options->configuration);
    policy->add_option("--app", policy_options->app, "App of the users")->required();
}

}  // namespace integreat::cli
