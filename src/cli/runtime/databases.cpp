// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/databases.h"

#include <fmt/format.h>

#include "base/log.h"
#include "platform/platform.h"
#include "postgres/databases/create_database.h"
#include "postgres/driver/connect_options.h"
#include "services/collections/views/sql_names.h"

namespace integreat::cli {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes migration_timeout{30};  // Creating an index over many records is slow.
constexpr std::chrono::seconds verification_timeout{10};

}  // namespace

std::string url_variable(const TenantId& tenant) {
    std::string name = "DATABASE_URL_";
    for (char character : tenant.text) {
        name +=
            character == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
    }
    return name;
}

Result<std::vector<postgres::DatabaseUrls>> find_database_urls(const config::Configuration& configuration,
                                                               const json::Environment& environment) {
    const auto& database = configuration.settings.database;
    if (database.url.empty()) {
        return Error{Fault::invalid,
                     "no database: set the environment variable DATABASE_URL, and in integreat.yaml "
                     "`database: {url: env:DATABASE_URL}`",
                     ""};
    }
    std::vector<postgres::DatabaseUrls> urls{{platform_tenant, database.url, database.direct_url}};
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

postgres::PoolSettings to_pool_settings(const config::DatabaseSettings& settings) {
    postgres::PoolSettings limits;
    limits.max_connections = settings.max_connections;
    limits.connect_timeout = settings.connect_timeout;
    limits.acquire_timeout = settings.acquire_timeout;
    limits.statement_timeout = settings.statement_timeout;
    return limits;
}

Result<collections::MigrationOptions> make_owner_options(const postgres::EmbeddedPostgres& server,
                                                         const TenantId& app) {
    auto name = TRY(postgres::database_name(app));
    return collections::MigrationOptions{.url = server.superuser_url(name),
                                         .login_role = postgres::login_role(name),
                                         .owner = std::string(collections::owner_role),
                                         .deadline = steady_clock::now() + migration_timeout};
}

std::vector<std::shared_ptr<const config::Model>> find_models(const config::Configuration& configuration) {
    std::vector<std::shared_ptr<const config::Model>> models;
    for (const auto& manifest : configuration.manifests) {
        if (!manifest.collections.empty()) models.push_back(manifest.model);
    }
    return models;
}

Result<> migrate_databases(const postgres::EmbeddedPostgres& server, postgres::DatabaseRegistry& databases,
                           const config::Configuration& configuration, const Clock& clock) {
    for (const auto& model : find_models(configuration)) {
        auto& pool = *databases.tenant(model->app);
        auto checked = collections::verify_schema(pool, *model, clock.monotonic() + verification_timeout);
        if (checked) continue;
        if (checked.error().fault != Fault::conflict) return checked;
        auto options = TRY(make_owner_options(server, model->app));
        auto plan = TRY(collections::apply_migration(*model, options));
        TRY(collections::verify_schema(pool, *model, clock.monotonic() + verification_timeout));
        log({.message = "tables migrated to the manifest",
             .fields = {{"app", model->app.text}, {"steps", std::to_string(plan.steps.size())}}});
    }
    return {};
}

Result<> verify_databases(postgres::DatabaseRegistry& databases, const config::Configuration& configuration,
                          const Clock& clock) {
    for (const auto& model : find_models(configuration)) {
        auto* pool = databases.tenant(model->app);
        if (pool) TRY(collections::verify_schema(*pool, *model, clock.monotonic() + verification_timeout));
    }
    return {};
}

Result<> OwnerAccess::open_external(const config::Configuration& configuration,
                                    const json::Environment& environment, const TenantId& app) {
    auto urls = TRY(find_database_urls(configuration, environment));
    std::erase_if(urls,
                  [&](const auto& entry) { return entry.tenant != platform_tenant && entry.tenant != app; });
    auto own = urls.back();
    if (own.direct.empty()) {
        return Error{Fault::invalid,
                     fmt::format("set {}_DIRECT to the URL of the role that owns the tables of {}",
                                 url_variable(app), app.text),
                     ""};
    }
    auto login = TRY(postgres::parse_connect_options(own.url)).find("user");
    // Applies the platform's own migrations, if necessary.
    auto databases = TRY(
        postgres::DatabaseRegistry::open_external(std::move(urls), platform::all_migrations(),
                                                  to_pool_settings(configuration.settings.database), clock_));
    TRY(databases->add(app));
    options_ = {.url = own.direct,
                .login_role = login,
                .owner = "",
                .deadline = steady_clock::now() + migration_timeout};
    return {};
}

Result<> OwnerAccess::open_embedded(const config::Configuration& configuration,
                                    const std::filesystem::path& data, const TenantId& app) {
    auto folder = data / "postgres";
    auto name = TRY(postgres::database_name(app));
    auto started = postgres::EmbeddedPostgres::start({.folder = folder}, random_);
    if (started) {
        server_ = *std::move(started);
        std::array tenants{app};
        auto limits = to_pool_settings(configuration.settings.database);
        TRY(postgres::DatabaseRegistry::open_embedded(*server_, tenants, platform::all_migrations(), limits,
                                                      clock_, random_));
        options_ = TRY(make_owner_options(*server_, app));
        return {};
    }
    if (started.error().fault != Fault::conflict) return std::move(started).error();
    auto url = TRY(postgres::EmbeddedPostgres::superuser_url_of_running(folder, name));
    options_ = {.url = std::move(url),
                .login_role = postgres::login_role(name),
                .owner = std::string(collections::owner_role),
                .deadline = steady_clock::now() + migration_timeout};
    return {};
}

Result<std::unique_ptr<OwnerAccess>> OwnerAccess::open(const config::Configuration& configuration,
                                                       const json::Environment& environment,
                                                       const std::filesystem::path& data,
                                                       const TenantId& app) {
    auto access = std::make_unique<OwnerAccess>();
    if (configuration.settings.database.url.empty())
        TRY(access->open_embedded(configuration, data, app));
    else
        TRY(access->open_external(configuration, environment, app));
    postgres::PoolSettings settings;
    settings.tenant = app;
    settings.url = access->options_.url;
    settings.max_connections = 1;
    settings.statement_timeout = migration_timeout;
    access->pool_ = std::make_unique<postgres::Pool>(settings, access->clock_);
    return access;
}

}  // namespace integreat::cli
