// SPDX-License-Identifier: Apache-2.0
// The local cloud as a server, for `integreat dev` and `integreat cloud`, and a client for its own routes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cloud/local/local_cloud.h"
#include "cloud/local/provision.h"
#include "metrics/registry.h"
#include "net/proxy/upstream_pool.h"
#include "net/server/server.h"

namespace integreat::cli {

inline constexpr std::uint16_t default_aws_port = 4566;
inline constexpr const char* credentials_file = "aws-credentials";

struct CloudServerSettings {
    std::filesystem::path data;
    std::uint16_t port = default_aws_port;
    bool enforce = true;
    std::string firebase_keys_url;  // JWKS URL; empty: Google's.
};

class CloudServer {
public:
    // Everything in `dependencies` and `upstreams` must outlive the server.
    static Result<std::unique_ptr<CloudServer>> start(const CloudServerSettings& settings,
                                                      const cloud::CloudDependencies& dependencies,
                                                      net::UpstreamRegistry& upstreams);
    // Creates the resources of tenants, in the order of `specs`. Logs a warning if an AWS account needs a
    // higher quota for them.
    Result<std::vector<cloud::TenantResources>> provision(std::span<const cloud::TenantSpec> specs);
    std::string origin() const;
    // Returns new credentials of the user as which the gateway assumes the roles for files of records.
    Result<cloud::ClientCredentials> provision_gateway_user();
    const std::string& account() const { return cloud_->iam->account(); }
    bool drain() { return server_->drain(); }

private:
    std::unique_ptr<cloud::LocalCloud> cloud_;
    metrics::Registry metrics_;
    std::unique_ptr<net::Server> server_;  // Last member, so that it is destroyed first.
};

// Sends a GET request to one of the local cloud's own routes. `aws` is its URL; empty: of the running
// `integreat dev`, or the default port. Fault::not_found carries the message of the response.
Result<boost::json::object> query_local_cloud(const std::string& aws, const std::filesystem::path& data,
                                              const std::string& path);

// Returns the origins of a tenant's frontends: those of the deployed stacks, and those of the manifest.
std::vector<std::string> frontend_origins(const std::string& project,
                                          const std::vector<std::string>& manifest_origins);

}  // namespace integreat::cli
