// SPDX-License-Identifier: Apache-2.0
#include "cli/servers/cloud.h"

#include <ostream>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/system_clock.h"
#include "cli/runtime/ready_file.h"
#include "cli/runtime/server_runner.h"
#include "cli/runtime/signals.h"
#include "cloud/local/manual.h"
#include "crypto/system_random.h"
#include "net/client/curl_client.h"

namespace integreat::cli {

namespace {

constexpr const char* no_enforcement_banner =
    "\n"
    "  ****************************************************************************************\n"
    "  *  The local cloud runs WITHOUT ENFORCEMENT: signatures and policies are not checked.   *\n"
    "  *  AWS may reject requests that succeed here. Start without --without-enforcement.      *\n"
    "  ****************************************************************************************\n"
    "\n";

Result<bool> serve_cloud(const CloudOptions& options, Signals& signals, std::ostream& out,
                         std::ostream& err) {
    SystemClock clock;
    crypto::SystemRandom random;
    net::CurlHttpClient http_client;
    net::UpstreamRegistry upstreams;
    auto server =
        TRY(CloudServer::start({.data = options.data,
                                .port = options.port,
                                .enforce = !options.without_enforcement,
                                .firebase_keys_url = options.firebase_keys_url},
                               {.clock = clock, .random = random, .http_client = http_client}, upstreams));
    if (options.without_enforcement) err << no_enforcement_banner << std::flush;
    std::vector<cloud::TenantSpec> specs;
    for (const auto& project : options.projects)
        specs.push_back({.project = project, .origins = frontend_origins(project, {}), .files = {}});
    auto resources = TRY(server->provision(specs));
    boost::json::object tenants;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        tenants[specs[i].project] = {{"identity_pool", resources[i].identity_pool},
                                     {"bucket", resources[i].bucket},
                                     {"role", resources[i].role}};
    }
    auto credentials = (options.data / credentials_file).string();
    if (!options.ready_file.empty()) {
        TRY(write_file_atomically(options.ready_file.string(),
                                  boost::json::serialize(boost::json::object{{"pid", ::getpid()},
                                                                             {"aws", server->origin()},
                                                                             {"credentials", credentials},
                                                                             {"tenants", tenants}}) +
                                      "\n"));
    }
    out << fmt::format(
               "The local cloud listens on {}.\n\n    export AWS_SHARED_CREDENTIALS_FILE={}\n"
               "    aws --endpoint-url {} sts get-caller-identity\n\n",
               server->origin(), credentials, server->origin())
        << std::flush;
    while (signals.wait() != Signal::stop) {
    }
    return server->drain();
}

}  // namespace

int run_cloud(const CloudOptions& options, std::ostream& out, std::ostream& err) {
    if (options.manual) {
        out << cloud::render_manual();
        return exit_success;
    }
    Signals signals;
    tune_process();
    config::LogSettings log_settings;
    log_settings.level = options.log_level;
    configure_log(log_settings);
    auto drained = serve_cloud(options, signals, out, err);
    if (drained) return *drained ? exit_success : exit_failure;
    return print_error_with_cause("cloud", drained.error(), err);
}

void add_cloud_command(CLI::App& app, CommandContext& context) {
    auto* command = app.add_subcommand(
        "cloud", "Run the local cloud only (Cognito Identity, STS, IAM, S3, SES and SSM with enforcement)");
    auto options = bind_command(context, *command, run_cloud);
    add_data_option(*command, options->data);
    command->add_option("--port", options->port, "Port to listen on (default: 4566); 0: a free port");
    command->add_option("--ready-file", options->ready_file,
                        "Write the URL and the resources to this file once the cloud is up");
    command->add_option("--project", options->projects,
                        "Firebase project that gets an identity pool, a bucket and a role; may be repeated");
    command->add_option("--firebase-keys-url", options->firebase_keys_url,
                        "JWKS URL for Firebase ID tokens (default: Google's)");
    add_log_level_option(*command, options->log_level, options->log_level);
    command->add_flag("--without-enforcement", options->without_enforcement,
                      "Do not enforce signatures and policies; prints a warning");
    command->add_flag("--manual", options->manual,
                      "Print the manual, docs/reference/local-cloud.md, and exit");
}

}  // namespace integreat::cli
