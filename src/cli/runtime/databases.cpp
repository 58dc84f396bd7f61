// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/databases.h"

#include <fmt/format.h>

#include "base/log.h"
#include "postgres/driver/connection.h"
#include "services/collections/views/sql_names.h"

namespace integreat::cli {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes change_max{30};  // An index over many records takes its time.
constexpr std::chrono::seconds check_max{10};

}  // namespace

std::string url_variable(const TenantId& tenant) {
    std::string name = "DATABASE_URL_";
    for (char character : tenant.text) {
        name +=
            character == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
    }
    return name;
}

Result<std::vector<postgres::DatabaseUrls>> urls_of(const config::Configuration& configuration,
                                                    const json::Environment& environment) {
    const auto& database = configuration.settings.database;
    if (database.url.empty()) {
        return Error{Fault::invalid,
                     "no database: set the environment variable DATABASE_URL, and in integreat.yaml "
                     "`database: {url: env:DATABASE_URL}`",
                     ""};
    }
    std::vector<postgres::DatabaseUrls> urls{{platform_tenant, database.url, database.url_direct}};
    for (const auto& manifest : configuration.manifests) {
        auto variable = url_variable(manifest.app);
        auto url = environment(variable);
        if (!url) {
            return Error{Fault::invalid,
                         fmt::format("no database for {}: set the environment variable {}", manifest.app.text,
                                     variable),
                         ""};
        }
        auto direct = environment(variable + "_DIRECT");
        urls.push_back({manifest.app, Secret(*url), Secret(direct.value_or(""))});
    }
    return urls;
}

postgres::PoolSettings pool_limits(const config::DatabaseSettings& settings) {
    postgres::PoolSettings limits;
    limits.connections_max = settings.connections_max;
    limits.connect_timeout = settings.connect_timeout;
    limits.acquire_timeout = settings.acquire_timeout;
    limits.statement_timeout = settings.statement_timeout;
    return limits;
}

Result<collections::SchemaOrder> owner_of(const postgres::PrivateServer& server, const TenantId& app) {
    auto name = TRY(postgres::database_name(app));
    return collections::SchemaOrder{.url = server.superuser_url(name),
                                    .login_role = postgres::login_role(name),
                                    .owner = std::string(collections::owner_role),
                                    .until = steady_clock::now() + change_max};
}

std::vector<std::shared_ptr<const collections::Model>> models_of(const config::Configuration& configuration) {
    std::vector<std::shared_ptr<const collections::Model>> models;
    for (const auto& manifest : configuration.manifests) {
        if (!manifest.collections.empty()) models.push_back(collections::compile_model(manifest));
    }
    return models;
}

Result<> apply_models(const postgres::PrivateServer& server, postgres::Databases& databases,
                      const config::Configuration& configuration, const Clock& clock) {
    for (const auto& model : models_of(configuration)) {
        auto& pool = *databases.tenant(model->app);
        auto checked = collections::check_tables(pool, *model, clock.monotonic() + check_max);
        if (checked) continue;
        if (checked.error().fault != Fault::conflict) return checked;
        auto order = TRY(owner_of(server, model->app));
        auto plan = TRY(collections::apply_plan(*model, order));
        TRY(collections::check_tables(pool, *model, clock.monotonic() + check_max));
        log({.message = "the tables follow the manifest",
             .fields = {{"app", model->app.text}, {"steps", std::to_string(plan.steps.size())}}});
    }
    return {};
}

Result<> check_models(postgres::Databases& databases, const config::Configuration& configuration,
                      const Clock& clock) {
    for (const auto& model : models_of(configuration)) {
        auto* pool = databases.tenant(model->app);
        if (pool) TRY(collections::check_tables(*pool, *model, clock.monotonic() + check_max));
    }
    return {};
}

Result<> OwnerAccess::open_given(const config::Configuration& configuration,
                                 const json::Environment& environment, const TenantId& app) {
    auto urls = TRY(urls_of(configuration, environment));
    std::erase_if(urls, [&](const auto& one) { return one.tenant != platform_tenant && one.tenant != app; });
    auto own = urls.back();
    if (own.direct.empty()) {
        return Error{Fault::invalid,
                     fmt::format("set {}_DIRECT to the URL of the role that owns the tables of {}",
                                 url_variable(app), app.text),
                     ""};
    }
    auto login = TRY(postgres::connect_options(own.url)).find("user");
    // Migrates it, if need be.
    auto databases = TRY(postgres::Databases::open_given(
        std::move(urls), pool_limits(configuration.settings.database), clock_));
    TRY(databases->add(app));
    order_ = {.url = own.direct, .login_role = login, .owner = "", .until = steady_clock::now() + change_max};
    return {};
}

Result<> OwnerAccess::open_private(const config::Configuration& configuration,
                                   const std::filesystem::path& data, const TenantId& app) {
    auto folder = data / "postgres";
    auto name = TRY(postgres::database_name(app));
    auto started = postgres::PrivateServer::start({.folder = folder}, random_);
    if (started) {
        server_ = *std::move(started);
        std::array wanted{app};
        auto limits = pool_limits(configuration.settings.database);
        TRY(postgres::Databases::open_private(*server_, wanted, limits, clock_, random_));
        order_ = TRY(owner_of(*server_, app));
        return {};
    }
    if (started.error().fault != Fault::conflict) return std::move(started).error();
    auto url = TRY(postgres::PrivateServer::superuser_url_of_running(folder, name));
    order_ = {.url = std::move(url),
              .login_role = postgres::login_role(name),
              .owner = std::string(collections::owner_role),
              .until = steady_clock::now() + change_max};
    return {};
}

Result<std::unique_ptr<OwnerAccess>> OwnerAccess::open(const config::Configuration& configuration,
                                                       const json::Environment& environment,
                                                       const std::filesystem::path& data,
                                                       const TenantId& app) {
    auto access = std::make_unique<OwnerAccess>();
    if (configuration.settings.database.url.empty())
        TRY(access->open_private(configuration, data, app));
    else
        TRY(access->open_given(configuration, environment, app));
    postgres::PoolSettings settings;
    settings.tenant = app;
    settings.url = access->order_.url;
    settings.connections_max = 1;
    settings.statement_timeout = change_max;
    access->pool_ = std::make_unique<postgres::Pool>(settings, access->clock_);
    return access;
}

}  // namespace integreat::cli
