// SPDX-License-Identifier: Apache-2.0
#include "postgres/databases/registry.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/concurrency/synchronized.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "postgres/databases/create_database.h"
#include "postgres/driver/connect_options.h"

namespace integreat::postgres {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds creation_max{30};
constexpr seconds migration_max{300};

// The password of a login role of the embedded server.
struct LoginPassword {
    Secret password;
    bool is_new = false;
};

// Reads the password from the folder of the server, or generates it and writes it there, readable by this
// user only.
Result<LoginPassword> load_or_create_password(const EmbeddedPostgres& server, const std::string& database,
                                              Random& random) {
    auto folder = server.folder() / "passwords";
    auto path = folder / database;
    std::ifstream file(path);
    std::string line;
    if (std::getline(file, line) && !line.empty()) return LoginPassword{Secret(std::move(line))};
    std::error_code failure;
    fs::create_directory(folder, failure);
    LoginPassword created{random_password(random), true};
    auto text = created.password.reveal() + "\n";
    auto unfinished = path.string() + ".unfinished";
    UniqueFd file_out(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    bool written = file_out && write(file_out.get(), text.data(), text.size()) == ssize_t(text.size()) &&
                   fsync(file_out.get()) == 0;
    int write_error = errno;
    file_out.reset();
    if (!written || rename(unfinished.c_str(), path.c_str()) != 0) {
        return Error{Fault::unavailable, "the password of a database cannot be stored in " + path.string(),
                     std::strerror(written ? errno : write_error)};
    }
    return created;
}

// Returns the environment variable for the database URL of a tenant.
std::string url_variable(const TenantId& tenant) {
    if (tenant == platform_tenant) return "DATABASE_URL";
    std::string name = "DATABASE_URL_" + tenant.text;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
    return name;
}

}  // namespace

struct DatabaseRegistry::State {
    EmbeddedPostgres* server = nullptr;  // Null if the databases are external.
    Random* random = nullptr;
    std::vector<DatabaseUrls> urls;  // Empty if the databases are embedded.
    std::vector<Migration> migrations;
    PoolSettings limits;
    const Clock* clock = nullptr;
    std::mutex adding;  // Serializes add(); protects no data.
    struct Database {
        std::unique_ptr<Pool> pool;
        Secret listen_url;
    };
    Synchronized<std::map<TenantId, Database>> databases;

