// SPDX-License-Identifier: Apache-2.0
#include "platform/platform.h"

#include "base/concurrency/periodic_task.h"
#include "gateway/logging/denial_log.h"
#include "gateway/logging/transaction_log.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/routing/rate_limiter.h"
#include "gateway/routing/request_ids.h"
#include "gateway/routing/snapshot.h"
#include "identity/api_keys/api_keys.h"
#include "identity/identity.h"
#include "identity/tokens/remote_jwks.h"
#include "platform/collections.h"
#include "platform/readiness.h"
#include "platform/routes.h"
#include "postgres/databases/secrets.h"
#include "postgres/driver/completion_queue.h"

namespace integreat::platform {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t rate_buckets = 1u << 18;  // 4 MiB; about as many callers at once keep their own count.
constexpr auto operator_key_patience = 10s;
constexpr auto secret_patience = 10s;
constexpr const char* cursor_secret = "cursors";

gateway::TransactionLogSettings log_settings(const config::LogSettings& log) {
    gateway::TransactionLogSettings settings;
    settings.rows_max = log.transaction_queue_max;
    settings.retention_days = log.transaction_retention_days;
    return settings;
}

identity::IdentityLimits identity_limits(const config::IdentitySettings& settings) {
    return {.token = {.clock_skew = settings.clock_skew, .bytes_max = settings.token_bytes_max},
            .token_cache_max = settings.token_cache_max};
}

gateway::ReadyCheck keys_check(const identity::KeySet& keys) {
    auto status = keys.status();
    auto state = status.usable
                     ? std::to_string(status.key_ids.size()) + " keys"
                     : "no usable keys" + (status.last_error.empty() ? "" : ": " + status.last_error);
    return {.name = "firebase keys", .ready = status.usable, .state = state, .age = status.age};
}

http::Lane make_lane() {
    auto lane = std::make_shared<postgres::Lane>();
    return {.descriptor = lane->descriptor(),
            .advance = [lane] { lane->advance(); },
            .expire = [lane] { lane->expire(); },
            .abandon = [lane] { lane->abandon(); },
            .database = lane.get()};
}

}  // namespace

// In the order of their needs: what comes later may use what comes before, and goes first.
struct Platform::Parts {
    Parts(config::Settings its_settings, const World& its_world)
        : settings(std::move(its_settings)),
          world(its_world),
          keys({.url = settings.identity.firebase_keys_url}, world.outbound, world.clock),
          api_keys(world.databases.platform(), world.clock),
          who(keys, api_keys, world.clock, identity_limits(settings.identity)),
          numbering(world.random),
          buckets(rate_buckets, world.random),
          decisions(static_cast<std::size_t>(settings.log.decisions_max)),
          transactions(world.databases.platform(), world.clock, world.random, log_settings(settings.log)),
          database(world.databases.platform(), world.clock),
          feeds(world.databases, world.clock, world.random),
          admin{.platform = world.databases.platform(),
                .clock = world.clock,
                .random = world.random,
                .decisions = decisions,
                .ready_checks = [this] { return ready_checks(); },
                .transaction_log = &transactions} {}

    std::vector<gateway::ReadyCheck> ready_checks() { return {database.check(), keys_check(keys)}; }

    Result<> publish(const std::vector<config::Manifest>& manifests);
    void start();
    void count_storage();

    config::Settings settings;
    World world;
    identity::KeySet keys;
    identity::ApiKeys api_keys;
    identity::Identity who;
    gateway::Numbering numbering;
    gateway::Buckets buckets;
    gateway::Decisions decisions;
    gateway::TransactionLog transactions;
    DatabaseProbe database;
    Feeds feeds;
    std::shared_ptr<Turns> importing = std::make_shared<Turns>();  // What began before a reload counts.
    gateway::AdminRoutes admin;
    gateway::PlatformRoutes own{.metrics = world.metrics, .ready_checks = [this] { return ready_checks(); }};
    std::unique_ptr<gateway::AccessLog> access_log;
    gateway::Published snapshots;
    std::uint64_t generation = 0;
    Secret cursor_key;  // Of all instances: the next page may be asked of another than the first.
    std::unique_ptr<gateway::Gateway> gateway;
    http::Application application;
    std::vector<std::unique_ptr<Repeating>> background;
};

