// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <CLI/CLI.hpp>

#include "cli/administration/db.h"
#include "cli/administration/explain.h"
#include "cli/administration/key.h"
#include "cli/administration/privacy.h"
#include "cli/administration/seed.h"
#include "cli/administration/user.h"
#include "cli/command_manual.h"
#include "cli/completion.h"
#include "cli/configuration/config.h"
#include "cli/configuration/doctor.h"
#include "cli/configuration/routes.h"
#include "cli/configuration/sdk.h"
#include "cli/configuration/tenant.h"
#include "cli/runtime/command_context.h"
#include "cli/servers/cloud.h"
#include "cli/servers/dev.h"
#include "cli/servers/serve.h"

namespace integreat::cli {

namespace {

constexpr const char* version = "0.1.0";

}  // namespace

int run_program(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
    CLI::App app{
        "Integreat: a platform for multi-tenant applications.\n"
        "A gateway with identity, rate limits, logs and API documentation, and a local cloud for "
        "development.",
        "integreat"};
    app.set_version_flag("--version", std::string("integreat ") + version, "Print the version and exit");
    app.require_subcommand(1);
    app.footer(
        "Examples:\n"
        "  integreat dev              Run everything on this machine\n"
        "  integreat check            Validate the configuration\n"
        "  integreat why req_01J...   Explain why a request was denied\n"
        "\nExit codes: 0 success, 1 error, 2 invalid command line.");

    CommandContext context{.out = out, .err = err, .action = {}};
    add_dev_command(app, context);
    add_serve_command(app, context);
    add_cloud_command(app, context);
    add_check_command(app, context);
    add_config_command(app, context);
    add_routes_command(app, context);
    add_tenant_command(app, context);
    add_db_command(app, context);
    add_seed_command(app, context);
    add_privacy_command(app, context);
    add_sdk_command(app, context);
    add_key_command(app, context);
    add_user_command(app, context);
    add_iam_command(app, context);
    add_why_command(app, context);
    add_doctor_command(app, context);
    add_completion_command(app, context);
    add_help_command(app, context);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error, out, err) == 0 ? exit_success : exit_usage;
    }
    return context.action();
}

}  // namespace integreat::cli
