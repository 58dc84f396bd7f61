// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/dev.h"

#include <future>
#include <ostream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "base/system_clock.h"
#include "cli/runtime/databases.h"
#include "cli/runtime/local_cloud.h"
#include "cli/runtime/ready_file.h"
#include "cli/runtime/running_instance.h"
#include "cli/runtime/server_runner.h"
#include "cloud/firebase/tokens/auth.h"
#include "crypto/system_random.h"
#include "net/client/circuit_breaking_client.h"
#include "net/client/curl_client.h"
#include "net/proxy/upstream_pool.h"
#include "postgres/server/embedded_postgres.h"

namespace integreat::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* operators_role = "admin";

std::string origin_of(const net::Server& server) {
    return fmt::format("http://127.0.0.1:{}", server.port());
}

struct App {
    TenantId tenant;
    std::string title;
    std::string project;
    std::vector<std::string> roles;
    std::vector<std::string> origins;

    bool operator==(const App&) const = default;
};

// What runs beside the platform on a laptop. Later members use earlier ones.
struct Laptop {
    SystemClock clock;
    crypto::SystemRandom random;
    net::CurlOutbound curl;
    net::Upstreams upstreams;
    net::UpstreamOutbound outbound{curl, upstreams, clock};
    metrics::Registry metrics;
    metrics::Registry firebase_metrics;  // The gateway's numbers must not hold those of its neighbour.
    std::unique_ptr<postgres::PrivateServer> postgres;
    std::unique_ptr<postgres::Databases> databases;
    std::unique_ptr<firebase::Auth> auth;
    http::Application auth_application;
    std::unique_ptr<net::Server> auth_server;
    std::unique_ptr<CloudServer> aws;
    std::vector<std::string> page_origins;  // Of the pages /try/{app}.
    std::shared_ptr<Guarded<Ready>> ready = std::make_shared<Guarded<Ready>>();
    std::vector<App> apps;  // That have their users, pool, role and bucket.
};

// Folders are said in full, since people paste into another terminal.
Invocation invocation_of(const DevOptions& options) {
    auto program = fs::read_symlink("/proc/self/exe");
    auto below_here = program.lexically_relative(fs::current_path());
    bool below = !below_here.empty() && *below_here.begin() != "..";
    auto in_full = [](const fs::path& path, const fs::path& otherwise) {
        return path == otherwise ? std::string() : fs::absolute(path).lexically_normal().string();
    };
    return {.program = (below ? below_here : program).string(),
            .configuration = in_full(options.configuration.folder, "."),
            .data = in_full(options.data, default_data_folder())};
}

// The app of each Firebase project: those of the manifests, and the operators' own.
std::vector<App> apps_of(const config::Configuration& configuration) {
    std::vector<App> apps;
    for (const auto& manifest : configuration.manifests) {
        apps.push_back(
            {manifest.app, manifest.title, manifest.firebase_project, manifest.roles, manifest.cors.origins});
    }
    apps.push_back({platform_tenant,
                    "Operators",
                    configuration.settings.identity.operators_project,
                    {operators_role},
                    {}});
    return apps;
}

Result<> start_postgres(Laptop& laptop, const fs::path& data, const config::Configuration& configuration) {
    laptop.postgres = TRY(postgres::PrivateServer::start({.folder = data / "postgres"}, laptop.random));
    std::vector<TenantId> tenants;
    for (const auto& manifest : configuration.manifests)
        tenants.push_back(manifest.app);
    auto limits = pool_limits(configuration.settings.database);
    laptop.databases = TRY(
        postgres::Databases::open_private(*laptop.postgres, tenants, limits, laptop.clock, laptop.random));
    return apply_models(*laptop.postgres, *laptop.databases, configuration, laptop.clock);
}

