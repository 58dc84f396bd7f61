// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/storage_playground.h"

#include <fstream>
#include <iterator>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/id.h"

namespace integreat::cli {

namespace {

constexpr std::uintmax_t file_bytes_max = 16 * 1024 * 1024;

constexpr const char* build_commands =
    "sudo apt-get install nodejs npm     # if not installed yet\n"
    "npm --prefix sdk/js ci\n"
    "npm --prefix sdk/js run build";

std::optional<std::string> read_file(const std::filesystem::path& path) {
    std::error_code failure;
    auto size = std::filesystem::file_size(path, failure);
    if (failure || size > file_bytes_max) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

bool has_page(const ReadyTenant& tenant) {
    return tenant.app != platform_tenant.text && tenant.identity_pool && tenant.bucket;
}

boost::json::object make_playground_json(const ReadyFile& ready, const ReadyTenant& tenant) {
    boost::json::array users, others;
    for (const auto& user : tenant.users)
        users.push_back({{"email", user.email}, {"password", user.password}, {"role", user.role}});
    for (const auto& other : ready.tenants) {
        if (other.app == tenant.app || !has_page(other)) continue;
        others.push_back({{"app", other.app},
                          {"title", other.title},
                          {"bucket", *other.bucket},
                          {"identityPool", *other.identity_pool}});
    }
    return {{"app", tenant.app},
            {"title", tenant.title},
            {"firebase",
             {{"url", ready.firebase},
              {"project", tenant.firebase_project},
              {"apiKey", tenant.firebase_api_key}}},
            {"aws", ready.aws.value_or("")},
            {"identityPool", *tenant.identity_pool},
            {"bucket", *tenant.bucket},
            {"users", std::move(users)},
            {"others", std::move(others)}};
}

std::optional<gateway::PlaygroundConfig> find_playground(const ReadyFile& ready, std::string_view app) {
    for (const auto& tenant : ready.tenants) {
        if (tenant.app != app || !has_page(tenant)) continue;
        return gateway::PlaygroundConfig{.title = tenant.title,
                                         .json = boost::json::serialize(make_playground_json(ready, tenant)),
                                         .origins = {ready.firebase, ready.aws.value_or("")}};
    }
    return std::nullopt;
}

}  // namespace

gateway::StoragePlayground make_playground(std::shared_ptr<Synchronized<ReadyFile>> ready,
                                           std::filesystem::path folder) {
    return {.config = [ready](std::string_view app) { return find_playground(*ready->lock(), app); },
            .file = [folder](const std::string& name) { return read_file(folder / name); },
            .build_commands = build_commands};
}

}  // namespace integreat::cli
