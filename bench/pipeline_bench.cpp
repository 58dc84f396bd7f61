// SPDX-License-Identifier: Apache-2.0
// The cost of the pipeline per request, without sockets, token verification and database: admission and
// finish on one thread, and the stages of admission one by one.
#include <array>

#include <benchmark/benchmark.h>

#include "gateway/admin/app_routes.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/stages/accept.h"
#include "gateway/stages/body.h"
#include "gateway/stages/caller.h"
#include "gateway/stages/cors.h"
#include "gateway/stages/dispatch.h"
#include "gateway/stages/rate_limit.h"
#include "gateway/stages/request_id.h"
#include "gateway/stages/route.h"

namespace integreat::gateway {
namespace {

config::Manifest make_manifest(const std::string& app, int routes) {
    config::Manifest manifest;
    manifest.app = {app};
    manifest.firebase_project = app + "-project";
    manifest.roles = {"student", "registrar"};
    manifest.cors.origins = {"https://" + app + ".example"};
    manifest.limit = {.requests = 1'000'000'000, .burst = 1'000'000'000};
    manifest.tenant_limit = manifest.limit;
    manifest.upstreams = {{.name = "portal", .url = "http://127.0.0.1:9301"}};
    manifest.routes = {{.path = "/portal/{rest...}", .upstream = "portal"}};
    for (int i = 1; i < routes; ++i) {
        manifest.routes.push_back(
            {.path = "/records/kind" + std::to_string(i) + "/{id}", .upstream = "portal"});
    }
    return manifest;
}

struct BenchGateway {
    explicit BenchGateway(int tenants, int routes) {
        std::vector<config::Manifest> manifests{make_manifest("campus", routes)};
        for (int i = 1; i < tenants; ++i)
            manifests.push_back(make_manifest("app" + std::to_string(i), routes));
        std::vector<http::Route> all_routes;
        for (const auto& manifest : manifests) {
            auto own = app_routes(manifest, settings);
            all_routes.insert(all_routes.end(), own.begin(), own.end());
        }
        auto snapshot = compile_snapshot(
            {.settings = settings, .manifests = std::move(manifests), .routes = std::move(all_routes)},
            metrics);
        ASSERT(snapshot);
        snapshots.publish(*snapshot);
        gateway.access_log = &access_log;
    }

    http::Request request(std::string target) const {
        return {.target = std::move(target),
                .headers = {{"Host", "localhost:8080"},
                            {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
                            {"Accept", "application/json, text/plain, */*"},
                            {"Accept-Encoding", "gzip, deflate, br"},
                            {"Accept-Language", "en-US,en;q=0.9"},
                            {"Authorization", "Bearer " + std::string(900, 'x')},
                            {"Origin", "https://campus.example"},
                            {"Connection", "keep-alive"}},
                .peer = {"192.0.2.7", 40'000}};
    }

    void begin(http::RequestContext& request_context) const {
        request_context = {};
        request_context.started = from_unix_seconds(1'795'000'000);
        request_context.arrived = clock.monotonic();
    }

    struct Seed final : Random {
        void fill(std::span<std::byte> bytes) override { fixed.fill(bytes); }
        FixedRandom fixed;
    } random;
    FixedClock clock;
    config::Settings settings;
    metrics::Registry metrics{1'000'000};
    SnapshotHolder snapshots;
    RequestIdGenerator request_ids{random};
    RateLimiter rate_limiter{65'536, random};
    DenialLog denial_log{10'000};
    metrics::Counter lost;
    AccessLog access_log{[](std::string_view lines) { benchmark::DoNotOptimize(lines.data()); }, lost};
    std::shared_ptr<const Principal> principal =
        std::make_shared<const Principal>(Principal{.kind = PrincipalKind::user,
                                                    .tenant = {"campus"},
                                                    .subject = "h7Gk2LmNpQrStUvWxYz012345678",
                                                    .role = "student",
                                                    .email = "maria.santos@campus.example",
                                                    .name = "Maria Santos",
                                                    .sign_in_provider = "password",
                                                    .expires = from_unix_seconds(1'795'003'600)});
    Gateway gateway{.clock = clock,
                    .snapshots = snapshots,
                    .request_ids = request_ids,
                    .rate_limiter = rate_limiter,
                    .denial_log = denial_log,
                    .identify = [this](std::string_view, const identity::Projects&, bool,
                                       Monotonic) { return identity::AuthResult(principal); },
                    .metrics = metrics};
    http::Application application = make_application(gateway);
};

void run(benchmark::State& state, BenchGateway& bench_gateway, const std::string& target) {
    auto request = bench_gateway.request(target);
    http::RequestContext request_context;
    for (auto unused : state) {
        static_cast<void>(unused);
        bench_gateway.begin(request_context);
        auto admission = bench_gateway.application.admit(request, request_context);
        benchmark::DoNotOptimize(admission);
        bench_gateway.application.finish(
            request, request_context,
            {.status = 200, .response_body_bytes = 300, .duration = std::chrono::microseconds(90)});
    }
    state.counters["lost_lines"] = static_cast<double>(bench_gateway.lost.value());
}

BenchGateway& small() {
    static BenchGateway bench_gateway(4, 3);
    return bench_gateway;
}

BenchGateway& large() {
    static BenchGateway bench_gateway(100, 10);
    return bench_gateway;
}

void Me(benchmark::State& state) {
    run(state, small(), "/v1/apps/campus/me");
}
BENCHMARK(Me)->ThreadRange(1, 2);

void Relay(benchmark::State& state) {
    run(state, small(), "/v1/apps/campus/portal/students/42?page=2");
}
BENCHMARK(Relay)->ThreadRange(1, 2);

void RelayAmong1000RoutesOf100Tenants(benchmark::State& state) {
    run(state, large(), "/v1/apps/campus/portal/students/42?page=2");
}
BENCHMARK(RelayAmong1000RoutesOf100Tenants)->ThreadRange(1, 2);

// Runs the first N stages of admission; the difference between two neighbours is the cost of a stage.
void UpToStage(benchmark::State& state) {
    static constexpr std::array<Stage, 11> stages{
        assign_request_id,
        require_unambiguous_target,
        find_route,
        apply_cors,
        require_route,
        limit_body,
        identify_caller,
        authorize_caller,
        limit_rate,
        require_acceptable_headers,
        [](PipelineContext& context) { return dispatch(context, nullptr); }};
    static constexpr std::array names{"(begin)",   "request id",    "target",  "route",
                                      "cors",      "require route", "body",    "identify",
                                      "authorize", "rate limit",    "headers", "dispatch"};
    auto& bench_gateway = small();
    auto request = bench_gateway.request("/v1/apps/campus/me");
    auto count = static_cast<std::size_t>(state.range(0));
    http::RequestContext request_context;
    for (auto unused : state) {
        static_cast<void>(unused);
        bench_gateway.begin(request_context);
        PipelineContext context{
            .gateway = bench_gateway.gateway, .request = request, .request_context = request_context};
        for (std::size_t i = 0; i < count; ++i)
            stages[i](context);
        benchmark::DoNotOptimize(context.result);
    }
    state.SetLabel(names[count]);
}
BENCHMARK(UpToStage)->DenseRange(0, 11);

}  // namespace
}  // namespace integreat::gateway
