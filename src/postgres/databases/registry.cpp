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
#include "postgres/driver/connection.h"

namespace integreat::postgres {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds creation_max{30};
constexpr seconds migration_max{300};

// The password of a login role of the private server, kept in its folder for our eyes only.
struct KeptPassword {
    Secret password;
    bool fresh = false;
};

Result<KeptPassword> password_for(const PrivateServer& server, const std::string& database, Random& random) {
    auto folder = server.folder() / "passwords";
    auto path = folder / database;
    std::ifstream file(path);
    std::string line;
    if (std::getline(file, line) && !line.empty()) return KeptPassword{Secret(std::move(line))};
    std::error_code failure;
    fs::create_directory(folder, failure);
    KeptPassword kept{random_password(random), true};
    auto text = kept.password.reveal() + "\n";
    auto unfinished = path.string() + ".unfinished";
    int out = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written =
        out >= 0 && write(out, text.data(), text.size()) == ssize_t(text.size()) && fsync(out) == 0;
    int reason = errno;
    if (out >= 0) close(out);
    if (!written || rename(unfinished.c_str(), path.c_str()) != 0) {
        return Error{Fault::unavailable, "the password of a database cannot be kept in " + path.string(),
                     std::strerror(written ? errno : reason)};
    }
    return kept;
}

std::string setting_of(const TenantId& tenant) {
    if (tenant == platform_tenant) return "DATABASE_URL";
    std::string name = "DATABASE_URL_" + tenant.text;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
    return name;
}

}  // namespace

struct Databases::State {
    PrivateServer* server = nullptr;  // Null if URLs are given.
    Random* random = nullptr;
    std::vector<DatabaseUrls> given;
    PoolSettings limits;
    const Clock* clock = nullptr;
    std::mutex adding;  // One at a time; serves no data.
    struct Opened {
        std::unique_ptr<Pool> pool;
        Secret listening;
    };
    Guarded<std::map<TenantId, Opened>> pools;

    std::unique_ptr<Pool> pool_of(const TenantId& tenant, Secret url) const {
        auto settings = limits;
        settings.tenant = tenant;
        settings.url = std::move(url);
        return std::make_unique<Pool>(std::move(settings), *clock);
    }
    Result<Opened> open_in_server(const TenantId& tenant);
    Result<Opened> open_elsewhere(const TenantId& tenant) const;
    Result<> add(const TenantId& tenant);
};

Result<Databases::State::Opened> Databases::State::open_in_server(const TenantId& tenant) {
    auto name = TRY(database_name(tenant));
    NewDatabase wanted{
        .name = std::move(name), .kind = kind_of(tenant), .keep_template = tenant != platform_tenant};
    auto kept = TRY(password_for(*server, wanted.name, *random));
    wanted.password = kept.password;
    auto url = server->url(wanted.name, login_role(wanted.name), wanted.password);
    auto deadline = Monotonic::max();
    // The usual start finds everything as it should be, and asks for nothing more than that.
    if (!kept.fresh) {
        auto pool = pool_of(tenant, url);
        auto found = check_database(*pool, wanted.kind, deadline);
        if (found && found->pending == 0) return Opened{std::move(pool), url};
        if (!found && found.error().fault == Fault::conflict) return std::move(found).error();
    }
    TRY(create_database(*server, wanted, steady_clock::now() + creation_max));
    auto pool = pool_of(tenant, url);
    TRY(check_database(*pool, wanted.kind, deadline));
    return Opened{std::move(pool), url};
}

Result<Databases::State::Opened> Databases::State::open_elsewhere(const TenantId& tenant) const {
    auto urls =
        std::find_if(given.begin(), given.end(), [&](const auto& one) { return one.tenant == tenant; });
    if (urls == given.end() || urls->url.empty()) {
        return Error{
            Fault::invalid,
            tenant.text + " has no database: set " + setting_of(tenant) + " to its postgresql:// URL",
            "no URL given"};
    }
    auto options = TRY(connect_options(urls->url));
    auto pool = pool_of(tenant, urls->url);
    auto kind = kind_of(tenant);
    auto state = TRY(check_database(*pool, kind, Monotonic::max()));
    if (state.pending == 0) return Opened{std::move(pool), urls->direct};
    if (urls->direct.empty()) {
        return Error{Fault::conflict,
                     "the database of " + tenant.text + " lacks " + std::to_string(state.pending) +
                         " migrations: set " + setting_of(tenant) +
                         "_DIRECT to the URL of a role that may make them",
                     "pending migrations"};
    }
    TRY(migrate({.url = urls->direct,
                 .kind = kind,
                 .app_role = options.find("user"),
                 .owner = "",
                 .until = steady_clock::now() + migration_max}));
    return Opened{std::move(pool), urls->direct};
}

Result<> Databases::State::add(const TenantId& tenant) {
    std::lock_guard one(adding);
    if (pools.lock()->contains(tenant)) return {};
    auto opened = TRY(server ? open_in_server(tenant) : open_elsewhere(tenant));
    pools.lock()->emplace(tenant, std::move(opened));
    return {};
}

Databases::Databases(std::unique_ptr<State> state) : state_(std::move(state)) {}
Databases::~Databases() = default;

Result<std::unique_ptr<Databases>> Databases::open_private(PrivateServer& server,
                                                           std::span<const TenantId> tenants,
                                                           const PoolSettings& limits, const Clock& clock,
                                                           Random& random) {
    auto state = std::make_unique<State>();
    state->server = &server;
    state->random = &random;
    state->limits = limits;
    state->clock = &clock;
    TRY(state->add(platform_tenant));
    for (const auto& tenant : tenants)
        TRY(state->add(tenant));
    return std::unique_ptr<Databases>(new Databases(std::move(state)));
}

Result<std::unique_ptr<Databases>> Databases::open_given(std::vector<DatabaseUrls> urls,
                                                         const PoolSettings& limits, const Clock& clock) {
    auto state = std::make_unique<State>();
    state->given = std::move(urls);
    state->limits = limits;
    state->clock = &clock;
    TRY(state->add(platform_tenant));
    for (const auto& one : state->given) {
        auto added = state->add(one.tenant);
        if (added) continue;
        if (added.error().fault != Fault::unavailable) return std::move(added).error();
        log({Level::warning,
             "the database of an application does not answer",
             {{"app", one.tenant.text}, {"cause", added.error().cause}}});
    }
    return std::unique_ptr<Databases>(new Databases(std::move(state)));
}

Pool& Databases::platform() {
    return *tenant(platform_tenant);
}

Pool* Databases::tenant(const TenantId& tenant) {
    auto pools = state_->pools.lock();
    auto found = pools->find(tenant);
    return found == pools->end() ? nullptr : found->second.pool.get();
}

Secret Databases::listening_url(const TenantId& tenant) {
    auto pools = state_->pools.lock();
    auto found = pools->find(tenant);
    return found == pools->end() ? Secret() : found->second.listening;
}

Result<> Databases::add(const TenantId& tenant) {
    return state_->add(tenant);
}

std::vector<TenantId> Databases::absent() const {
    auto pools = state_->pools.lock();
    std::vector<TenantId> absent;
    for (const auto& one : state_->given) {
        if (!pools->contains(one.tenant)) absent.push_back(one.tenant);
    }
    return absent;
}

std::map<TenantId, PoolCounters> Databases::counters() const {
    auto pools = state_->pools.lock();
    std::map<TenantId, PoolCounters> all;
    for (const auto& [tenant, opened] : *pools)
        all.emplace(tenant, opened.pool->counters());
    return all;
}

}  // namespace integreat::postgres
