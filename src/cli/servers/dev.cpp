// SPDX-License-Identifier: Apache-2.0
#include "cli/servers/dev.h"

#include <future>
#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "base/system_clock.h"
#include "cli/runtime/databases.h"
#include "cli/runtime/local_cloud.h"
#include "cli/runtime/ready_file.h"
#include "cli/runtime/running_instance.h"
#include "cli/runtime/server_runner.h"
#include "cloud/firebase/api/application.h"
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

std::string get_origin(const net::Server& server) {
    return fmt::format("http://127.0.0.1:{}", server.port());
}

struct App {
    TenantId tenant;
    std::string title;
    std::string project;
    std::vector<std::string> roles;
    std::vector<std::string> origins;
    std::vector<policy::OpenedPrefix> files;

    bool operator==(const App&) const = default;
};

// The services that run beside the platform in development. Later members use earlier ones.
struct DevEnvironment {
    SystemClock clock;
    crypto::SystemRandom random;
    net::CurlHttpClient curl;
    net::UpstreamRegistry upstreams;
    net::CircuitBreakingClient http_client{curl, upstreams, clock};
    metrics::Registry metrics;
    metrics::Registry firebase_metrics;  // Separate from the metrics of the gateway.
    std::unique_ptr<postgres::EmbeddedPostgres> postgres;
    std::unique_ptr<postgres::DatabaseRegistry> databases;
    std::unique_ptr<firebase::Auth> auth;
    http::Application auth_application;
    std::unique_ptr<net::Server> auth_server;
    std::unique_ptr<CloudServer> aws;
    std::vector<std::string> page_origins;  // Origins of the pages /try/{app}.
    std::shared_ptr<Synchronized<ReadyFile>> ready = std::make_shared<Synchronized<ReadyFile>>();
    std::vector<App> apps;  // Apps whose users, identity pool, role and bucket exist.
};

// Returns how to invoke this program, with absolute folders, since the printed commands may be pasted into
// another terminal.
Invocation make_invocation(const DevOptions& options) {
    auto program = fs::read_symlink("/proc/self/exe");
    auto relative = program.lexically_relative(fs::current_path());
    bool is_below = !relative.empty() && *relative.begin() != "..";
    auto absolute_unless = [](const fs::path& path, const fs::path& default_path) {
        return path == default_path ? std::string() : fs::absolute(path).lexically_normal().string();
    };
    return {.program = (is_below ? relative : program).string(),
            .configuration = absolute_unless(options.configuration.folder, "."),
            .data = absolute_unless(options.data, default_data_folder())};
}

std::string find_operators_project(const config::Configuration& configuration) {
    const auto& project = configuration.settings.identity.operators_project;
    return project.empty() ? config::dev_operators_project : project;
}

// Returns the apps of the manifests and the operators' own app.
std::vector<App> list_apps(const config::Configuration& configuration) {
    std::vector<App> apps;
    for (const auto& manifest : configuration.manifests) {
        apps.push_back({.tenant = manifest.app,
                        .title = manifest.title,
                        .project = manifest.firebase_project,
                        .roles = manifest.roles,
                        .origins = manifest.cors.origins,
                        .files = config::to_opened_prefixes(manifest.files)});
    }
    apps.push_back({.tenant = platform_tenant,
                    .title = "Operators",
                    .project = find_operators_project(configuration),
                    .roles = {operators_role},
                    .origins = {},
                    .files = {}});
    return apps;
}

Result<> start_postgres(DevEnvironment& environment, const fs::path& data,
                        const config::Configuration& configuration) {
    environment.postgres =
        TRY(postgres::EmbeddedPostgres::start({.folder = data / "postgres"}, environment.random));
    std::vector<TenantId> tenants;
    for (const auto& manifest : configuration.manifests)
        tenants.push_back(manifest.app);
    auto limits = to_pool_settings(configuration.settings.database);
    environment.databases = TRY(
        postgres::DatabaseRegistry::open_embedded(*environment.postgres, tenants, platform::all_migrations(),
                                                  limits, environment.clock, environment.random));
    return migrate_databases(*environment.postgres, *environment.databases, configuration, environment.clock);
}

