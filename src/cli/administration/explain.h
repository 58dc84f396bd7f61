// SPDX-License-Identifier: Apache-2.0
// `integreat why REQUEST_ID`: explains why the gateway or the local cloud allowed or denied a request.
// `integreat iam explain`: evaluates a permission in the local cloud. `integreat iam policy`: prints the
// policy of the role of an app's users.
#pragma once

#include <filesystem>
#include <string>

#include "cli/runtime/admin_client.h"
#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct WhyOptions {
    AdminOptions admin;
    std::string request_id;
};

int why(const WhyOptions& options, std::ostream& out, std::ostream& err);

void add_why_command(CLI::App& app, CommandContext& context);

struct IamExplainOptions {
    std::filesystem::path data = ".integreat";
    std::string aws;  // URL of the local cloud; empty: of the running `integreat dev`, or the default port.
    std::string principal;
    std::string action;
    std::string resource;
};

// Prints the explanation; exit_failure if the action is denied.
int iam_explain(const IamExplainOptions& options, std::ostream& out, std::ostream& err);

struct IamPolicyOptions {
    ConfigurationOptions configuration;
    std::string app;
};

// Prints the policy that `files` of the manifest results in, for the role in AWS.
int iam_policy(const IamPolicyOptions& options, std::ostream& out, std::ostream& err);

void add_iam_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
