// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/transaction_log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <thread>

#include "base/concurrency/synchronized.h"
#include "base/log.h"
#include "gateway/logging/copy_encoder.h"

namespace integreat::gateway {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t shard_count = 16;
constexpr std::size_t batch_bytes_max = 4 * 1024 * 1024;
constexpr std::size_t idle_capacity_max =
    256 * 1024;                  // Capacity of a buffer in bytes that is never released.
constexpr int shrink_after = 5;  // Consecutive uses of less than a quarter of the capacity.
constexpr milliseconds retry_first{100};
constexpr milliseconds retry_max{2'000};
constexpr std::chrono::hours maintenance_interval{1};
constexpr std::chrono::days partitions_ahead{2};

using Day = std::chrono::sys_days;

struct Batch {
    std::string bytes;
    std::vector<std::uint32_t> ends;    // End of each row in `bytes`.
    std::vector<std::uint8_t> tenants;  // TenantShare of each row.
    Time first = Time::max();
    Time last = Time::min();
    int underused = 0;  // Consecutive uses of a small part of the capacity.

    // Empties the buffer. Releases its memory only some time after a burst of requests, not between two
    // bursts: allocating it again would cost a page fault for each page.
    void clear() {
        underused =
            bytes.capacity() > idle_capacity_max && bytes.size() < bytes.capacity() / 4 ? underused + 1 : 0;
        bytes.clear();
        ends.clear();
        tenants.clear();
        if (underused == shrink_after) {
            bytes.shrink_to_fit();
            ends.shrink_to_fit();
            tenants.shrink_to_fit();
        }
        first = Time::max();
        last = Time::min();
    }
};

// Returns the shard of this thread. Threads are assigned round robin; with no more I/O threads than shards,
// each has its own.
std::size_t thread_shard_index() {
    static std::atomic<std::size_t> next{0};
    thread_local std::size_t mine = next++ % shard_count;
    return mine;
}

struct alignas(64) Shard {
    Synchronized<Batch> batch;
    // Used by the writer thread only: swapped with `batch` in each round. Each shard keeps its two buffers,
    // so that the memory of a busy thread does not spread over all shards.
    Batch draining;
};

// The queued rows and bytes of the tenants whose names have the same hash.
struct TenantShare {
    std::atomic<std::size_t> rows{0}, bytes{0};
};
constexpr std::size_t tenant_share_count = 256;
constexpr std::size_t share_divisor = 16;   // A tenant's share of the reserve.
constexpr std::size_t reserve_divisor = 4;  // The reserve of the queue.
constexpr std::uint64_t sampled_one_of = 100;

// Returns whether `all` units may be queued, `own` of them by the same tenant.
bool fits(std::size_t all, std::size_t own, std::size_t max) {
    return all <= max - max / reserve_divisor || (all <= max && own <= max / share_divisor);
}

std::string make_copy_sql() {
    std::string sql = "COPY integreat.transaction_log (";
    for (auto column : log_columns)
        sql.append(column).append(",");
    sql.back() = ')';
    return sql + " FROM STDIN (FORMAT binary)";
}

std::string random_uuid(Random& random) {
    std::array<std::byte, 16> bytes;
    random.fill(bytes);
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += "0123456789abcdef"[std::to_integer<unsigned>(bytes[i]) >> 4];
        text += "0123456789abcdef"[std::to_integer<unsigned>(bytes[i]) & 15];
    }
    return text;
}

Day to_day(Time time) {
    return std::chrono::floor<std::chrono::days>(time);
}
std::string format_date(Day day) {
    return format_rfc3339(Time(day)).substr(0, 10);
}

enum class StoreResult { stored, retry, missing_partition, rejected };

}  // namespace

struct TransactionLog::State {
    struct Control {
        bool stop = false;
        bool flush_requested = false;
        std::uint64_t rounds_begun = 0;
        std::uint64_t rounds_done = 0;
    };

    State(postgres::Pool& pool, const Clock& its_clock, Random& random, TransactionLogSettings its_settings)
        : platform(pool), clock(its_clock), settings(its_settings), writer(random_uuid(random)) {}

