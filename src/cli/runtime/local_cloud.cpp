// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/local_cloud.h"

#include <algorithm>
#include <ostream>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "aws/sigv4.h"
#include "base/log.h"
#include "base/system_clock.h"
#include "cli/runtime/ready_file.h"
#include "cli/runtime/running_instance.h"
#include "cli/runtime/server_runner.h"
#include "cli/runtime/signals.h"
#include "crypto/system_random.h"
#include "json/value/parse.h"
#include "net/client/curl_client.h"

namespace integreat::cli {

namespace {

constexpr std::size_t object_bytes_max = std::size_t(6) * 1024 * 1024 * 1024;

net::ServerSettings cloud_settings(std::uint16_t port) {
    net::ServerSettings settings;
    settings.port = port;
    settings.header_bytes_max = 64 * 1024;  // Session tokens, and metadata of objects.
    settings.target_bytes_max = 32 * 1024;  // Presigned URLs carry them, too.
    settings.body_bytes_max = object_bytes_max;
    return settings;
}

Result<bool> serve(const CloudOptions& options, Signals& signals, std::ostream& out, std::ostream& err) {
    SystemClock clock;
    crypto::SystemRandom random;
    net::CurlOutbound outbound;
    net::Upstreams upstreams;
    auto running =
        TRY(CloudServer::start({.data = options.data,
                                .port = options.port,
                                .enforce = !options.without_enforcement,
                                .firebase_keys_url = options.firebase_keys_url},
                               {.clock = clock, .random = random, .outbound = outbound}, upstreams));
    if (options.without_enforcement) err << no_enforcement_banner << std::flush;
    std::vector<cloud::TenantPlan> plans;
    for (const auto& project : options.projects)
        plans.push_back({.project = project, .origins = origins_of(project, {})});
    auto made = TRY(running->provision(plans));
    boost::json::object tenants;
    for (std::size_t i = 0; i < plans.size(); ++i) {
        tenants[plans[i].project] = {
            {"identity_pool", made[i].identity_pool}, {"bucket", made[i].bucket}, {"role", made[i].role}};
    }
    auto credentials = (options.data / credentials_file).string();
    if (!options.ready_file.empty()) {
        TRY(write_whole(options.ready_file.string(),
                        boost::json::serialize(boost::json::object{{"pid", ::getpid()},
                                                                   {"aws", running->origin()},
                                                                   {"credentials", credentials},
                                                                   {"tenants", tenants}}) +
                            "\n"));
    }
    out << fmt::format(
               "The local cloud answers on {}.\n\n    export AWS_SHARED_CREDENTIALS_FILE={}\n"
               "    aws --endpoint-url {} sts get-caller-identity\n\n",
               running->origin(), credentials, running->origin())
        << std::flush;
    while (signals.wait() != Told::stop) {
    }
    return running->drain();
}

}  // namespace

Result<std::unique_ptr<CloudServer>> CloudServer::start(const CloudPlan& plan, const cloud::CloudWorld& world,
                                                        net::Upstreams& upstreams) {
    std::error_code failure;
    std::filesystem::create_directories(plan.data, failure);
    cloud::LocalCloudSettings settings{.folder = (plan.data / "cloud").string(), .front = {}, .logins = {}};
    settings.front.enforce = plan.enforce;
    if (!plan.firebase_keys_url.empty()) settings.logins.firebase_keys_url = plan.firebase_keys_url;
    auto started = std::make_unique<CloudServer>();
    started->cloud_ = TRY(cloud::open_local_cloud(std::move(settings), world));
    TRY(write_whole((plan.data / credentials_file).string(), cloud::credentials_file(*started->cloud_)));
    started->server_ = TRY(net::Server::start(cloud_settings(plan.port), started->cloud_->application,
                                              upstreams, started->metrics_, world.clock));
    return started;
}

Result<std::vector<cloud::TenantResources>> CloudServer::provision(std::span<const cloud::TenantPlan> plans) {
    if (auto raised = TRY(cloud::make_room(*cloud_, plans))) {
        log({.level = Level::warning,
             .message =
                 "more tenants than an AWS account has room for by default: ask Service Quotas for more "
                 "OpenID Connect providers before deploying them",
             .fields = {{"needed", std::to_string(*raised)},
                        {"default", std::to_string(iam::Directory().providers_quota)},
                        {"granted_at_most", std::to_string(iam::providers_quota_max)}}});
    }
    std::vector<cloud::TenantResources> all;
    for (const auto& plan : plans)
        all.push_back(TRY(cloud::provision_tenant(*cloud_, plan)));
    return all;
}

std::string CloudServer::origin() const {
    return fmt::format("http://127.0.0.1:{}", server_->port());
}

int run_cloud(const CloudOptions& options, std::ostream& out, std::ostream& err) {
    if (options.manual) {
        out << cloud::manual();
        return 0;
    }
    Signals signals;
    prepare_to_serve();
    config::LogSettings log_settings;
    log_settings.level = options.log_level;
    configure_log(log_settings);
    auto ended = serve(options, signals, out, err);
    if (ended) return *ended ? 0 : 1;
    err << "integreat cloud: " << ended.error().message << "\n";
    if (!ended.error().cause.empty()) err << "  " << ended.error().cause << "\n";
    return 1;
}

Result<boost::json::object> ask_cloud(const std::string& aws, const std::filesystem::path& data,
                                      const std::string& path) {
    auto origin = aws;
    if (origin.empty()) {
        auto running = find_running(data);
        origin = running ? running->aws : "";
    }
    if (origin.empty()) origin = fmt::format("http://127.0.0.1:{}", dev_aws_port);
    net::CurlOutbound outbound;
    auto reply = TRY(outbound.fetch({.url = origin + "/_integreat/" + path}));
    auto answer = TRY(json::parse_object(reply.body));
    if (reply.status == 200) return answer;
    const auto* message = answer.if_contains("message");
    return Error{
        Fault::not_found,
        message && message->is_string() ? std::string(message->get_string()) : "the local cloud refused", ""};
}

int iam_explain(const ExplainOptions& options, std::ostream& out, std::ostream& err) {
    auto answer = ask_cloud(options.aws, options.data,
                            "iam/explain?principal=" + aws::uri_encode(options.principal) +
                                "&action=" + aws::uri_encode(options.action) +
                                "&resource=" + aws::uri_encode(options.resource));
    if (!answer) {
        err << "integreat iam explain: " << answer.error().message << "\n";
        return 1;
    }
    out << std::string_view(answer->at("explanation").as_string()) << "\n";
    return answer->at("allowed").as_bool() ? 0 : 1;
}

std::vector<std::string> origins_of(const std::string& project,
                                    const std::vector<std::string>& manifest_origins) {
    std::vector<std::string> origins{"https://" + project + ".web.app",
                                     "https://" + project + ".firebaseapp.com", "http://localhost:3000"};
    for (const auto& origin : manifest_origins) {
        if (std::find(origins.begin(), origins.end(), origin) == origins.end()) origins.push_back(origin);
    }
    return origins;
}

}  // namespace integreat::cli
