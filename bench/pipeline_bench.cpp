// SPDX-License-Identifier: Apache-2.0
// What the pipeline itself costs per request, without sockets, token verification and database:
// admit, answer and finish on one thread, and the stages of admit one after the other.
#include <array>

#include <benchmark/benchmark.h>

#include "gateway/pipeline/pipeline.h"
#include "gateway/pipeline/stages.h"

namespace integreat::gateway {
namespace {

config::Manifest manifest_of(const std::string& app, int routes) {
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

struct World {
    explicit World(int tenants, int routes) {
        std::vector<config::Manifest> manifests{manifest_of("campus", routes)};
        for (int i = 1; i < tenants; ++i)
            manifests.push_back(manifest_of("app" + std::to_string(i), routes));
        auto snapshot = compile_snapshot({.settings = settings, .manifests = std::move(manifests)}, metrics);
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

    void begin(http::Call& call) const {
        call = {};
        call.started = from_unix_seconds(1'795'000'000);
        call.arrived = clock.monotonic();
    }

    struct Seed final : Random {
        void fill(std::span<std::byte> bytes) override { fixed.fill(bytes); }
        FixedRandom fixed;
    } random;
    FixedClock clock;
    config::Settings settings;
    metrics::Registry metrics{1'000'000};
    Published snapshots;
    Numbering numbering{random};
    Buckets buckets{65'536, random};
    Decisions decisions{10'000};
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
                    .numbering = numbering,
                    .buckets = buckets,
                    .decisions = decisions,
                    .identify = [this](std::string_view, const identity::Projects&, bool,
                                       Monotonic) { return identity::Verdict(principal); },
                    .metrics = metrics};
    http::Application application = make_application(gateway);
};

void run(benchmark::State& state, World& world, const std::string& target) {
    auto request = world.request(target);
    http::Call call;
    for (auto unused : state) {
        static_cast<void>(unused);
        world.begin(call);
        auto admission = world.application.admit(request, call);
        benchmark::DoNotOptimize(admission);
        world.application.finish(
            request, call,
            {.status = 200, .response_body_bytes = 300, .duration = std::chrono::microseconds(90)});
    }
    state.counters["lost_lines"] = static_cast<double>(world.lost.value());
}

World& small() {
    static World world(4, 3);
    return world;
}

World& large() {
    static World world(100, 10);
    return world;
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

// The first so many stages of admit; the difference of two neighbours is what a stage costs.
void UpToStage(benchmark::State& state) {
    static constexpr std::array stages{
        number_request,  require_plain_target, find_route, answer_cross_origin,     require_route, limit_body,
        identify_caller, authorize_caller,     limit_rate, require_acceptable_head, dispatch};
    static constexpr std::array names{"(begin)",   "number",        "target",   "route",
                                      "cors",      "require route", "body",     "identify",
                                      "authorize", "limit",         "validate", "dispatch"};
    auto& world = small();
    auto request = world.request("/v1/apps/campus/me");
    auto count = static_cast<std::size_t>(state.range(0));
    http::Call call;
    for (auto unused : state) {
        static_cast<void>(unused);
        world.begin(call);
        Passage passage{.gateway = world.gateway, .request = request, .call = call};
        for (std::size_t i = 0; i < count; ++i)
            stages[i](passage);
        benchmark::DoNotOptimize(passage.answer);
    }
    state.SetLabel(names[count]);
}
BENCHMARK(UpToStage)->DenseRange(0, 11);

}  // namespace
}  // namespace integreat::gateway