Result<> Platform::Parts::publish(const std::vector<config::Manifest>& manifests) {
    auto routes = own_routes(own, admin);
    routes.insert(routes.end(), world.more_routes.begin(), world.more_routes.end());
    auto collections =
        collection_routes(manifests, settings.imports, world.databases, cursor_key, feeds, importing);
    routes.insert(routes.end(), std::move_iterator(collections.routes.begin()),
                  std::move_iterator(collections.routes.end()));
    gateway::SnapshotParts parts{.settings = settings,
                                 .manifests = manifests,
                                 .platform_routes = std::move(routes),
                                 .generation = generation + 1};
    auto snapshot = TRY(gateway::compile_snapshot(std::move(parts), world.metrics));
    ++generation;
    snapshots.publish(snapshot);
    feeds.serve(collections.fingerprints);
    world.metrics.gauge("integreat_snapshot_generation", "How often manifests were loaded.")
        .set(static_cast<std::int64_t>(generation));
    return {};
}

// What the log and the pools have counted for themselves, as metrics. A lost row is never silent.
void Platform::Parts::count_storage() {
    auto rows = [this](const char* result) -> metrics::Counter& {
        return world.metrics.counter("integreat_transaction_log_rows_total", "Rows of the transaction log.",
                                     {{"result", result}});
    };
    for (auto [counter, total] : {std::pair(&rows("written"), transactions.written()),
                                  std::pair(&rows("lost"), transactions.lost())}) {
        counter->add(total - counter->value());
    }
    world.metrics.gauge("integreat_transaction_log_waiting", "Rows that wait for the database.")
        .set(static_cast<std::int64_t>(transactions.waiting()));
    for (const auto& entry : world.databases.counters()) {
        const auto& pool = entry.second;
        auto connections = [&](const char* state) -> metrics::Gauge& {
            return world.metrics.gauge("integreat_database_connections", "Connections to databases.",
                                       {{"tenant", entry.first.text}, {"state", state}});
        };
        connections("open").set(pool.open);
        connections("in_use").set(pool.in_use);
        connections("waited_for").set(pool.waiting);
    }
}

void Platform::Parts::start() {
    if (world.access_log) {
        auto& lost = world.metrics.counter("integreat_access_log_lost_total",
                                           "Lines of the access log that found no room.");
        access_log = std::make_unique<gateway::AccessLog>(world.access_log, lost);
    }
    gateway = std::make_unique<gateway::Gateway>(gateway::Gateway{
        .clock = world.clock,
        .snapshots = snapshots,
        .numbering = numbering,
        .buckets = buckets,
        .decisions = decisions,
        .identify =
            [this](std::string_view authorization, const identity::Projects& projects, bool may_wait,
                   Monotonic deadline) { return who.identify(authorization, projects, may_wait, deadline); },
        .metrics = world.metrics,
        .database = &world.databases.platform(),
        .database_of = [this](const TenantId& tenant) { return world.databases.tenant(tenant); },
        .spooling = {.folder = settings.imports.folder, .at_once = settings.imports.coming_at_once},
        .outbound = &world.outbound,
        .transaction_log = &transactions,
        .access_log = access_log.get(),
    });
    application = gateway::make_application(*gateway);
    application.make_lane = make_lane;
    auto repeat = [this](std::chrono::milliseconds pause, std::function<void()> work) {
        background.push_back(std::make_unique<Repeating>(pause, std::move(work)));
    };
    repeat(1s, [this] { keys.refresh_due(); });
    repeat(100ms, [this] { api_keys.poll_due(); });
    repeat(250ms, [this] { database.probe_due(); });
    count_storage();
    repeat(1s, [this] { count_storage(); });
}

Platform::Platform(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Platform::~Platform() = default;

Result<std::unique_ptr<Platform>> Platform::make(config::Configuration configuration, const World& world) {
    auto parts = std::make_unique<Parts>(std::move(configuration.settings), world);
    parts->cursor_key = TRY(postgres::shared_secret(world.databases.platform(), cursor_secret, world.random,
                                                    world.clock.monotonic() + secret_patience));
    TRY(parts->publish(configuration.manifests));
    parts->start();
    return std::unique_ptr<Platform>(new Platform(std::move(parts)));
}

const http::Application& Platform::application() const {
    return parts_->application;
}

Result<> Platform::reload(config::Configuration configuration) {
    return parts_->publish(configuration.manifests);
}

bool Platform::fetch_keys() {
    parts_->keys.refresh_due();
    return parts_->keys.status().usable;
}

Result<Secret> Platform::make_operator_key(const std::string& name) {
    auto deadline = parts_->world.clock.monotonic() + operator_key_patience;
    auto issued = TRY(identity::create_api_key(parts_->world.databases.platform(),
                                               {.tenant = platform_tenant,
                                                .name = name,
                                                .scopes = {"admin"},
                                                .expires = std::nullopt,
                                                .created_by = "integreat dev"},
                                               parts_->world.clock, parts_->world.random, deadline));
    return issued.key;
}

}  // namespace integreat::platform