    postgres::Pool& platform;
    const Clock& clock;
    TransactionLogSettings settings;
    std::string writer;  // UUID of this process in transaction_log_writers.
    std::string copy_sql = make_copy_sql();

    std::array<Shard, shard_count> shards;
    std::atomic<std::size_t> rows_queued{0}, bytes_queued{0};
    std::array<TenantShare, tenant_share_count> tenants;
    std::atomic<std::uint64_t> rows_written{0}, rows_lost{0}, rows_sampled{0};
    std::atomic<std::uint64_t> unrouted{0};  // A second since 1970, shifted by 32, and its rows so far.

    Synchronized<Control> control;
    std::condition_variable wake, round_over;
    std::atomic<steady_clock::rep> stop_deadline{steady_clock::duration::max().count()};
    std::thread thread;

    // Used by the writer thread only.
    std::uint64_t batches = 0;
    Day partitions_from = Day::max(), partitions_to = Day::min();
    std::optional<Time> last_maintenance;

    Monotonic deadline() const { return clock.monotonic() + settings.write_timeout; }
    bool past_deadline() const { return steady_clock::now().time_since_epoch().count() >= stop_deadline; }
    bool stop_requested_within(milliseconds time);
    void count_finished(const Batch& batch, std::size_t from, std::size_t to, bool written);

    Result<> create_partitions(Day from, Day to);
    void maintain_partitions();
    StoreResult try_store(std::string_view rows, std::uint64_t number);
    void store(const Batch& batch, std::size_t from, std::size_t to);
    void write_batch(Batch& batch);
    void drain_shards(Batch& batch);
    void run();
};

bool TransactionLog::State::stop_requested_within(milliseconds time) {
    auto state = control.lock();
    return wake.wait_for(state.lock(), time, [&] { return state->stop; });
}

void TransactionLog::State::count_finished(const Batch& batch, std::size_t from, std::size_t to,
                                           bool written) {
    auto rows = to - from;
    std::size_t begin = from == 0 ? 0 : batch.ends[from - 1];
    auto bytes = batch.ends[to - 1] - begin;
    for (auto row = from; row < to; ++row) {
        auto& share = tenants[batch.tenants[row]];
        --share.rows;
        share.bytes -= batch.ends[row] - std::exchange(begin, batch.ends[row]);
    }
    (written ? rows_written : rows_lost) += rows;
    rows_queued -= rows;
    bytes_queued -= bytes;
}

Result<> TransactionLog::State::create_partitions(Day from, Day to) {
    TRY(platform.run(platform.tenant(), deadline(), "SELECT integreat.prepare_transaction_log($1, $2)",
                     {format_date(from), format_date(to)}));
    partitions_from = std::min(partitions_from, from);
    partitions_to = std::max(partitions_to, to);
    return {};
}

// Creates the partitions of the next days, and drops those past retention.
void TransactionLog::State::maintain_partitions() {
    auto now = clock.now();
    if (last_maintenance && now < *last_maintenance + maintenance_interval) return;
    auto today = to_day(now);
    auto oldest = today - std::chrono::days(settings.retention_days);
    auto done = create_partitions(today, today + partitions_ahead);
    if (done) {
        auto dropped = platform.run(platform.tenant(), deadline(),
                                    "SELECT integreat.drop_transaction_log($1)", {format_date(oldest)});
        if (!dropped) done = std::move(dropped).error();
    }
    if (done) {
        auto deleted = platform.run(
            platform.tenant(), deadline(),
            "DELETE FROM integreat.transaction_log_writers WHERE updated_at < now() - interval '7 days'");
        if (!deleted) done = std::move(deleted).error();
    }
    if (done) {
        last_maintenance = now;
    } else if (done.error().fault != Fault::unavailable) {
        last_maintenance = now;  // Retrying in each round would fail in the same way.
        log({Level::error, "the maintenance of the transaction log failed", {{"cause", done.error().cause}}});
    }
}

