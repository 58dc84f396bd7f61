// SPDX-License-Identifier: Apache-2.0
// The local cloud behind a server: within `integreat dev`, and alone as `integreat cloud`; and the commands
// that ask it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
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

inline constexpr std::uint16_t dev_aws_port = 4566;
inline constexpr const char* credentials_file = "aws-credentials";

struct CloudPlan {
    std::filesystem::path data;
    std::uint16_t port = dev_aws_port;
    bool enforce = true;
    std::string firebase_keys_url;  // Empty: Google's.
};

class CloudServer {
public:
    // Everything in `world` and `upstreams` must outlive it.
    static Result<std::unique_ptr<CloudServer>> start(const CloudPlan& plan, const cloud::CloudWorld& world,
                                                      net::Upstreams& upstreams);
    // In the order of `plans`. Says so where the account needs more than AWS gives without being asked.
    Result<std::vector<cloud::TenantResources>> provision(std::span<const cloud::TenantPlan> plans);
    std::string origin() const;
    bool drain() { return server_->drain(); }

private:
    std::unique_ptr<cloud::LocalCloud> cloud_;
    metrics::Registry metrics_;
    std::unique_ptr<net::Server> server_;  // Last: it goes first.
};

// What whoever starts without enforcement sees.
inline constexpr const char* no_enforcement_banner =
    "\n"
    "  ****************************************************************************************\n"
    "  *  The local cloud runs WITHOUT ENFORCEMENT: signatures and policies refuse nobody.     *\n"
    "  *  What works like this may be refused by AWS. Start without --without-enforcement.     *\n"
    "  ****************************************************************************************\n"
    "\n";

// integreat cloud
struct CloudOptions {
    std::filesystem::path data = ".integreat";
    std::uint16_t port = dev_aws_port;
    std::filesystem::path ready_file;   // Empty: none.
    std::vector<std::string> projects;  // Firebase projects that get a pool, a bucket and a role.
    std::string firebase_keys_url;
    std::string log_level = "info";
    bool without_enforcement = false;
    bool manual = false;  // Print docs/local-cloud.md and go.
};
int run_cloud(const CloudOptions& options, std::ostream& out, std::ostream& err);

// integreat iam explain
struct ExplainOptions {
    std::filesystem::path data = ".integreat";
    std::string aws;  // Empty: of the `integreat dev` of the data folder, or the default port.
    std::string principal;
    std::string action;
    std::string resource;
};
int iam_explain(const ExplainOptions& options, std::ostream& out, std::ostream& err);

// GET of one of the cloud's own routes; Fault::not_found carries its message.
Result<boost::json::object> ask_cloud(const std::string& aws, const std::filesystem::path& data,
                                      const std::string& path);

// Where tenants' pages come from: as the stacks say, and what the manifest says.
std::vector<std::string> origins_of(const std::string& project,
                                    const std::vector<std::string>& manifest_origins);

}  // namespace integreat::cli