Result<ReadyTenant> register_project(DevEnvironment& environment, const App& app) {
    auto project =
        TRY(firebase::add_project(*environment.auth, app.tenant, firebase::ProjectId{app.project}));
    auto users = TRY(firebase::ensure_seed_users(*environment.auth, project, app.roles));
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

// Starts the local Firebase Auth, with a project and predefined users for each app.
Result<std::vector<ReadyTenant>> start_firebase(DevEnvironment& environment, const DevOptions& options,
                                                const std::vector<App>& apps) {
    environment.auth =
        TRY(firebase::open((options.data / "firebase").string(), environment.clock, environment.random));
    std::vector<ReadyTenant> tenants;
    for (const auto& app : apps)
        tenants.push_back(TRY(register_project(environment, app)));
    environment.auth_application = firebase::application(*environment.auth);
    net::ServerSettings settings;
    settings.port = options.automatic_ports ? 0 : default_firebase_port;
    settings.threads = 1;
    environment.auth_server =
        TRY(net::Server::start(settings, environment.auth_application, environment.upstreams,
                               environment.firebase_metrics, environment.clock));
    return tenants;
}

// Creates the identity pool, role and bucket of each app, as its stacks would. The page /try/{app} is one of
// its frontends.
Result<> provision(DevEnvironment& environment, const std::vector<App>& apps,
                   std::vector<ReadyTenant>& tenants) {
    std::vector<cloud::TenantSpec> specs;
    for (const auto& app : apps) {
        specs.push_back({.project = app.project,
                         .origins = frontend_origins(app.project, app.origins),
                         .files = app.files});
        auto& origins = specs.back().origins;
        origins.insert(origins.end(), environment.page_origins.begin(), environment.page_origins.end());
    }
    auto resources = TRY(environment.aws->provision(specs));
    for (std::size_t i = 0; i < apps.size(); ++i) {
        tenants[i].identity_pool = resources[i].identity_pool;
        tenants[i].bucket = resources[i].bucket;
    }
    return {};
}

constexpr const char* firebase_keys_path = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";

Result<> start_aws(DevEnvironment& environment, const DevOptions& options, ReadyFile& ready) {
    environment.aws = TRY(CloudServer::start(
        {.data = options.data,
         .port = options.automatic_ports ? std::uint16_t(0) : default_aws_port,
         .enforce = true,
         .firebase_keys_url = ready.firebase + firebase_keys_path},
        {.clock = environment.clock, .random = environment.random, .http_client = environment.http_client},
        environment.upstreams));
    ready.aws = environment.aws->origin();
    ready.aws_credentials = (options.data / credentials_file).string();
    return {};
}

// Provisions all apps once the address of the gateway is known.
Result<> provision_all(DevEnvironment& environment, const std::vector<App>& apps, ReadyFile& ready) {
    auto port = ready.gateway.substr(ready.gateway.rfind(':') + 1);
    environment.page_origins = {ready.gateway, "http://localhost:" + port};
    TRY(provision(environment, apps, ready.tenants));
    *environment.ready->lock() = ready;
    environment.apps = apps;
    return {};
}

// Creates databases, users and cloud resources for tenants that a reload adds or changes, and migrates the
// tables, before the platform applies the configuration.
Result<> provision_new_tenants(DevEnvironment& environment, const config::Configuration& configuration) {
    for (const auto& manifest : configuration.manifests)
        TRY(environment.databases->add(manifest.app));
    TRY(migrate_databases(*environment.postgres, *environment.databases, configuration, environment.clock));
    auto apps = list_apps(configuration);
    if (apps == environment.apps) return {};
    std::vector<ReadyTenant> tenants;
    for (const auto& app : apps)
        tenants.push_back(TRY(register_project(environment, app)));
    TRY(provision(environment, apps, tenants));
    environment.ready->lock()->tenants = std::move(tenants);
    environment.apps = std::move(apps);
    return {};
}

// Creates the API key that commands such as integreat why use for the admin API.
Result<> ensure_operator_key(platform::Platform& platform, const fs::path& file) {
    if (fs::exists(file)) return {};
    auto key = TRY(platform.create_operator_key("integreat dev"));
    return write_file_atomically(file.string(), key.reveal() + "\n");
}

Result<> create_data_folder(const fs::path& folder) {
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (!failure) return {};
    return Error{Fault::invalid,
                 fmt::format("the data folder {} cannot be created: {}", folder.string(), failure.message()),
                 ""};
}

// Writes the ready file and prints the banner.
Result<> announce(const DevOptions& options, const ReadyFile& ready, std::ostream& out) {
    auto text = to_json(ready);
    TRY(write_file_atomically((options.data / running_file).string(), text));
    if (!options.ready_file.empty()) TRY(write_file_atomically(options.ready_file.string(), text));
    out << startup_banner(ready, options.data.string(), make_invocation(options)) << std::flush;
    return {};
}

// Lets the gateway open files of records in the local cloud.
Result<> configure_files(DevEnvironment& environment, config::FilesSettings& files) {
    auto key = TRY(environment.aws->provision_gateway_user());
    files.account = environment.aws->account();
    files.endpoint = environment.aws->origin();
    files.region = "us-east-1";
    files.access_key_id = Secret(key.access_key_id);
    files.secret_access_key = key.secret_key;
    files.session_token = Secret();
    return {};
}

Result<bool> run_environment(const DevOptions& options, config::Configuration configuration, Signals& signals,
                             std::ostream& out) {
    TRY(create_data_folder(options.data));
    auto environment = std::make_unique<DevEnvironment>();
    configuration.settings.identity.operators_project = find_operators_project(configuration);
    // Creating keys and password hashes uses one core, creating databases another.
    auto apps = list_apps(configuration);
    auto firebase =
        std::async(std::launch::async, [&] { return start_firebase(*environment, options, apps); });
    TRY(start_postgres(*environment, options.data, configuration));
    auto tenants = TRY(firebase.get());
    ReadyFile ready{.pid = ::getpid(), .tenants = std::move(tenants)};
    ready.firebase = get_origin(*environment->auth_server);
    TRY(start_aws(*environment, options, ready));

    auto& settings = configuration.settings;
    TRY(configure_files(*environment, settings.files));
    settings.identity.firebase_keys_url = ready.firebase + firebase_keys_path;
    if (options.automatic_ports) settings.listen.port = 0;
    bool is_default_problem_url = settings.http.problem_base_url == http::default_problem_base_url;
    auto transport = to_server_settings(settings);
    transport.exposure = http::Exposure::this_machine;
    auto access_log = TRY(open_access_log(settings.log.access_log));

    auto try_routes =
        gateway::storage_playground_routes(make_playground(environment->ready, options.try_files));
    auto platform =
        TRY(platform::Platform::make(std::move(configuration), {.clock = environment->clock,
                                                                .random = environment->random,
                                                                .http_client = environment->http_client,
                                                                .metrics = environment->metrics,
                                                                .databases = *environment->databases,
                                                                .access_log = access_log,
                                                                .extra_routes = try_routes}));
    platform->fetch_keys();
    TRY(ensure_operator_key(*platform, options.data / operator_key_file));
    auto server = TRY(net::Server::start(transport, platform->application(), environment->upstreams,
                                         environment->metrics, environment->clock));
    ready.gateway = get_origin(*server);
    // The links in error responses open the problem pages of this gateway, unless a setting names others.
    if (is_default_problem_url) TRY(platform->set_problem_base_url(ready.gateway + "/problems"));
    TRY(provision_all(*environment, apps, ready));

    TRY(announce(options, ready, out));

    RunningServer running_server{.platform = *platform,
                                 .server = *server,
                                 .signals = signals,
                                 .metrics = environment->metrics,
                                 .secure = !transport.tls_certificate_file.empty(),
                                 .configuration = options.configuration,
                                 .before_reload = [&](const config::Configuration& next) {
                                     return provision_new_tenants(*environment, next);
                                 }};
    bool drained = run_until_stopped(running_server);
    std::error_code ignored;
    fs::remove(options.data / running_file, ignored);
    return drained;
}

}  // namespace

