// SPDX-License-Identifier: Apache-2.0
#include "cli/administration/seed.h"

#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text/closest_match.h"
#include "cli/runtime/config_loader.h"
#include "cli/runtime/databases.h"
#include "cloud/firebase/tokens/auth.h"
#include "services/collections/seed/seed_file.h"
#include "services/collections/seed/seed_store.h"

namespace integreat::cli {

namespace {

constexpr std::chrono::minutes insert_timeout{5};

using UsersByRole = std::map<std::string, std::string, std::less<>>;

Result<const config::Manifest*> find_app_with_collections(const config::Configuration& configuration,
                                                          const std::string& name) {
    std::vector<std::string> names;
    for (const auto& manifest : configuration.manifests) {
        if (manifest.app.text == name && !manifest.collections.empty()) return &manifest;
        if (!manifest.collections.empty()) names.push_back(manifest.app.text);
    }
    return Error{Fault::invalid,
                 fmt::format("no app \"{}\" has collections{}", name, did_you_mean(name, names)), ""};
}

// Returns the uid of the predefined user of each role.
Result<UsersByRole> find_seed_users(const config::Manifest& manifest, const std::filesystem::path& data) {
    SystemClock clock;
    crypto::SystemRandom random;
    auto auth = TRY(firebase::open((data / "firebase").string(), clock, random));
    auto project = TRY(firebase::add_project(*auth, manifest.app, {manifest.firebase_project}));
    std::map<std::string, std::string> role_by_email;
    for (const auto& user : TRY(firebase::ensure_seed_users(*auth, project, manifest.roles)))
        role_by_email[user.email] = user.role;
    UsersByRole users_by_role;
    std::string after;
    while (users_by_role.size() < role_by_email.size()) {
        auto users = TRY(firebase::list_users(*auth, project.id, after));
        if (users.empty()) break;
        after = users.back().uid;
        for (const auto& user : users) {
            auto found = role_by_email.find(user.email.value_or(""));
            if (found != role_by_email.end()) users_by_role[found->second] = user.uid;
        }
    }
    return users_by_role;
}

// Parses the seed files. Returns nothing, after printing the errors, if they are invalid.
std::optional<collections::Seed> read_files(const SeedOptions& options, const config::Model& model,
                                            std::ostream& err) {
    auto folder = find_configuration_paths(options.configuration.folder).apps_folder / "seed";
    std::vector<config::Diagnostic> diagnostics;
    auto file = read_source(folder / (options.app + ".yaml"), diagnostics);
    auto words = read_source(folder / "words.yaml", diagnostics);
    collections::SeedParseResult parsed;
    if (file && words) {
        parsed = collections::parse_seed(*file, *words, model);
        diagnostics.insert(diagnostics.end(), parsed.errors.begin(), parsed.errors.end());
    }
    for (const auto& diagnostic : diagnostics)
        err << to_string(diagnostic) << "\n";
    return diagnostics.empty() ? std::optional(std::move(parsed.seed)) : std::nullopt;
}

// Migrates the tables to the manifest in development. Elsewhere returns an error if a migration is needed.
Result<> ensure_schema(const config::Model& model, const collections::MigrationOptions& options,
                       bool development) {
    auto plan = TRY(collections::plan_migration(model, options));
    if (plan.steps.empty()) return {};
    if (development) {
        TRY(collections::apply_migration(model, options));
        return {};
    }
    return Error{Fault::conflict,
                 fmt::format("the tables do not match the manifest: run integreat db apply --app {} first",
                             model.app.text),
                 ""};
}

void print_records(std::ostream& out, const config::Manifest& manifest,
                   const std::vector<collections::GeneratedRows>& batches, const UsersByRole& users_by_role) {
    std::map<std::string_view, std::size_t> counts;
    std::size_t sum = 0;
    for (const auto& batch : batches) {
        counts[batch.collection->name] += batch.records.size();
        sum += batch.records.size();
    }
    out << fmt::format("{}: {} records\n", manifest.title, sum);
    for (const auto& [name, count] : counts)
        out << fmt::format("  {:<20} {}\n", name, count);
    if (!users_by_role.empty())
        out << fmt::format(
            "Sign in as a user listed by `integreat user list --app {}` to see that user's records.\n",
            manifest.app.text);
}

Result<int> run_seed(const SeedOptions& options, const config::Configuration& configuration,
                     std::ostream& out, std::ostream& err) {
    const auto* manifest = TRY(find_app_with_collections(configuration, options.app));
    const auto& model = *manifest->model;
    auto seed = read_files(options, model, err);
    if (!seed) return exit_failure;
    bool development = configuration.settings.database.url.empty();
    if (options.again && !development)
        return Error{Fault::invalid,
                     "--again deletes all records and is allowed only in the databases of integreat dev", ""};
    auto access =
        TRY(OwnerAccess::open(configuration, options.configuration.environment, options.data, manifest->app));
    TRY(ensure_schema(model, access->migration_options(), development));
    collections::SeedContext context{.now = access->clock().now()};
    if (development) context.users = TRY(find_seed_users(*manifest, options.data));
    auto batches = TRY(collections::generate_seed(*seed, model, context));
    auto mode = options.again ? collections::SeedMode::replace : collections::SeedMode::empty_only;
    TRY(collections::insert_seed(access->pool(), model, batches, mode,
                                 access->clock().monotonic() + insert_timeout));
    print_records(out, *manifest, batches, context.users);
    return exit_success;
}

}  // namespace

int seed(const SeedOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return exit_failure;
    auto exit_code = run_seed(options, *configuration, out, err);
    return exit_code ? *exit_code : print_error_with_cause("seed", exit_code.error(), err);
}

void add_seed_command(CLI::App& app, CommandContext& context) {
    auto* command = app.add_subcommand(
        "seed", "Fill an app with generated records from apps/seed/NAME.yaml, for development");
    auto options = bind_command(context, *command, seed);
    add_configuration_option(*command, options->configuration);
    add_data_option(*command, options->data);
    command->add_option("--app", options->app, "App to fill")->required();
    command->add_flag("--again", options->again, "Replace existing records");
}

}  // namespace integreat::cli
