// SPDX-License-Identifier: Apache-2.0
#include "platform/platform.h"

#include "base/concurrency/periodic_task.h"
#include "gateway/admin/app_routes.h"
#include "gateway/idempotency/store.h"
#include "gateway/logging/denial_log.h"
#include "gateway/logging/transaction_log.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/routing/rate_limiter.h"
#include "gateway/routing/request_ids.h"
#include "gateway/routing/snapshot.h"
#include "identity/api_keys/api_key_repository.h"
#include "identity/api_keys/api_keys.h"
#include "identity/identity.h"
#include "identity/tokens/remote_jwks.h"
#include "platform/collections.h"
#include "platform/readiness.h"
#include "platform/routes.h"
#include "postgres/databases/secrets.h"
#include "postgres/driver/completion_queue.h"
#include "services/collections/schema/migration_plan.h"

namespace integreat::platform {

namespace {

using namespace std::chrono_literals;

// 4 MiB; about the number of callers that are counted separately.
constexpr std::size_t rate_limit_entries = 1u << 18;
constexpr auto operator_key_timeout = 10s;
constexpr auto secret_timeout = 10s;
constexpr const char* cursor_secret_name = "cursors";

gateway::TransactionLogSettings to_transaction_log_settings(const config::LogSettings& log) {
    gateway::TransactionLogSettings settings;
    settings.max_queued_rows = log.max_queued_transactions;
    settings.max_unrouted_rows_per_second = static_cast<std::uint32_t>(log.max_unrouted_rows_per_second);
    settings.retention_days = log.transaction_retention_days;
    return settings;
}

identity::IdentityLimits to_identity_limits(const config::IdentitySettings& settings) {
    return {.token = {.clock_skew = settings.clock_skew, .max_bytes = settings.max_token_bytes},
            .max_cached_tokens = settings.max_cached_tokens};
}

gateway::ReadinessCheck check_keys(const identity::RemoteJwks& keys) {
    auto status = keys.status();
    auto state = status.usable
                     ? std::to_string(status.key_ids.size()) + " keys"
                     : "no usable keys" + (status.last_error.empty() ? "" : ": " + status.last_error);
    return {.name = "firebase keys", .ready = status.usable, .state = state, .age = status.age};
}

http::CompletionSource make_completion_source() {
    auto queue = std::make_shared<postgres::CompletionQueue>();
    return {.descriptor = queue->descriptor(),
            .advance = [queue] { queue->advance(); },
            .expire = [queue] { queue->expire(); },
            .abandon = [queue] { queue->cancel_all(); },
            .attach = [queue](http::RequestContext& context) { context.attachments.set(queue.get()); },
            .detach =
                [](http::RequestContext& context) {
                    context.attachments.set<postgres::CompletionQueue>(nullptr);
                }};
}

// Returns null if the settings name no account.
std::shared_ptr<files::FileStore> make_file_store(const config::FilesSettings& settings,
                                                  http::HttpClient& http_client, const Clock& clock) {
    if (settings.account.empty()) return nullptr;
    return std::make_shared<files::FileStore>(
        files::FileStoreSettings{.endpoint = settings.endpoint,
                                 .region = settings.region,
                                 .account = settings.account,
                                 .access_key_id = settings.access_key_id.reveal(),
                                 .secret_access_key = settings.secret_access_key,
                                 .session_token = settings.session_token,
                                 .link_lifetime = settings.link_lifetime},
        http_client, clock);
}

}  // namespace

// In order of dependency: a member may use those before it, and is destroyed before them.
struct Platform::State {
    State(config::Settings its_settings, const Dependencies& its_dependencies)
        : settings(std::move(its_settings)),
          dependencies(its_dependencies),
          keys({.url = settings.identity.firebase_keys_url}, dependencies.http_client, dependencies.clock),
          api_keys(dependencies.databases.platform(), dependencies.clock),
          identity_service(keys, api_keys, dependencies.clock, to_identity_limits(settings.identity)),
          request_ids(dependencies.random),
          rate_limiter(rate_limit_entries, dependencies.random),
          denial_log(static_cast<std::size_t>(settings.log.max_decisions)),
          transaction_log(dependencies.databases.platform(), dependencies.clock, dependencies.random,
                          to_transaction_log_settings(settings.log)),
          database(dependencies.databases.platform(), dependencies.clock),
          feeds(dependencies.databases, dependencies.clock, dependencies.random),
          admin{.platform = dependencies.databases.platform(),
                .clock = dependencies.clock,
                .random = dependencies.random,
                .denial_log = denial_log,
                .readiness_checks = [this] { return readiness_checks(); },
                .transaction_log = &transaction_log} {}

