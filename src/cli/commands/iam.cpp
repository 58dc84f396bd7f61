// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/iam.h"

#include <ostream>

#include <CLI/CLI.hpp>

#include "aws/sigv4.h"
#include "cli/runtime/local_cloud.h"

namespace integreat::cli {

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

void add_iam_command(CLI::App& app, CommandContext& context) {
    auto* iam = app.add_subcommand("iam", "Evaluate permissions in the local cloud");
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
}

}  // namespace integreat::cli
