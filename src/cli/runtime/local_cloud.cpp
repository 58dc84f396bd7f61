// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/local_cloud.h"

#include <algorithm>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "cli/runtime/ready_file.h"
#include "cli/runtime/running_instance.h"
#include "json/value/parse.h"
#include "net/client/curl_client.h"

namespace integreat::cli {

namespace {

constexpr std::size_t object_bytes_max = std::size_t(6) * 1024 * 1024 * 1024;

net::ServerSettings make_server_settings(std::uint16_t port) {
    net::ServerSettings settings;
    settings.port = port;
    settings.max_header_bytes = 64 * 1024;  // Session tokens and object metadata.
    settings.max_target_bytes = 32 * 1024;  // Presigned URLs contain session tokens.
    settings.max_body_bytes = object_bytes_max;
    return settings;
}

}  // namespace

Result<std::unique_ptr<CloudServer>> CloudServer::start(const CloudServerSettings& settings,
                                                        const cloud::CloudDependencies& dependencies,
                                                        net::UpstreamRegistry& upstreams) {
    std::error_code failure;
    std::filesystem::create_directories(settings.data, failure);
    cloud::LocalCloudSettings cloud_settings{
        .folder = (settings.data / "cloud").string(), .frontend = {}, .logins = {}};
    cloud_settings.frontend.enforce = settings.enforce;
    if (!settings.firebase_keys_url.empty())
        cloud_settings.logins.firebase_keys_url = settings.firebase_keys_url;
    auto server = std::make_unique<CloudServer>();
    server->cloud_ = TRY(cloud::open_local_cloud(std::move(cloud_settings), dependencies));
    TRY(write_file_atomically((settings.data / credentials_file).string(),
                              cloud::render_credentials_file(*server->cloud_)));
    server->server_ = TRY(net::Server::start(make_server_settings(settings.port), server->cloud_->application,
                                             upstreams, server->metrics_, dependencies.clock));
    return server;
}

Result<std::vector<cloud::TenantResources>> CloudServer::provision(std::span<const cloud::TenantSpec> specs) {
    if (auto quota = TRY(cloud::reserve_provider_quota(*cloud_, specs))) {
        log({.level = Level::warning,
             .message = "the tenants exceed the default quota of an AWS account: request more OpenID Connect "
                        "providers "
                        "from Service Quotas before deploying",
             .fields = {{"needed", std::to_string(*quota)},
                        {"default", std::to_string(iam::Directory().providers_quota)},
                        {"granted_at_most", std::to_string(iam::providers_quota_max)}}});
    }
    std::vector<cloud::TenantResources> all;
    for (const auto& spec : specs)
        all.push_back(TRY(cloud::provision_tenant(*cloud_, spec)));
    return all;
}

Result<cloud::ClientCredentials> CloudServer::provision_gateway_user() {
    return cloud::provision_gateway_user(*cloud_);
}

std::string CloudServer::origin() const {
    return fmt::format("http://127.0.0.1:{}", server_->port());
}

Result<boost::json::object> query_local_cloud(const std::string& aws, const std::filesystem::path& data,
                                              const std::string& path) {
    auto origin = aws;
    if (origin.empty()) {
        auto running = find_running_instance(data);
        origin = running ? running->aws : "";
    }
    if (origin.empty()) origin = fmt::format("http://127.0.0.1:{}", default_aws_port);
    net::CurlHttpClient http_client;
    auto response = TRY(http_client.fetch({.url = origin + "/_integreat/" + path}));
    auto body = TRY(json::parse_object(response.body));
    if (response.status == 200) return body;
    const auto* message = body.if_contains("message");
    return Error{Fault::not_found,
                 message && message->is_string() ? std::string(message->get_string())
                                                 : "the local cloud rejected the request",
                 ""};
}

std::vector<std::string> frontend_origins(const std::string& project,
                                          const std::vector<std::string>& manifest_origins) {
    std::vector<std::string> origins{"https://" + project + ".web.app",
                                     "https://" + project + ".firebaseapp.com", "http://localhost:3000"};
    for (const auto& origin : manifest_origins) {
        if (std::find(origins.begin(), origins.end(), origin) == origins.end()) origins.push_back(origin);
    }
    return origins;
}

}  // namespace integreat::cli