Result<ReadyTenant> introduce(Laptop& laptop, const App& app) {
    auto project = TRY(firebase::add_project(*laptop.auth, app.tenant, firebase::ProjectId{app.project}));
    auto users = TRY(firebase::ready_made_users(*laptop.auth, project, app.roles));
    ReadyTenant tenant{.app = app.tenant.text,
                       .title = app.title,
                       .firebase_project = app.project,
                       .firebase_api_key = project.api_key,
                       .identity_pool = std::nullopt,
                       .bucket = std::nullopt,
                       .users = {}};
    for (const auto& user : users)
        tenant.users.push_back({user.email, user.password, user.role});
    return tenant;
}

// With a project and ready-made users for each app.
Result<std::vector<ReadyTenant>> start_firebase(Laptop& laptop, const DevOptions& options,
                                                const std::vector<App>& apps) {
    laptop.auth = TRY(firebase::open((options.data / "firebase").string(), laptop.clock, laptop.random));
    std::vector<ReadyTenant> tenants;
    for (const auto& app : apps)
        tenants.push_back(TRY(introduce(laptop, app)));
    laptop.auth_application = firebase::application(*laptop.auth);
    net::ServerSettings settings;
    settings.port = options.automatic_ports ? 0 : dev_firebase_port;
    settings.threads = 1;
    laptop.auth_server = TRY(net::Server::start(settings, laptop.auth_application, laptop.upstreams,
                                                laptop.firebase_metrics, laptop.clock));
    return tenants;
}

// Pool, role and bucket of each app, as its stacks would make them. The page /try/{app} is one of its
// frontends.
Result<> provision(Laptop& laptop, const std::vector<App>& apps, std::vector<ReadyTenant>& tenants) {
    std::vector<cloud::TenantPlan> plans;
    for (const auto& app : apps) {
        plans.push_back({.project = app.project, .origins = origins_of(app.project, app.origins)});
        auto& origins = plans.back().origins;
        origins.insert(origins.end(), laptop.page_origins.begin(), laptop.page_origins.end());
    }
    auto made = TRY(laptop.aws->provision(plans));
    for (std::size_t i = 0; i < apps.size(); ++i) {
        tenants[i].identity_pool = made[i].identity_pool;
        tenants[i].bucket = made[i].bucket;
    }
    return {};
}

constexpr const char* firebase_keys_path = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";

Result<> start_aws(Laptop& laptop, const DevOptions& options, Ready& ready) {
    laptop.aws = TRY(CloudServer::start(
        {.data = options.data,
         .port = options.automatic_ports ? std::uint16_t(0) : dev_aws_port,
         .enforce = true,
         .firebase_keys_url = ready.firebase + firebase_keys_path},
        {.clock = laptop.clock, .random = laptop.random, .outbound = laptop.outbound}, laptop.upstreams));
    ready.aws = laptop.aws->origin();
    ready.aws_credentials = (options.data / credentials_file).string();
    return {};
}

// Once it is known where the gateway listens.
Result<> provision_all(Laptop& laptop, const std::vector<App>& apps, Ready& ready) {
    auto port = ready.gateway.substr(ready.gateway.rfind(':') + 1);
    laptop.page_origins = {ready.gateway, "http://localhost:" + port};
    TRY(provision(laptop, apps, ready.tenants));
    *laptop.ready->lock() = ready;
    laptop.apps = apps;
    return {};
}

// A tenant that a reload brings or changes gets its database, its users and its part of the cloud before
// anybody can ask for it, and tables follow the manifests before the platform does.
Result<> add_newcomers(Laptop& laptop, const config::Configuration& configuration) {
    for (const auto& manifest : configuration.manifests)
        TRY(laptop.databases->add(manifest.app));
    TRY(apply_models(*laptop.postgres, *laptop.databases, configuration, laptop.clock));
    auto apps = apps_of(configuration);
    if (apps == laptop.apps) return {};
    std::vector<ReadyTenant> tenants;
    for (const auto& app : apps)
        tenants.push_back(TRY(introduce(laptop, app)));
    TRY(provision(laptop, apps, tenants));
    laptop.ready->lock()->tenants = std::move(tenants);
    laptop.apps = std::move(apps);
    return {};
}