StoreResult TransactionLog::State::try_store(std::string_view rows, std::uint64_t number) {
    auto transaction = platform.begin(platform.tenant(), deadline());
    if (!transaction) return StoreResult::retry;
    // An earlier attempt for this batch whose outcome is unknown has written its number here if it was
    // committed, and holds a lock on the row if its commit is in progress.
    auto claimed = transaction->execute(
        "INSERT INTO integreat.transaction_log_writers AS old (writer, batch) VALUES ($1, $2) ON CONFLICT "
        "(writer) "
        "DO UPDATE SET batch = excluded.batch, updated_at = now() WHERE old.batch < excluded.batch",
        {writer, std::to_string(number)});
    if (!claimed) return StoreResult::retry;
    if (claimed->affected() == 0) return StoreResult::stored;
    auto copied = transaction->copy_in(copy_sql, std::array{copy_header, rows, copy_trailer});
    if (copied) return transaction->commit() ? StoreResult::stored : StoreResult::retry;
    const auto& sqlstate = transaction->sqlstate();
    if (sqlstate == "23514") return StoreResult::missing_partition;
    bool is_data_error = sqlstate.starts_with("22") || sqlstate.starts_with("23");
    return is_data_error ? StoreResult::rejected : StoreResult::retry;
}

// Stores the rows, or counts them as lost. If the database rejects their data, the batch is bisected to find
// the invalid rows.
void TransactionLog::State::store(const Batch& batch, std::size_t from, std::size_t to) {
    std::size_t begin = from == 0 ? 0 : batch.ends[from - 1];
    auto rows = std::string_view(batch.bytes).substr(begin, batch.ends[to - 1] - begin);
    auto number = ++batches;
    bool partitions_created = false;
    for (auto pause = retry_first;; pause = std::min(pause * 2, retry_max)) {
        switch (try_store(rows, number)) {
            case StoreResult::stored: return count_finished(batch, from, to, true);
            case StoreResult::missing_partition:  // Another process dropped it.
                if (!partitions_created) {
                    auto created = create_partitions(to_day(batch.first), to_day(batch.last));
                    if (!created && created.error().fault == Fault::unavailable) break;  // Tries again.
                    partitions_created = true;
                    if (created) continue;
                }
                [[fallthrough]];
            case StoreResult::rejected:
                if (to - from == 1) return count_finished(batch, from, to, false);
                store(batch, from, from + (to - from) / 2);
                return store(batch, from + (to - from) / 2, to);
            case StoreResult::retry: break;
        }
        if (stop_requested_within(pause)) {
            // Keeps trying until the deadline, with short pauses.
            if (past_deadline()) return count_finished(batch, from, to, false);
            std::this_thread::sleep_for(std::min(pause, retry_first));
        }
    }
}

void TransactionLog::State::write_batch(Batch& batch) {
    if (batch.ends.empty()) return batch.clear();
    auto from = to_day(batch.first);
    auto to = to_day(batch.last);
    // If this fails, so does the batch, which is retried.
    if (from < partitions_from || to > partitions_to)
        static_cast<void>(static_cast<bool>(create_partitions(from, to)));
    store(batch, 0, batch.ends.size());
    batch.clear();
}

void TransactionLog::State::drain_shards(Batch& batch) {
    for (auto& shard : shards) {
        auto& draining = shard.draining;
        std::swap(*shard.batch.lock(), draining);
        for (std::size_t row = 0; row < draining.ends.size(); ++row) {
            std::size_t begin = row == 0 ? 0 : draining.ends[row - 1];
            batch.bytes.append(draining.bytes, begin, draining.ends[row] - begin);
            batch.ends.push_back(static_cast<std::uint32_t>(batch.bytes.size()));
            batch.tenants.push_back(draining.tenants[row]);
            batch.first = std::min(batch.first, draining.first);
            batch.last = std::max(batch.last, draining.last);
            if (batch.bytes.size() >= batch_bytes_max) write_batch(batch);
        }
        draining.clear();
    }
    write_batch(batch);
}

void TransactionLog::State::run() {
    Batch batch;
    for (bool stop = false; !stop;) {
        maintain_partitions();
        {
            auto state = control.lock();
            wake.wait_for(state.lock(), settings.flush_interval,
                          [&] { return state->stop || state->flush_requested; });
            stop = state->stop;
            state->flush_requested = false;
            ++state->rounds_begun;
        }
        drain_shards(batch);
        ++control.lock()->rounds_done;
        round_over.notify_all();
    }
}