int dev(const DevOptions& options, std::ostream& out, std::ostream& err) {
    Signals signals;
    tune_process();
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return exit_failure;
    if (!options.log_level.empty()) configuration->settings.log.level = options.log_level;
    configure_log(configuration->settings.log);
    auto drained = run_environment(options, std::move(*configuration), signals, out);
    if (!drained) {
        return print_error_with_cause("dev", drained.error(), err);
    }
    return *drained ? exit_success : exit_failure;
}

void add_dev_command(CLI::App& app, CommandContext& context) {
    auto* command = app.add_subcommand("dev", "Run everything on this machine for development");
    auto options = bind_command(context, *command, dev);
    add_configuration_option(*command, options->configuration);
    add_data_option(*command, options->data);
    command->add_option("--ready-file", options->ready_file,
                        "Write URLs, projects and users to this file once every service is up");
    command
        ->add_option_function<std::string>(
            "--ports", [options](const std::string& ports) { options->automatic_ports = ports == "auto"; },
            "default: 8080, 9099 and 4566; auto: free ports, listed in the ready file")
        ->check(CLI::IsMember({"default", "auto"}));
    add_log_level_option(*command, options->log_level, "as in integreat.yaml");
    command->add_option("--try-files", options->try_files,
                        "Folder with the scripts of the pages /try/APP, built by npm (default: " +
                            options->try_files.string() + ")");
}

}  // namespace integreat::cli