// Our own commands call the admin routes with it: integreat why, integreat status.
Result<> keep_operator_key(platform::Platform& platform, const fs::path& file) {
    if (fs::exists(file)) return {};
    auto key = TRY(platform.make_operator_key("integreat dev"));
    return write_whole(file.string(), key.reveal() + "\n");
}

Result<bool> run(const DevOptions& options, config::Configuration configuration, Signals& signals,
                 std::ostream& out) {
    std::error_code failure;
    fs::create_directories(options.data, failure);
    if (failure) {
        return Error{
            Fault::invalid,
            fmt::format("the data folder {} cannot be made: {}", options.data.string(), failure.message()),
            ""};
    }
    auto laptop = std::make_unique<Laptop>();
    // Keys and password hashes keep one core busy, making databases the other.
    auto apps = apps_of(configuration);
    auto firebase_started =
        std::async(std::launch::async, [&] { return start_firebase(*laptop, options, apps); });
    TRY(start_postgres(*laptop, options.data, configuration));
    auto tenants = TRY(firebase_started.get());
    Ready ready{.pid = ::getpid(), .tenants = std::move(tenants)};
    ready.firebase = origin_of(*laptop->auth_server);
    TRY(start_aws(*laptop, options, ready));

    auto& settings = configuration.settings;
    settings.identity.firebase_keys_url = ready.firebase + firebase_keys_path;
    if (options.automatic_ports) settings.listen.port = 0;
    auto transport = server_settings(settings);
    auto access_log = TRY(open_access_log(settings.log.access_log));

    auto try_routes = gateway::try_routes(try_page(laptop->ready, options.try_files));
    auto platform = TRY(platform::Platform::make(std::move(configuration), {.clock = laptop->clock,
                                                                            .random = laptop->random,
                                                                            .outbound = laptop->outbound,
                                                                            .metrics = laptop->metrics,
                                                                            .databases = *laptop->databases,
                                                                            .access_log = access_log,
                                                                            .more_routes = try_routes}));
    platform->fetch_keys();
    TRY(keep_operator_key(*platform, options.data / operator_key_file));
    auto server = TRY(net::Server::start(transport, platform->application(), laptop->upstreams,
                                         laptop->metrics, laptop->clock));
    ready.gateway = origin_of(*server);
    TRY(provision_all(*laptop, apps, ready));

    auto text = to_json(ready);
    TRY(write_whole((options.data / running_file).string(), text));
    if (!options.ready_file.empty()) TRY(write_whole(options.ready_file.string(), text));
    out << welcome(ready, options.data.string(), invocation_of(options)) << std::flush;

    Serving serving{
        .platform = *platform,
        .server = *server,
        .signals = signals,
        .metrics = laptop->metrics,
        .secure = !transport.tls_certificate_file.empty(),
        .configuration = options.configuration,
        .before_reload = [&](const config::Configuration& next) { return add_newcomers(*laptop, next); }};
    bool drained = serve_until_told(serving);
    fs::remove(options.data / running_file, failure);
    return drained;
}

}  // namespace

int dev(const DevOptions& options, std::ostream& out, std::ostream& err) {
    Signals signals;
    prepare_to_serve();
    auto configuration = good_configuration(options.configuration, err);
    if (!configuration) return 1;
    if (!options.log_level.empty()) configuration->settings.log.level = options.log_level;
    configure_log(configuration->settings.log);
    auto ended = run(options, std::move(*configuration), signals, out);
    if (!ended) {
        err << "integreat dev: " << ended.error().message << "\n";
        if (!ended.error().cause.empty()) err << "  " << ended.error().cause << "\n";
        return 1;
    }
    return *ended ? 0 : 1;
}

}  // namespace integreat::cli
