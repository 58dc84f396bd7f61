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

namespace integreat::postgres {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds wait_max{600'000};      // What "no deadline" means.
constexpr milliseconds rest_max{30'000};       // A connection idle for longer is tried before use.
constexpr milliseconds rest_check_max{2'000};  // How long such a try may take.
constexpr milliseconds rest_trusted{10};       // So shortly after its last answer it is not even looked at.
constexpr milliseconds backoff_first{100};
constexpr milliseconds backoff_max{2'000};

constexpr std::string_view begin_sql = "BEGIN";
constexpr std::string_view timeout_sql = "SELECT set_config('statement_timeout', $1, true)";
// num_nulls(): nobody reads what they return, and one number costs less to describe and send than four texts.
constexpr std::string_view acting_sql =
    "SELECT num_nulls(set_config('role', $1, true), set_config('integreat.uid', $2, true), "
    "set_config('integreat.request', $3, true))";
constexpr std::string_view acting_timeout_sql =
    "SELECT num_nulls(set_config('role', $1, true), set_config('integreat.uid', $2, true), "
    "set_config('integreat.request', $3, true), set_config('statement_timeout', $4, true))";

// Half to all of `longest`, so that many who wait do not knock at once. Not for secrets.
milliseconds jittered(milliseconds longest) {
    thread_local std::minstd_rand generator(
        static_cast<unsigned>(steady_clock::now().time_since_epoch().count()));
    return longest / 2 + milliseconds(generator() % static_cast<unsigned>(longest.count() / 2 + 1));
}

// The server gives up a little before we do, so that its connection stays of use.
milliseconds server_share(milliseconds left) {
    return std::max(milliseconds(1), left - std::min(left / 10, milliseconds(50)));
}

Error over_error() {
    return {Fault::internal, "the database could not carry this out",
            "the transaction has failed or is over"};
}

Error deadline_error() {
    return {Fault::unavailable, "the database did not answer in time; try again later",
            "the deadline passed before the statement was sent"};
}

bool has_nul(std::span<const Value> parameters) {
    return std::any_of(parameters.begin(), parameters.end(),
                       [](const Value& value) { return value && value->find('\0') != std::string::npos; });
}

Error nul_error() {
    return {Fault::invalid, "text must be UTF-8 without NUL characters",
            "a parameter contains a NUL character"};
}

// A pooler that gave us another server's session, or a plan that DDL made stale: nothing was done.
bool lost_its_plan(const std::string& state) {
    return state == "0A000" || state == "26000" || state == "42P05";
}

// One statement behind what must be told to the server first, for one round trip.
struct Group {
    Group(const Acting* acting, const Statement& statement, Monotonic answer_until)
        : until(answer_until), left(std::chrono::floor<milliseconds>(until - steady_clock::now())) {
        told.reserve(4);
        if (acting) {
            told.emplace_back(acting->role);
            told.emplace_back(acting->uid);
            told.emplace_back(acting->request);
        }
        told.emplace_back(std::to_string(server_share(left).count()));
        statements = {Statement{acting ? acting_timeout_sql : timeout_sql, told}, statement};
    }
    Group(const Group&) = delete;

    Monotonic until;
    milliseconds left;
    std::vector<Value> told;
    std::array<Statement, 2> statements;
};

}  // namespace

struct Pool::State {
    struct Inside {
        std::vector<std::unique_ptr<Connection>> idle;  // The last used is used next; the others rest.
        int open = 0;
        int waiting = 0;
    };

    Result<std::unique_ptr<Connection>> take_or_open(Monotonic until);

    PoolSettings settings;
    const Clock* clock;
    Guarded<Inside> inside;
    std::condition_variable freed;
    std::atomic<bool> prepare{true};
    std::atomic<std::uint64_t> waits{0}, timeouts{0}, connects{0}, reconnects{0};
};

// A free connection; null if there is none, but one may be opened.
Result<std::unique_ptr<Connection>> Pool::State::take_or_open(Monotonic until) {
    auto now = inside.lock();
    auto free = [&] { return !now->idle.empty() || now->open < settings.connections_max; };
    if (!free()) {
        ++waits;
        ++now->waiting;
        bool came_free = freed.wait_until(now.lock(), until, free);
        --now->waiting;
        if (!came_free) {
            ++timeouts;
            return Error{Fault::unavailable, "the database is busy; try again later",
                         "all connections of the pool of " + settings.tenant.text + " stayed in use"};
        }
    }
    std::unique_ptr<Connection> connection;
    if (now->idle.empty()) {
        ++now->open;
    } else {
        connection = std::move(now->idle.back());
        now->idle.pop_back();
    }
    return connection;
}

Pool::Pool(PoolSettings settings, const Clock& clock) : state_(std::make_unique<State>()) {
    ASSERT(settings.connections_max > 0);
    state_->settings = std::move(settings);
    state_->clock = &clock;
}

Pool::~Pool() = default;

const TenantId& Pool::tenant() const {
    return state_->settings.tenant;
}

PoolCounters Pool::counters() const {
    auto inside = state_->inside.lock();
    return {.open = inside->open,
            .in_use = inside->open - static_cast<int>(inside->idle.size()),
            .waiting = inside->waiting,
            .waits = state_->waits,
            .timeouts = state_->timeouts,
            .connects = state_->connects,
            .reconnects = state_->reconnects};
}

// Deadlines are told in the platform's clock; waits are made in the machine's.
Monotonic Pool::local_deadline(Monotonic deadline) const {
    auto now = steady_clock::now();
    if (deadline == Monotonic::max()) return now + wait_max;
    return now + std::min<Monotonic::duration>(deadline - state_->clock->monotonic(), wait_max);
}

void Pool::count_timeout() {
    ++state_->timeouts;
}

Result<std::unique_ptr<Connection>> Pool::connect(Monotonic until) {
    until = std::min<Monotonic>(until, steady_clock::now() + state_->settings.connect_timeout);
    for (auto pause = backoff_first;; pause = std::min(pause * 2, backoff_max)) {
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
            --state_->inside.lock()->open;
            state_->freed.notify_one();
            return opened;
        }
        auto rest = steady_clock::now() - connection->rested_since;
        if (rest < rest_trusted && connection->usable()) return connection;
        bool rested = rest > rest_max;
        Statement nothing{"SELECT 1", {}};
        auto check_until = std::min<Monotonic>(until, steady_clock::now() + rest_check_max);
        if (connection->quiet() && (!rested || connection->exchange({&nothing, 1}, false, check_until))) {
            return connection;
        }
        give_up(std::move(connection));
    }
}

void Pool::release(std::unique_ptr<Connection> connection) {
    if (!connection->usable() || connection->in_transaction()) return give_up(std::move(connection));
    connection->rested_since = steady_clock::now();
    state_->inside.lock()->idle.push_back(std::move(connection));
    state_->freed.notify_one();
}

void Pool::give_up(std::unique_ptr<Connection> connection) {
    connection.reset();
    ++state_->reconnects;
    --state_->inside.lock()->open;
    state_->freed.notify_one();
}

Result<Transaction> Pool::begin(const TenantId& tenant, Monotonic deadline) {
    ASSERT(tenant == state_->settings.tenant);
    auto until = local_deadline(deadline);
    return Transaction(*this, TRY(acquire(until)), until);
}

Result<Rows> Pool::run(const TenantId& tenant, Monotonic deadline, std::string_view sql,
                       std::initializer_list<Value> parameters) {
    ASSERT(tenant == state_->settings.tenant);
    return run_group(nullptr, deadline, sql, {parameters.begin(), parameters.size()}, nullptr);
}

Result<Rows> Pool::run_as(const TenantId& tenant, const Acting& acting, Monotonic deadline,
                          std::string_view sql, std::span<const Value> parameters, Refusal* refusal) {
    ASSERT(tenant == state_->settings.tenant);
    return run_group(&acting, deadline, sql, parameters, refusal);
}

Result<Rows> Pool::run_group(const Acting* acting, Monotonic deadline, std::string_view sql,
                             std::span<const Value> parameters, Refusal* refusal) {
    if (has_nul(parameters)) return nul_error();
    auto until = local_deadline(deadline);
    for (bool again = false;; again = true) {
        auto connection = TRY(acquire(until));
        Group group(acting, {sql, parameters}, answer_by(until));
        if (group.left <= milliseconds(0)) {
            release(std::move(connection));
            return deadline_error();
        }
        auto rows = connection->exchange(group.statements, state_->prepare, group.until);
        auto outcome = conclude(std::move(connection), std::move(rows));
        if (refusal) *refusal = std::move(outcome.refusal);
        if (outcome.rows || again || !outcome.should_run_again) return std::move(outcome.rows);
    }
}

Monotonic Pool::answer_by(Monotonic until) const {
    return std::min<Monotonic>(until, steady_clock::now() + state_->settings.statement_timeout);
}

// The connection goes back to the others, or is closed if it is of no more use.
Outcome Pool::conclude(std::unique_ptr<Connection> connection, Result<std::vector<Rows>> rows) {
    Outcome outcome{.rows = Error{}, .refusal = connection->refusal()};
    if (!rows && lost_its_plan(outcome.refusal.state)) {
        connection->forget_prepared();
        if (outcome.refusal.state != "0A000") state_->prepare = false;
        outcome.should_run_again = true;
    }
    if (!rows && connection->timed_out()) count_timeout();
    bool lost = !connection->usable();
    release(std::move(connection));
    if (rows) {
        outcome.rows = std::move(rows->back());
    } else {
        Error error = std::move(rows).error();
        if (lost) error.cause = "unknown: " + error.cause;
        outcome.rows = std::move(error);
    }
    return outcome;
}

// One that can be used without a wait: rather one that this lane watches already.
std::unique_ptr<Connection> Pool::take_ready(const Lane& lane) {
    for (;;) {
        std::unique_ptr<Connection> connection;
        {
            auto inside = state_->inside.lock();
            auto& idle = inside->idle;
            if (idle.empty() || inside->waiting > 0) return nullptr;
            auto ours =
                std::find_if(idle.rbegin(), idle.rend(), [&](const auto& one) { return one->lane == &lane; });
            auto chosen = ours == idle.rend() ? std::prev(idle.end()) : std::prev(ours.base());
            if (steady_clock::now() - (*chosen)->rested_since > rest_max) return nullptr;
            connection = std::move(*chosen);
            idle.erase(chosen);
        }
        bool trusted = steady_clock::now() - connection->rested_since < rest_trusted;
        if (trusted ? connection->usable() : connection->quiet()) {
            connection->lane = &lane;
            return connection;
        }
        give_up(std::move(connection));
    }
}

bool Pool::begin_as(Lane& lane, const TenantId& tenant, const Acting& acting, Monotonic deadline,
                    std::string_view sql, std::span<const Value> parameters,
                    std::function<void(Outcome)> told) {
    ASSERT(tenant == state_->settings.tenant);
    Group group(&acting, {sql, parameters}, answer_by(local_deadline(deadline)));
    if (group.left <= milliseconds(0) || has_nul(parameters)) return false;
    auto connection = take_ready(lane);
    if (!connection) return false;
    if (!connection->begin(group.statements, state_->prepare)) {
        release(std::move(connection));
        return false;
    }
    lane.add({this, std::move(connection), group.until, std::move(told)});
    return true;
}

// ---- Transaction

Transaction::Transaction(Pool& pool, std::unique_ptr<Connection> connection, Monotonic until)
    : pool_(&pool), connection_(std::move(connection)), until_(until) {}

Transaction::Transaction(Transaction&&) noexcept = default;

Transaction& Transaction::operator=(Transaction&& other) noexcept {
    if (this != &other) {
        leave();
        pool_ = other.pool_;
        connection_ = std::move(other.connection_);
        until_ = other.until_;
        timeout_set_ = other.timeout_set_;
        acting_ = std::move(other.acting_);
        begun_ = other.begun_;
        over_ = other.over_;
        should_run_again_ = other.should_run_again_;
        refusal_ = std::move(other.refusal_);
    }
    return *this;
}

Transaction::~Transaction() {
    leave();
}

void Transaction::leave() {
    if (!connection_) return;
    if (connection_->usable() && connection_->in_transaction()) {
        Statement rollback{"ROLLBACK", {}};
        auto until = steady_clock::now() + milliseconds(250);
        // If it cannot be rolled back, release() closes the connection, and that rolls back too.
        static_cast<void>(static_cast<bool>(connection_->exchange({&rollback, 1}, false, until)));
    }
    pool_->release(std::move(connection_));
}

milliseconds Transaction::time_left() const {
    auto left = std::chrono::floor<milliseconds>(until_ - steady_clock::now());
    return std::min(left, pool_->state_->settings.statement_timeout);
}

// Notes what the failure means for the rest of the transaction.
Error Transaction::failed(Error error) {
    over_ = true;
    refusal_ = connection_->refusal();
    should_run_again_ = refusal_.state == "40001" || refusal_.state == "40P01";
    if (connection_->timed_out()) pool_->count_timeout();
    return error;
}

Result<Rows> Transaction::execute_once(std::string_view sql, std::span<const Value> parameters) {
    auto left = time_left();
    if (left <= milliseconds(0)) return deadline_error();
    std::array<Statement, 4> statements;
    std::size_t count = 0;
    std::string timeout;
    if (!begun_) statements[count++] = {begin_sql, {}};
    // Said again only when much of the time is gone: we stop waiting at the deadline in any case.
    bool say_timeout = !begun_ || left < timeout_set_ / 2;
    if (say_timeout) {
        // Not set_config, whose SELECT would make SET TRANSACTION come too late.
        timeout = "SET LOCAL statement_timeout = " + std::to_string(server_share(left).count());
        statements[count++] = {.sql = timeout, .differs_each_time = true};
    }
    std::array<Value, 3> told;
    if (acting_) {
        told = {acting_->role, acting_->uid, acting_->request};
        statements[count++] = {acting_sql, told};
    }
    statements[count++] = {sql, parameters};
    auto prepare = pool_->state_->prepare.load();
    auto rows = TRY(connection_->exchange({statements.data(), count}, prepare, steady_clock::now() + left));
    begun_ = true;
    acting_.reset();
    if (say_timeout) timeout_set_ = left;
    return std::move(rows.back());
}

void Transaction::act_as(Acting acting) {
    acting_ = std::move(acting);
}

void Transaction::act_as_login() {
    acting_ = Acting{.role = "none", .uid = "", .request = ""};
}

// After a failed first statement: true if nothing can have come of it and another try may succeed. An open
// transaction ends with its connection, so that holds for a connection lost in it, too.
bool Transaction::may_start_over() {
    const auto& state = connection_->sql_state();
    if (lost_its_plan(state)) {
        connection_->forget_prepared();
        if (state != "0A000") pool_->state_->prepare = false;
        Statement rollback{"ROLLBACK", {}};
        return static_cast<bool>(connection_->exchange({&rollback, 1}, false, until_));
    }
    if (connection_->usable() || connection_->timed_out()) return false;
    pool_->give_up(std::move(connection_));
    auto another = pool_->acquire(until_);
    if (!another) return false;
    connection_ = *std::move(another);
    return true;
}

Result<Rows> Transaction::execute(std::string_view sql, std::span<const Value> parameters) {
    if (over_ || !connection_) return over_error();
    if (has_nul(parameters)) return nul_error();
    auto rows = execute_once(sql, parameters);
    if (rows) return rows;
    if (!begun_ && time_left() > milliseconds(0) && may_start_over()) rows = execute_once(sql, parameters);
    if (rows) return rows;
    if (!connection_) {
        over_ = true;
        return rows;
    }
    return failed(std::move(rows).error());
}

Result<Rows> Transaction::execute(std::string_view sql, std::initializer_list<Value> parameters) {
    return execute(sql, std::span<const Value>(parameters.begin(), parameters.size()));
}

// BEGIN by itself, for what cannot travel in a pipeline.
Result<> Transaction::start() {
    if (over_ || !connection_) return over_error();
    if (begun_) return {};
    TRY(execute("SELECT 1"));
    return {};
}

Result<> Transaction::script(const std::string& sql) {
    TRY(start());
    auto done = connection_->script(sql, std::min(until_, steady_clock::now() + time_left()));
    if (!done) return failed(std::move(done).error());
    return {};
}

Result<std::uint64_t> Transaction::copy_in(const std::string& sql, std::span<const std::string_view> parts) {
    TRY(start());
    auto copied = connection_->copy_in(sql, parts, std::min(until_, steady_clock::now() + time_left()));
    if (!copied) return failed(std::move(copied).error());
    return copied;
}

Result<> Transaction::commit() {
    if (over_ || !connection_) return over_error();
    over_ = true;
    if (!begun_) {
        pool_->release(std::move(connection_));
        return {};
    }
    auto left = time_left();
    if (left <= milliseconds(0)) return deadline_error();
    Statement commit{"COMMIT", {}};
    auto rows = connection_->exchange({&commit, 1}, pool_->state_->prepare, steady_clock::now() + left);
    if (!rows) {
        auto error = failed(std::move(rows).error());
        if (!connection_->usable()) {
            error.message = "the database was lost at the last step: whether this was stored is not known";
            error.cause = "unknown: " + error.cause;
        }
        return error;
    }
    pool_->release(std::move(connection_));
    return {};
}

}  // namespace integreat::postgres