TransactionLog::TransactionLog(postgres::Pool& platform, const Clock& clock, Random& random,
                               TransactionLogSettings settings)
    : state_(std::make_unique<State>(platform, clock, random, settings)) {
    state_->thread = std::thread([state = state_.get()] { state->run(); });
}

TransactionLog::~TransactionLog() {
    state_->stop_deadline = (steady_clock::now() + state_->settings.write_timeout).time_since_epoch().count();
    state_->control.lock()->stop = true;
    state_->wake.notify_all();
    state_->thread.join();
}

bool TransactionLog::sample_unrouted(Time created) {
    auto& state = *state_;
    auto seconds = std::chrono::floor<std::chrono::seconds>(created).time_since_epoch().count();
    auto second = static_cast<std::uint64_t>(seconds) << 32;
    auto window = state.unrouted.load(std::memory_order_relaxed);
    std::uint64_t next = 0;
    do {
        next = window < second ? second + 1 : window + 1;
    } while (!state.unrouted.compare_exchange_weak(window, next, std::memory_order_relaxed));
    auto number = next & 0xffff'ffff;
    if (number <= state.settings.max_unrouted_rows_per_second || number % sampled_one_of == 0) return true;
    ++state.rows_sampled;
    return false;
}

bool TransactionLog::append(const LogRow& row) {
    auto& state = *state_;
    auto tenant = static_cast<std::uint8_t>(std::hash<std::string_view>()(row.tenant) % tenant_share_count);
    auto& share = state.tenants[tenant];
    if (fits(state.rows_queued.fetch_add(1) + 1, share.rows.fetch_add(1) + 1,
             state.settings.max_queued_rows)) {
        auto batch = state.shards[thread_shard_index()].batch.lock();
        auto before = batch->bytes.size();
        encode_row(batch->bytes, row, state.settings.text_limits);
        auto size = batch->bytes.size() - before;
        if (fits(state.bytes_queued.fetch_add(size) + size, share.bytes.fetch_add(size) + size,
                 state.settings.max_queued_bytes)) {
            batch->ends.push_back(static_cast<std::uint32_t>(batch->bytes.size()));
            batch->tenants.push_back(tenant);
            batch->first = std::min(batch->first, row.created);
            batch->last = std::max(batch->last, row.created);
            return true;
        }
        state.bytes_queued -= size;
        share.bytes -= size;
        batch->bytes.resize(before);
    }
    --state.rows_queued;
    --share.rows;
    ++state.rows_lost;
    return false;
}

bool TransactionLog::flush(milliseconds timeout) {
    auto state = state_->control.lock();
    auto round = state->rounds_begun + 1;
    state->flush_requested = true;
    state_->wake.notify_all();
    return state_->round_over.wait_for(state.lock(), timeout, [&] { return state->rounds_done >= round; });
}

std::uint64_t TransactionLog::written() const {
    return state_->rows_written;
}
std::uint64_t TransactionLog::lost() const {
    return state_->rows_lost;
}
std::uint64_t TransactionLog::sampled() const {
    return state_->rows_sampled;
}
std::size_t TransactionLog::queued() const {
    return state_->rows_queued;
}

postgres::Value LoggedRequest::find(std::string_view column) const {
    for (const auto& [name, value] : columns) {
        if (name == column) return value;
    }
    return std::nullopt;
}

Result<std::optional<LoggedRequest>> find_logged_request(postgres::Pool& platform,
                                                         const std::string& request_id, Monotonic deadline) {
    std::string sql = "SELECT ";
    for (auto column : log_columns)
        sql.append(column).append(",");
    sql.back() = ' ';
    sql += "FROM integreat.transaction_log WHERE request_id = $1 ORDER BY created_at DESC LIMIT 1";
    auto rows = TRY(platform.run(platform.tenant(), deadline, sql, {request_id}));
    if (rows.empty()) return std::optional<LoggedRequest>();
    LoggedRequest found{.created = *rows.time(0, 0)};
    for (std::size_t i = 0; i < log_columns.size(); ++i) {
        found.columns.emplace_back(log_columns[i], rows.value(0, i));
    }
    return std::optional<LoggedRequest>(std::move(found));
}

}  // namespace integreat::gateway