    std::unique_ptr<Pool> make_pool(const TenantId& tenant, Secret url) const {
        auto settings = limits;
        settings.tenant = tenant;
        settings.url = std::move(url);
        return std::make_unique<Pool>(std::move(settings), *clock);
    }
    Result<Database> open_embedded(const TenantId& tenant);
    Result<Database> open_external(const TenantId& tenant) const;
    Result<> add(const TenantId& tenant);
};

Result<DatabaseRegistry::State::Database> DatabaseRegistry::State::open_embedded(const TenantId& tenant) {
    auto name = TRY(database_name(tenant));
    auto kind = database_kind(tenant);
    DatabaseSpec spec{.name = std::move(name),
                      .kind = kind,
                      .password = {},
                      .migrations = migrations,
                      .use_template = kind == DatabaseKind::tenant};
    auto login = TRY(load_or_create_password(*server, spec.name, *random));
    spec.password = login.password;
    auto url = server->url(spec.name, login_role(spec.name), spec.password);
    auto deadline = Monotonic::max();
    // The fast path: most starts find a database that is complete.
    if (!login.is_new) {
        auto pool = make_pool(tenant, url);
        auto state = check_database(*pool, migrations, deadline);
        if (state && state->pending == 0 && !state->legacy_table) return Database{std::move(pool), url};
        if (!state && state.error().fault == Fault::conflict) return std::move(state).error();
    }
    TRY(create_database(*server, spec, steady_clock::now() + creation_max));
    auto pool = make_pool(tenant, url);
    TRY(check_database(*pool, migrations, deadline));
    return Database{std::move(pool), url};
}

Result<DatabaseRegistry::State::Database> DatabaseRegistry::State::open_external(
    const TenantId& tenant) const {
    auto entry =
        std::find_if(urls.begin(), urls.end(), [&](const auto& one) { return one.tenant == tenant; });
    if (entry == urls.end() || entry->url.empty()) {
        return Error{
            Fault::invalid,
            tenant.text + " has no database: set " + url_variable(tenant) + " to its postgresql:// URL",
            "no URL"};
    }
    auto options = TRY(parse_connect_options(entry->url));
    auto pool = make_pool(tenant, entry->url);
    auto state = TRY(check_database(*pool, migrations, Monotonic::max()));
    bool converts = state.legacy_table && !entry->direct.empty();
    if (state.pending == 0 && !converts) return Database{std::move(pool), entry->direct};
    if (entry->direct.empty()) {
        return Error{Fault::conflict,
                     "the database of " + tenant.text + " lacks " + std::to_string(state.pending) +
                         " migrations: set " + url_variable(tenant) +
                         "_DIRECT to the URL of a role that may apply them",
                     "pending migrations"};
    }
    TRY(migrate({.url = entry->direct,
                 .kind = database_kind(tenant),
                 .app_role = options.find("user"),
                 .object_owner = "",
                 .until = steady_clock::now() + migration_max},
                migrations));
    return Database{std::move(pool), entry->direct};
}

Result<> DatabaseRegistry::State::add(const TenantId& tenant) {
    std::lock_guard lock(adding);
    if (databases.lock()->contains(tenant)) return {};
    auto database = TRY(server ? open_embedded(tenant) : open_external(tenant));
    databases.lock()->emplace(tenant, std::move(database));
    return {};
}

DatabaseRegistry::DatabaseRegistry(std::unique_ptr<State> state) : state_(std::move(state)) {}
DatabaseRegistry::~DatabaseRegistry() = default;

Result<std::unique_ptr<DatabaseRegistry>> DatabaseRegistry::open_embedded(
    EmbeddedPostgres& server, std::span<const TenantId> tenants, std::vector<Migration> migrations,
    const PoolSettings& limits, const Clock& clock, Random& random) {
    auto state = std::make_unique<State>();
    state->server = &server;
    state->random = &random;
    state->migrations = std::move(migrations);
    state->limits = limits;
    state->clock = &clock;
    TRY(state->add(platform_tenant));
    for (const auto& tenant : tenants)
        TRY(state->add(tenant));
    return std::unique_ptr<DatabaseRegistry>(new DatabaseRegistry(std::move(state)));
}

Result<std::unique_ptr<DatabaseRegistry>> DatabaseRegistry::open_external(std::vector<DatabaseUrls> urls,
                                                                          std::vector<Migration> migrations,
                                                                          const PoolSettings& limits,
                                                                          const Clock& clock) {
    auto state = std::make_unique<State>();
    state->urls = std::move(urls);
    state->migrations = std::move(migrations);
    state->limits = limits;
    state->clock = &clock;
    TRY(state->add(platform_tenant));
    for (const auto& one : state->urls) {
        auto added = state->add(one.tenant);
        if (added) continue;
        if (added.error().fault != Fault::unavailable) return std::move(added).error();
        log({Level::warning,
             "the database of an application is unavailable",
             {{"app", one.tenant.text}, {"cause", added.error().cause}}});
    }
    return std::unique_ptr<DatabaseRegistry>(new DatabaseRegistry(std::move(state)));
}

Pool& DatabaseRegistry::platform() {
    return *tenant(platform_tenant);
}

Pool* DatabaseRegistry::tenant(const TenantId& tenant) {
    auto databases = state_->databases.lock();
    auto found = databases->find(tenant);
    return found == databases->end() ? nullptr : found->second.pool.get();
}

Secret DatabaseRegistry::listen_url(const TenantId& tenant) {
    auto databases = state_->databases.lock();
    auto found = databases->find(tenant);
    return found == databases->end() ? Secret() : found->second.listen_url;
}

Result<> DatabaseRegistry::add(const TenantId& tenant) {
    return state_->add(tenant);
}

std::vector<TenantId> DatabaseRegistry::unavailable() const {
    auto databases = state_->databases.lock();
    std::vector<TenantId> tenants;
    for (const auto& one : state_->urls) {
        if (!databases->contains(one.tenant)) tenants.push_back(one.tenant);
    }
    return tenants;
}

std::map<TenantId, PoolCounters> DatabaseRegistry::counters() const {
    auto databases = state_->databases.lock();
    std::map<TenantId, PoolCounters> all;
    for (const auto& [tenant, database] : *databases)
        all.emplace(tenant, database.pool->counters());
    return all;
}

}  // namespace integreat::postgres
