// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/pool.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <random>
#include <thread>

#include "base/concurrency/synchronized.h"
#include "postgres/driver/completion_queue.h"
#include "postgres/driver/connection.h"
#include "postgres/driver/session_statements.h"

namespace integreat::postgres {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds deadline_max{600'000};  // The effective deadline of calls without one.
constexpr milliseconds idle_max{30'000};       // A connection that was idle for longer is tested before use.
constexpr milliseconds idle_test_max{2'000};   // Deadline of such a test.
constexpr milliseconds idle_trusted_max{10};   // Idle time up to which the socket is not even examined.
constexpr milliseconds connect_backoff_first{100};
constexpr milliseconds connect_backoff_max{2'000};

// Returns half to all of `longest`, to spread the retries of concurrent callers. Not for secrets.
milliseconds jittered(milliseconds longest) {
    thread_local std::minstd_rand generator(
        static_cast<unsigned>(steady_clock::now().time_since_epoch().count()));
    return longest / 2 + milliseconds(generator() % static_cast<unsigned>(longest.count() / 2 + 1));
}

// One statement preceded by its session settings, for one round trip.
struct StatementGroup {
    StatementGroup(const RoleContext* context, const Statement& statement, Monotonic deadline)
        : until(deadline), left(std::chrono::floor<milliseconds>(until - steady_clock::now())) {
        settings.reserve(4);
        if (context) {
            settings.emplace_back(context->role);
            settings.emplace_back(context->uid);
            settings.emplace_back(context->request);
        }
        settings.emplace_back(std::to_string(server_timeout(left).count()));
        statements = {Statement{context ? set_role_and_timeout_sql : set_timeout_sql, settings}, statement};
    }
    StatementGroup(const StatementGroup&) = delete;

    Monotonic until;
    milliseconds left;
    std::vector<Value> settings;  // Parameters of the first statement.
    std::array<Statement, 2> statements;
};

}  // namespace

struct Pool::State {
    struct Connections {
        std::vector<std::unique_ptr<Connection>> idle;  // A stack: the last one used is the next one used.
        int open = 0;
        int waiting = 0;
    };

    Result<std::unique_ptr<Connection>> take_or_open(Monotonic until);

    PoolSettings settings;
    const Clock* clock;
    Synchronized<Connections> connections;
    std::condition_variable freed;
    std::atomic<bool> prepare{true};
    std::atomic<std::uint64_t> waits{0}, timeouts{0}, connects{0}, reconnects{0};
};

// Waits for a connection. Returns null if none is idle and the caller may open one.
Result<std::unique_ptr<Connection>> Pool::State::take_or_open(Monotonic until) {
    auto state = connections.lock();
    auto free = [&] { return !state->idle.empty() || state->open < settings.max_connections; };
    if (!free()) {
        ++waits;
        ++state->waiting;
        bool became_free = freed.wait_until(state.lock(), until, free);
        --state->waiting;
        if (!became_free) {
            ++timeouts;
            return Error{Fault::unavailable, "the database is busy; try again later",
                         "all connections in the pool of " + settings.tenant.text + " are in use"};
        }
    }
    std::unique_ptr<Connection> connection;
    if (state->idle.empty()) {
        ++state->open;
    } else {
        connection = std::move(state->idle.back());
        state->idle.pop_back();
    }
    return connection;
}

Pool::Pool(PoolSettings settings, const Clock& clock) : state_(std::make_unique<State>()) {
    ASSERT(settings.max_connections > 0);
    state_->settings = std::move(settings);
    state_->clock = &clock;
}

Pool::~Pool() = default;

const TenantId& Pool::tenant() const {
    return state_->settings.tenant;
}

PoolCounters Pool::counters() const {
    auto state = state_->connections.lock();
    return {.open = state->open,
            .in_use = state->open - static_cast<int>(state->idle.size()),
            .waiting = state->waiting,
            .waits = state_->waits,
            .timeouts = state_->timeouts,
            .connects = state_->connects,
            .reconnects = state_->reconnects};
}

// Converts a deadline on the clock of the platform to one on the steady clock of this machine.
Monotonic Pool::local_deadline(Monotonic deadline) const {
    auto now = steady_clock::now();
    if (deadline == Monotonic::max()) return now + deadline_max;
    return now + std::min<Monotonic::duration>(deadline - state_->clock->monotonic(), deadline_max);
}

void Pool::count_timeout() {
    ++state_->timeouts;
}

Result<std::unique_ptr<Connection>> Pool::connect(Monotonic until) {
    until = std::min<Monotonic>(until, steady_clock::now() + state_->settings.connect_timeout);
    for (auto pause = connect_backoff_first;; pause = std::min(pause * 2, connect_backoff_max)) {
        ConnectFailure failure;
        auto connection = Connection::open(state_->settings.url, until, failure);
        if (connection) {
            ++state_->connects;
            return connection;
        }
        auto wake = steady_clock::now() + jittered(pause);
        if (!failure.worth_retrying || wake >= until) {
            if (steady_clock::now() >= until) count_timeout();
            return std::move(failure.error);
        }
        std::this_thread::sleep_until(wake);
    }
}

Result<std::unique_ptr<Connection>> Pool::acquire(Monotonic until) {
    auto acquire_until = std::min<Monotonic>(until, steady_clock::now() + state_->settings.acquire_timeout);
    while (true) {
        auto connection = TRY(state_->take_or_open(acquire_until));
        if (!connection) {
            auto opened = connect(until);
            if (opened) return opened;
            --state_->connections.lock()->open;
            state_->freed.notify_one();
            return opened;
        }
        auto idle_time = steady_clock::now() - connection->idle_since;
        if (idle_time < idle_trusted_max && connection->usable()) return connection;
        bool needs_test = idle_time > idle_max;
        Statement probe{"SELECT 1", {}};
        auto test_until = std::min<Monotonic>(until, steady_clock::now() + idle_test_max);
        if (connection->is_idle() &&
            (!needs_test || connection->execute_pipeline({&probe, 1}, false, test_until))) {
            return connection;
        }
        close(std::move(connection));
    }
}

void Pool::release(std::unique_ptr<Connection> connection) {
    if (!connection->usable() || connection->in_transaction()) return close(std::move(connection));
    connection->idle_since = steady_clock::now();
    state_->connections.lock()->idle.push_back(std::move(connection));
    state_->freed.notify_one();
}

void Pool::close(std::unique_ptr<Connection> connection) {
    connection.reset();
    ++state_->reconnects;
    --state_->connections.lock()->open;
    state_->freed.notify_one();
}

Result<Transaction> Pool::begin(const TenantId& tenant, Monotonic deadline) {
    ASSERT(tenant == state_->settings.tenant);
    auto until = local_deadline(deadline);
    return Transaction(*this, TRY(acquire(until)), until);
}

Result<ResultSet> Pool::run(const TenantId& tenant, Monotonic deadline, std::string_view sql,
                            std::initializer_list<Value> parameters) {
    ASSERT(tenant == state_->settings.tenant);
    return execute(nullptr, deadline, sql, {parameters.begin(), parameters.size()}, nullptr);
}

Result<ResultSet> Pool::query_as(const TenantId& tenant, const RoleContext& context, Monotonic deadline,
                                 std::string_view sql, std::span<const Value> parameters,
                                 ServerError* server_error) {
    ASSERT(tenant == state_->settings.tenant);
    return execute(&context, deadline, sql, parameters, server_error);
}

Result<ResultSet> Pool::execute(const RoleContext* context, Monotonic deadline, std::string_view sql,
                                std::span<const Value> parameters, ServerError* server_error) {
    if (contains_nul(parameters)) return nul_error();
    auto until = local_deadline(deadline);
    for (bool again = false;; again = true) {
        auto connection = TRY(acquire(until));
        StatementGroup group(context, {sql, parameters}, statement_deadline(until));
        if (group.left <= milliseconds(0)) {
            release(std::move(connection));
            return deadline_error();
        }
        auto rows = connection->execute_pipeline(group.statements, state_->prepare, group.until);
        auto result = complete(std::move(connection), std::move(rows));
        if (server_error) *server_error = std::move(result.server_error);
        if (result.rows || again || !result.should_retry) return std::move(result.rows);
    }
}

Monotonic Pool::statement_deadline(Monotonic until) const {
    return std::min<Monotonic>(until, steady_clock::now() + state_->settings.statement_timeout);
}

// Returns the connection to the pool, or closes it if it is no longer usable, and makes the result.
QueryResult Pool::complete(std::unique_ptr<Connection> connection, Result<std::vector<ResultSet>> rows) {
    QueryResult result{.rows = Error{}, .server_error = connection->server_error()};
    if (!rows && is_plan_lost(result.server_error.sqlstate)) {
        on_plan_lost(*connection);
        result.should_retry = true;
    }
    if (!rows && connection->timed_out()) count_timeout();
    bool lost = !connection->usable();
    release(std::move(connection));
    if (rows) {
        result.rows = std::move(rows->back());
    } else {
        Error error = std::move(rows).error();
        if (lost) error.cause = "unknown: " + error.cause;
        result.rows = std::move(error);
    }
    return result;
}

// Stops preparing statements altogether if the pooler does not keep them.
void Pool::on_plan_lost(Connection& connection) {
    connection.forget_prepared();
    if (connection.sqlstate() != "0A000") state_->prepare = false;
}

milliseconds Pool::statement_timeout() const {
    return state_->settings.statement_timeout;
}

bool Pool::prepares_statements() const {
    return state_->prepare;
}

// Takes an idle connection that needs no test, preferably one that the queue has registered with epoll
// already.
std::unique_ptr<Connection> Pool::take_ready(const CompletionQueue& queue) {
    for (;;) {
        std::unique_ptr<Connection> connection;
        {
            auto state = state_->connections.lock();
            auto& idle = state->idle;
            if (idle.empty() || state->waiting > 0) return nullptr;
            auto registered = std::find_if(idle.rbegin(), idle.rend(), [&](const auto& candidate) {
                return candidate->last_queue == &queue;
            });
            auto chosen = registered == idle.rend() ? std::prev(idle.end()) : std::prev(registered.base());
            if (steady_clock::now() - (*chosen)->idle_since > idle_max) return nullptr;
            connection = std::move(*chosen);
            idle.erase(chosen);
        }
        bool trusted = steady_clock::now() - connection->idle_since < idle_trusted_max;
        if (trusted ? connection->usable() : connection->is_idle()) {
            connection->last_queue = &queue;
            return connection;
        }
        close(std::move(connection));
    }
}

bool Pool::query_async(CompletionQueue& queue, const TenantId& tenant, const RoleContext& context,
                       Monotonic deadline, std::string_view sql, std::span<const Value> parameters,
                       CompletionHandler handler) {
    ASSERT(tenant == state_->settings.tenant);
    StatementGroup group(&context, {sql, parameters}, statement_deadline(local_deadline(deadline)));
    if (group.left <= milliseconds(0) || contains_nul(parameters)) return false;
    auto connection = take_ready(queue);
    if (!connection) return false;
    if (!connection->start_pipeline(group.statements, state_->prepare)) {
        release(std::move(connection));
        return false;
    }
    queue.add({this, std::move(connection), group.until, std::move(handler)});
    return true;
}

}  // namespace integreat::postgres
