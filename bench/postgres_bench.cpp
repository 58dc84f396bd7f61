// SPDX-License-Identifier: Apache-2.0
// The cost of the database: a transaction of one statement, a log row on the thread of the request, a
// database for a test, a start of the embedded server. The server is a real one on the disk of this machine.
#include <atomic>
#include <filesystem>

#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gateway/idempotency/store.h"
#include "gateway/logging/transaction_log.h"
#include "postgres/testing/test_databases.h"

namespace {

using namespace integreat;
using namespace integreat::gateway;
using namespace integreat::postgres;

FixedClock fixed_clock;
FixedRandom fixed_random;

Pool& pool() {
    static auto database = postgres::testing::fresh_database();
    static Pool all(database.pool, fixed_clock);
    return all;
}

void OneStatementAndCommit(benchmark::State& state) {
    for (auto _ : state) {
        auto transaction = *pool().begin(platform_tenant);
        if (!transaction.execute("SELECT $1::int", {"1"}) || !transaction.commit())
            state.SkipWithError("failed");
    }
}
BENCHMARK(OneStatementAndCommit)->UseRealTime();

void OneStatementWithoutTransaction(benchmark::State& state) {
    for (auto _ : state) {
        if (!pool().run(platform_tenant, Monotonic::max(), "SELECT $1::int", {"1"}))
            state.SkipWithError("failed");
    }
}
BENCHMARK(OneStatementWithoutTransaction)->UseRealTime();

void KeyedWorkInOneTransaction(benchmark::State& state) {
    static std::atomic<int> count{0};
    for (auto _ : state) {
        IdempotencyKey key{platform_tenant, "user ada", std::to_string(++count), "fingerprint"};
        auto transaction = *pool().begin(platform_tenant);
        auto claim = claim_in_transaction(transaction, key);
        bool done = claim && store_in_transaction(transaction, key, {200, {}, "{}"}) && transaction.commit();
        if (!done) state.SkipWithError("failed");
    }
}
BENCHMARK(KeyedWorkInOneTransaction)->UseRealTime();

LogRow typical_row(const std::array<LogField, 12>& headers) {
    LogRow row{.created = fixed_clock.now(), .request_id = "req_01JD8Z3V7K9QF2M4N6P8R0S2T4", .status = 200};
    row.trace_id = "0af7651916cd43dd8448eb211c80319c";
    row.tenant = "campus";
    row.principal_kind = "user";
    row.principal = "k1Xr5b2LQpZ0aBcDeFgHiJkLmNo1";
    row.role = "registrar";
    row.destination = "campus";
    row.api_version = "v1";
    row.method = "GET";
    row.route = "campus.me";
    row.url = "/v1/apps/campus/me";
    row.request_headers = headers;
    row.response_bytes = 213;
    row.client_ip = "192.0.2.7";
    return row;
}

constexpr std::array<LogField, 12> typical_headers{
    {{"Host", "api.example"},
     {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"},
     {"Accept", "application/json"},
     {"Accept-Language", "en-PH,en;q=0.8"},
     {"Accept-Encoding", "gzip, deflate, br"},
     {"Authorization", "[redacted]"},
     {"Origin", "https://campus.example"},
     {"Referer", "https://campus.example/students"},
     {"Connection", "keep-alive"},
     {"Sec-Fetch-Dest", "empty"},
     {"Sec-Fetch-Mode", "cors"},
     {"Sec-Fetch-Site", "cross-site"}}};

void EncodeALogRow(benchmark::State& state) {
    auto row = typical_row(typical_headers);
    if (state.range(0) == 0) row.request_headers = {};
    std::string out;
    for (auto _ : state) {
        out.clear();
        encode_row(out, row);
        benchmark::DoNotOptimize(out.data());
    }
    state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(EncodeALogRow)->Arg(0)->Arg(1);

void AppendALogRow(benchmark::State& state) {
    static TransactionLog log(pool(), fixed_clock, fixed_random,
                              {.max_queued_rows = 10'000'000, .max_queued_bytes = 4ull << 30});
    auto row = typical_row(typical_headers);
    for (auto _ : state)
        log.append(row);
    log.flush(std::chrono::minutes(2));
    state.counters["lost"] = static_cast<double>(log.lost());
}
BENCHMARK(AppendALogRow)->Iterations(100'000);

void WriteLogRows(benchmark::State& state) {
    static TransactionLog log(pool(), fixed_clock, fixed_random, {});
    auto row = typical_row(typical_headers);
    for (auto _ : state) {
        for (int i = 0; i < 10'000; ++i)
            log.append(row);
        log.flush(std::chrono::minutes(2));
    }
    state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(WriteLogRows)->UseRealTime()->Iterations(5);

void FreshDatabase(benchmark::State& state) {
    for (auto _ : state)
        postgres::testing::fresh_database();
}
BENCHMARK(FreshDatabase)->UseRealTime()->Iterations(20);

// Argument 0: an empty folder, 1: the folder of an earlier start. Durable, as for `integreat dev`.
void StartEmbeddedPostgres(benchmark::State& state) {
    std::string name = "/tmp/integreat-bench-XXXXXX";
    if (!mkdtemp(name.data()) || chmod(name.c_str(), 0755) != 0) return state.SkipWithError("no folder");
    for (auto _ : state) {
        auto server = EmbeddedPostgres::start({.folder = name + "/postgres"}, fixed_random);
        state.PauseTiming();
        if (!server) state.SkipWithError("did not start");
        if (server) server->reset();
        if (state.range(0) == 0) std::filesystem::remove_all(name + "/postgres");
        state.ResumeTiming();
    }
    std::filesystem::remove_all(name);
}
BENCHMARK(StartEmbeddedPostgres)->Arg(0)->Arg(1)->UseRealTime()->Iterations(4);

}  // namespace
