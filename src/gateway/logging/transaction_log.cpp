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
constexpr std::size_t copy_bytes_max = 4 * 1024 * 1024;  // Of one batch.
constexpr std::size_t kept_bytes_max = 256 * 1024;       // In each buffer, when it is calm.
constexpr int calm_after = 5;                            // Times that it was filled to less than a quarter.
constexpr milliseconds retry_first{100};
constexpr milliseconds retry_max{2'000};
constexpr std::chrono::hours housekeeping_every{1};
constexpr std::chrono::days partitions_ahead{2};

using Day = std::chrono::sys_days;

struct Batch {
    std::string bytes;
    std::vector<std::uint32_t> ends;  // Of the rows in `bytes`.
    Time first = Time::max();
    Time last = Time::min();
    int calm = 0;  // How often in a row `bytes` was much too large.

    // Memory that a flood has needed goes back when the flood is over, not with the little that comes between
    // two waves of it: memory that is asked for again costs the faults of all its pages.
    void clear() {
        calm = bytes.capacity() > kept_bytes_max && bytes.size() < bytes.capacity() / 4 ? calm + 1 : 0;
        bytes.clear();
        ends.clear();
        if (calm == calm_after) {
            bytes.shrink_to_fit();
            ends.shrink_to_fit();
        }
        first = Time::max();
        last = Time::min();
    }
};

// Threads take turns at choosing their shard; with as many I/O threads as shards or fewer, each has its own.
std::size_t shard_of_this_thread() {
    static std::atomic<std::size_t> next{0};
    thread_local std::size_t mine = next++ % shard_count;
    return mine;
}

struct alignas(64) Shard {
    Guarded<Batch> batch;
    // The writer's own: taken out whole, and given back empty in the next round. Each shard keeps to its two,
    // so that the memory of a busy thread does not wander through all shards and stay there.
    Batch taken;
};

std::string copy_sql() {
    std::string sql = "COPY integreat.transaction_log (";
    for (auto column : log_columns)
        sql.append(column).append(",");
    sql.back() = ')';
    return sql + " FROM STDIN (FORMAT binary)";
}

std::string new_uuid(Random& random) {
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

Day day_of(Time time) {
    return std::chrono::floor<std::chrono::days>(time);
}
std::string date_of(Day day) {
    return format_rfc3339(Time(day)).substr(0, 10);
}

enum class Stored { yes, later, no_partition, never };

}  // namespace

struct TransactionLog::State {
    struct Control {
        bool stop = false;
        bool hurry = false;
        std::uint64_t rounds_begun = 0;
        std::uint64_t rounds_done = 0;
    };

    State(postgres::Pool& chosen_pool, const Clock& chosen_clock, Random& random,
          TransactionLogSettings chosen)
        : platform(chosen_pool), clock(chosen_clock), settings(chosen), writer(new_uuid(random)) {}

    postgres::Pool& platform;
    const Clock& clock;
    TransactionLogSettings settings;
    std::string writer;  // The name of this process in transaction_log_writers.
    std::string copy = copy_sql();

    std::array<Shard, shard_count> shards;
    std::atomic<std::size_t> rows_waiting{0}, bytes_waiting{0};
    std::atomic<std::uint64_t> rows_written{0}, rows_lost{0};

    Guarded<Control> control;
    std::condition_variable wake, round_over;
    std::atomic<steady_clock::rep> give_up_at{steady_clock::duration::max().count()};
    std::thread thread;

    // Of the writer thread alone.
    std::uint64_t batches = 0;
    Day prepared_from = Day::max(), prepared_to = Day::min();
    std::optional<Time> housekept;

    Monotonic deadline() const { return clock.monotonic() + settings.write_timeout; }
    bool give_up() const { return steady_clock::now().time_since_epoch().count() >= give_up_at; }
    bool stopping_within(milliseconds time);
    void finished(std::size_t rows, std::size_t bytes, bool written);

    Result<> prepare(Day from, Day to);
    void keep_house();
    Stored try_store(std::string_view rows, std::uint64_t number);
    void store(const Batch& batch, std::size_t from, std::size_t to);
    void write_out(Batch& batch);
    void round(Batch& batch);
    void run();
};

bool TransactionLog::State::stopping_within(milliseconds time) {
    auto now = control.lock();
    return wake.wait_for(now.lock(), time, [&] { return now->stop; });
}

void TransactionLog::State::finished(std::size_t rows, std::size_t bytes, bool written) {
    (written ? rows_written : rows_lost) += rows;
    rows_waiting -= rows;
    bytes_waiting -= bytes;
}

Result<> TransactionLog::State::prepare(Day from, Day to) {
    TRY(platform.run(platform.tenant(), deadline(), "SELECT integreat.prepare_transaction_log($1, $2)",
                     {date_of(from), date_of(to)}));
    prepared_from = std::min(prepared_from, from);
    prepared_to = std::max(prepared_to, to);
    return {};
}

// Partitions for the next days, and none past retention.
void TransactionLog::State::keep_house() {
    auto now = clock.now();
    if (housekept && now < *housekept + housekeeping_every) return;
    auto today = day_of(now);
    auto oldest = today - std::chrono::days(settings.retention_days);
    auto done = prepare(today, today + partitions_ahead);
    if (done) {
        auto dropped = platform.run(platform.tenant(), deadline(),
                                    "SELECT integreat.drop_transaction_log($1)", {date_of(oldest)});
        if (!dropped) done = std::move(dropped).error();
    }
    if (done) {
        auto forgotten = platform.run(
            platform.tenant(), deadline(),
            "DELETE FROM integreat.transaction_log_writers WHERE updated_at < now() - interval '7 days'");
        if (!forgotten) done = std::move(forgotten).error();
    }
    if (done) {
        housekept = now;
    } else if (done.error().fault != Fault::unavailable) {
        housekept = now;  // Not at each turn: it would fail the same way.
        log({Level::error, "the transaction log could not be tidied", {{"cause", done.error().cause}}});
    }
}

Stored TransactionLog::State::try_store(std::string_view rows, std::uint64_t number) {
    auto transaction = platform.begin(platform.tenant(), deadline());
    if (!transaction) return Stored::later;
    // An earlier try of this batch whose end we did not hear of has left its number here if it was committed,
    // and holds this row if it is still being committed.
    auto marked = transaction->execute(
        "INSERT INTO integreat.transaction_log_writers AS old (writer, batch) VALUES ($1, $2) ON CONFLICT "
        "(writer) "
        "DO UPDATE SET batch = excluded.batch, updated_at = now() WHERE old.batch < excluded.batch",
        {writer, std::to_string(number)});
    if (!marked) return Stored::later;
    if (marked->affected() == 0) return Stored::yes;
    auto copied = transaction->copy_in(copy, std::array{copy_head, rows, copy_tail});
    if (copied) return transaction->commit() ? Stored::yes : Stored::later;
    const auto& state = transaction->sql_state();
    if (state == "23514") return Stored::no_partition;
    bool of_the_rows = state.starts_with("22") || state.starts_with("23");
    return of_the_rows ? Stored::never : Stored::later;
}

// Stores the rows, or counts them as lost. If the database refuses what is in them, halves are tried, down
// to the one row that is wrong.
void TransactionLog::State::store(const Batch& batch, std::size_t from, std::size_t to) {
    std::size_t begin = from == 0 ? 0 : batch.ends[from - 1];
    auto rows = std::string_view(batch.bytes).substr(begin, batch.ends[to - 1] - begin);
    auto number = ++batches;
    bool prepared_again = false;
    for (auto pause = retry_first;; pause = std::min(pause * 2, retry_max)) {
        switch (try_store(rows, number)) {
            case Stored::yes: return finished(to - from, rows.size(), true);
            case Stored::no_partition:  // Somebody dropped it.
                if (!std::exchange(prepared_again, true) && prepare(day_of(batch.first), day_of(batch.last)))
                    continue;
                [[fallthrough]];
            case Stored::never:
                if (to - from == 1) return finished(1, rows.size(), false);
                store(batch, from, from + (to - from) / 2);
                return store(batch, from + (to - from) / 2, to);
            case Stored::later: break;
        }
        if (stopping_within(pause)) {
            // Told to stop: goes on trying, without long pauses, until the time for it is over.
            if (give_up()) return finished(to - from, rows.size(), false);
            std::this_thread::sleep_for(std::min(pause, retry_first));
        }
    }
}

void TransactionLog::State::write_out(Batch& batch) {
    if (batch.ends.empty()) return batch.clear();
    auto from = day_of(batch.first);
    auto to = day_of(batch.last);
    // If it fails, so does the batch, which is tried again.
    if (from < prepared_from || to > prepared_to) static_cast<void>(static_cast<bool>(prepare(from, to)));
    store(batch, 0, batch.ends.size());
    batch.clear();
}

void TransactionLog::State::round(Batch& batch) {
    for (auto& shard : shards) {
        auto& taken = shard.taken;
        std::swap(*shard.batch.lock(), taken);
        for (std::size_t row = 0; row < taken.ends.size(); ++row) {
            std::size_t begin = row == 0 ? 0 : taken.ends[row - 1];
            batch.bytes.append(taken.bytes, begin, taken.ends[row] - begin);
            batch.ends.push_back(static_cast<std::uint32_t>(batch.bytes.size()));
            batch.first = std::min(batch.first, taken.first);
            batch.last = std::max(batch.last, taken.last);
            if (batch.bytes.size() >= copy_bytes_max) write_out(batch);
        }
        taken.clear();
    }
    write_out(batch);
}

void TransactionLog::State::run() {
    Batch batch;
    for (bool stop = false; !stop;) {
        keep_house();
        {
            auto now = control.lock();
            wake.wait_for(now.lock(), settings.flush_every, [&] { return now->stop || now->hurry; });
            stop = now->stop;
            now->hurry = false;
            ++now->rounds_begun;
        }
        round(batch);
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
    state_->give_up_at = (steady_clock::now() + state_->settings.write_timeout).time_since_epoch().count();
    state_->control.lock()->stop = true;
    state_->wake.notify_all();
    state_->thread.join();
}

bool TransactionLog::append(const LogRow& row) {
    auto& state = *state_;
    if (state.rows_waiting.fetch_add(1) < state.settings.rows_max) {
        auto batch = state.shards[shard_of_this_thread()].batch.lock();
        auto before = batch->bytes.size();
        encode_row(batch->bytes, row, state.settings.texts);
        auto size = batch->bytes.size() - before;
        if (state.bytes_waiting.fetch_add(size) + size <= state.settings.bytes_max) {
            batch->ends.push_back(static_cast<std::uint32_t>(batch->bytes.size()));
            batch->first = std::min(batch->first, row.created);
            batch->last = std::max(batch->last, row.created);
            return true;
        }
        state.bytes_waiting -= size;
        batch->bytes.resize(before);
    }
    --state.rows_waiting;
    ++state.rows_lost;
    return false;
}

bool TransactionLog::flush(milliseconds timeout) {
    auto now = state_->control.lock();
    auto wanted = now->rounds_begun + 1;
    now->hurry = true;
    state_->wake.notify_all();
    return state_->round_over.wait_for(now.lock(), timeout, [&] { return now->rounds_done >= wanted; });
}

std::uint64_t TransactionLog::written() const {
    return state_->rows_written;
}
std::uint64_t TransactionLog::lost() const {
    return state_->rows_lost;
}
std::size_t TransactionLog::waiting() const {
    return state_->rows_waiting;
}

postgres::Value LoggedRequest::find(std::string_view column) const {
    for (const auto& [name, value] : columns) {
        if (name == column) return value;
    }
    return std::nullopt;
}

Result<std::optional<LoggedRequest>> find_logged(postgres::Pool& platform, const std::string& request_id,
                                                 Monotonic deadline) {
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