    std::vector<gateway::ReadinessCheck> readiness_checks() { return {database.check(), check_keys(keys)}; }

    Result<> publish(const std::vector<config::Manifest>& manifests);
    void start();
    void update_storage_metrics();

    config::Settings settings;
    Dependencies dependencies;
    identity::RemoteJwks keys;
    identity::ApiKeys api_keys;
    identity::Identity identity_service;
    gateway::RequestIdGenerator request_ids;
    gateway::RateLimiter rate_limiter;
    gateway::DenialLog denial_log;
    gateway::TransactionLog transaction_log;
    DatabaseProbe database;
    ChangeFeedRegistry feeds;
    // Shared by all snapshots: imports outlive a reload.
    std::shared_ptr<TenantSemaphore> import_semaphore = std::make_shared<TenantSemaphore>();
    std::shared_ptr<files::FileStore> file_store =
        make_file_store(settings.files, dependencies.http_client, dependencies.clock);
    gateway::AdminRoutes admin;
    gateway::PlatformRoutes platform_routes{
        .metrics = dependencies.metrics,
        .readiness_checks = [this] { return readiness_checks(); },
        .refresh_readiness = [this](bool may_block) { return database.refresh(may_block); }};
    std::unique_ptr<gateway::AccessLog> access_log;
    gateway::SnapshotHolder snapshots;
    std::uint64_t generation = 0;
    Secret cursor_key;  // Shared by all instances: another one may serve the next page.
    std::unique_ptr<gateway::Gateway> gateway;
    http::Application application;
    std::vector<std::unique_ptr<PeriodicTask>> periodic_tasks;
};

Result<> Platform::State::publish(const std::vector<config::Manifest>& manifests) {
    auto routes = make_platform_routes(platform_routes, admin);
    routes.insert(routes.end(), dependencies.extra_routes.begin(), dependencies.extra_routes.end());
    auto collections = make_collection_routes(manifests, settings.imports, dependencies.databases, cursor_key,
                                              feeds, import_semaphore, file_store);
    routes.insert(routes.end(), std::move_iterator(collections.routes.begin()),
                  std::move_iterator(collections.routes.end()));
    for (const auto& manifest : manifests) {
        auto own = gateway::app_routes(manifest, settings);
        routes.insert(routes.end(), std::move_iterator(own.begin()), std::move_iterator(own.end()));
    }
    gateway::SnapshotParts parts{.settings = settings,
                                 .manifests = manifests,
                                 .routes = std::move(routes),
                                 .generation = generation + 1};
    auto snapshot = TRY(gateway::compile_snapshot(std::move(parts), dependencies.metrics));
    ++generation;
    snapshots.publish(snapshot);
    feeds.set_fingerprints(collections.fingerprints);
    dependencies.metrics.gauge("integreat_snapshot_generation", "Number of times manifests were loaded.")
        .set(static_cast<std::int64_t>(generation));
    return {};
}

// Copies the counters of the transaction log and the pools to metrics.
void Platform::State::update_storage_metrics() {
    auto rows = [this](const char* result) -> metrics::Counter& {
        return dependencies.metrics.counter("integreat_transaction_log_rows_total",
                                            "Rows of the transaction log, by result.", {{"result", result}});
    };
    auto& sampled = dependencies.metrics.counter(
        "integreat_transaction_log_sampled_total",
        "Requests without a route or a sign-in that got no row, because there were too many.");
    for (auto [counter, total] :
         {std::pair(&rows("written"), transaction_log.written()),
          std::pair(&rows("lost"), transaction_log.lost()), std::pair(&sampled, transaction_log.sampled())}) {
        counter->add(total - counter->value());
    }
    dependencies.metrics.gauge("integreat_transaction_log_queued", "Queued rows of the transaction log.")
        .set(static_cast<std::int64_t>(transaction_log.queued()));
    for (const auto& entry : dependencies.databases.counters()) {
        const auto& pool = entry.second;
        auto connections = [&](const char* state) -> metrics::Gauge& {
            return dependencies.metrics.gauge("integreat_database_connections",
                                              "Database connections, by state.",
                                              {{"tenant", entry.first.text}, {"state", state}});
        };
        connections("open").set(pool.open);
        connections("in_use").set(pool.in_use);
        connections("waited_for").set(pool.waiting);
    }
}

void Platform::State::start() {
    if (dependencies.access_log) {
        auto& lost = dependencies.metrics.counter("integreat_access_log_lost_total",
                                                  "Access log lines dropped because the buffer was full.");
        access_log = std::make_unique<gateway::AccessLog>(dependencies.access_log, lost);
    }
    gateway = std::make_unique<gateway::Gateway>(gateway::Gateway{
        .clock = dependencies.clock,
        .snapshots = snapshots,
        .request_ids = request_ids,
        .rate_limiter = rate_limiter,
        .denial_log = denial_log,
        .identify =
            [this](std::string_view authorization, const identity::Projects& projects, bool may_block,
                   Monotonic deadline) {
                return identity_service.identify(authorization, projects, may_block, deadline);
            },
        .metrics = dependencies.metrics,
        .database = &dependencies.databases.platform(),
        .database_of = [this](const TenantId& tenant) { return dependencies.databases.tenant(tenant); },
        .spooling = {.folder = settings.imports.folder,
                     .max_pending = settings.imports.max_pending,
                     .max_pending_per_principal = settings.imports.max_pending_per_principal},
        .http_client = &dependencies.http_client,
        .transaction_log = &transaction_log,
        .access_log = access_log.get(),
    });
    application = gateway::make_application(*gateway);
    application.make_completion_source = make_completion_source;
    auto add_task = [this](std::chrono::milliseconds interval, std::function<void()> task) {
        periodic_tasks.push_back(std::make_unique<PeriodicTask>(interval, std::move(task)));
    };
    add_task(1s, [this] { keys.refresh_due(); });
    add_task(100ms, [this] { api_keys.poll_due(); });
    add_task(250ms, [this] { database.probe_due(); });
    update_storage_metrics();
    add_task(1s, [this] { update_storage_metrics(); });
}

std::vector<postgres::Migration> all_migrations() {
    std::vector<postgres::Migration> all;
    for (auto migrations : {postgres::database_migrations(), identity::api_keys_migrations(),
                            collections::collections_migrations(), gateway::idempotency_migrations(),
                            gateway::transaction_log_migrations()}) {
        all.insert(all.end(), migrations.begin(), migrations.end());
    }
    return all;
}

Platform::Platform(std::unique_ptr<State> state) : state_(std::move(state)) {}
Platform::~Platform() = default;

Result<std::unique_ptr<Platform>> Platform::make(config::Configuration configuration,
                                                 const Dependencies& dependencies) {
    auto state = std::make_unique<State>(std::move(configuration.settings), dependencies);
    state->cursor_key = TRY(postgres::get_or_create_secret(dependencies.databases.platform(),
                                                           cursor_secret_name, dependencies.random,
                                                           dependencies.clock.monotonic() + secret_timeout));
    TRY(state->publish(configuration.manifests));
    state->start();
    return std::unique_ptr<Platform>(new Platform(std::move(state)));
}

const http::Application& Platform::application() const {
    return state_->application;
}

Result<> Platform::reload(config::Configuration configuration) {
    return state_->publish(configuration.manifests);
}

Result<> Platform::set_problem_base_url(std::string url) {
    state_->settings.http.problem_base_url = std::move(url);
    return state_->publish(state_->snapshots.current()->manifests);
}

bool Platform::fetch_keys() {
    auto deadline = state_->dependencies.clock.monotonic() + state_->keys.settings().fetch_timeout;
    state_->keys.refresh_due();
    // Waits for the fetch that the background task may have begun.
    if (!state_->keys.status().usable) state_->keys.refresh_for_kid(true, deadline);
    return state_->keys.status().usable;
}

Result<Secret> Platform::create_operator_key(const std::string& name) {
    auto deadline = state_->dependencies.clock.monotonic() + operator_key_timeout;
    auto issued =
        TRY(identity::create_api_key(state_->dependencies.databases.platform(),
                                     {.tenant = platform_tenant,
                                      .name = name,
                                      .scopes = {"admin"},
                                      .expires = std::nullopt,
                                      .created_by = "integreat dev"},
                                     state_->dependencies.clock, state_->dependencies.random, deadline));
    return issued.key;
}

}  // namespace integreat::platform
