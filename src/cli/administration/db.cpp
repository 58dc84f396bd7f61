// SPDX-License-Identifier: Apache-2.0
#include "cli/administration/db.h"

#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text/closest_match.h"
#include "cli/runtime/databases.h"

namespace integreat::cli {

namespace {

using collections::MigrationRisk;

void print_step(std::ostream& out, const collections::MigrationStep& step) {
    out << "-- " << step.description;
    if (step.risk != MigrationRisk::none) out << fmt::format(" [risk: {}]", to_string(step.risk));
    out << "\n" << step.sql << "\n";
}

void print_plan(std::ostream& out, const TenantId& app, const collections::MigrationPlan& plan) {
    if (plan.steps.empty()) out << fmt::format("-- {}: the tables match the manifest.\n", app.text);
    if (!plan.steps.empty()) out << fmt::format("-- {}: {} steps.\n\n", app.text, plan.steps.size());
    for (const auto& step : plan.steps)
        print_step(out, step);
    for (const auto& blocker : plan.blockers)
        out << "-- BLOCKED: " << blocker << "\n";
    if (plan.retired.empty()) return;
    out << fmt::format(
        "-- {}: no longer in the manifest; dropped only by integreat db apply --allow-destructive.\n\n",
        app.text);
    for (const auto& step : plan.retired)
        print_step(out, step);
}

void print_applied(std::ostream& out, const TenantId& app, const collections::MigrationPlan& plan,
                   bool dropped) {
    if (plan.steps.empty()) out << fmt::format("{}: the tables match the manifest.\n", app.text);
    for (const auto& step : plan.steps)
        out << fmt::format("{}: {}\n", app.text, step.description);
    for (const auto& step : plan.retired)
        out << fmt::format("{}: {}{}\n", app.text, step.description,
                           dropped ? "" : " only with --allow-destructive");
}

Result<> for_each_app(const DbOptions& options, const config::Configuration& configuration,
                      const std::function<Result<>(const config::Model&, OwnerAccess&)>& work) {
    std::vector<std::string> names;
    for (const auto& model : find_models(configuration)) {
        names.push_back(model->app.text);
        if (!options.app.empty() && options.app != model->app.text) continue;
        auto access = TRY(
            OwnerAccess::open(configuration, options.configuration.environment, options.data, model->app));
        TRY(work(*model, *access));
    }
    bool known = options.app.empty() || std::find(names.begin(), names.end(), options.app) != names.end();
    if (known) return {};
    return Error{
        Fault::invalid,
        fmt::format("no app \"{}\" has collections{}", options.app, did_you_mean(options.app, names)), ""};
}

}  // namespace

int db_plan(const DbOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return exit_failure;
    auto show = [&](const config::Model& model, OwnerAccess& access) -> Result<> {
        print_plan(out, model.app, TRY(plan_migration(model, access.migration_options())));
        return {};
    };
    return to_exit_code("db", for_each_app(options, *configuration, show), err);
}

int db_apply(const DbOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return exit_failure;
    auto apply = [&](const config::Model& model, OwnerAccess& access) -> Result<> {
        auto migration = access.migration_options();
        migration.allow_destructive = options.allow_destructive;
        migration.backup_note = options.backup_note;
        print_applied(out, model.app, TRY(apply_migration(model, migration)), options.allow_destructive);
        return {};
    };
    return to_exit_code("db", for_each_app(options, *configuration, apply), err);
}

void add_db_command(CLI::App& app, CommandContext& context) {
    auto* db = app.add_subcommand("db", "Migrate the tables of the apps' collections");
    db->require_subcommand(1);
    auto add = [&](const char* name, const char* description,
                   int (*run)(const DbOptions&, std::ostream&, std::ostream&)) {
        auto* command = db->add_subcommand(name, description);
        auto options = bind_command(context, *command, run);
        add_configuration_option(*command, options->configuration);
        add_data_option(*command, options->data);
        command->add_option("--app", options->app, "Migrate only the tables of this app");
        return std::pair(command, options);
    };
    add("plan", "Print the SQL that migrates the tables to the manifests, and its risks", db_plan);
    auto [apply, options] =
        add("apply", "Migrate the tables to the manifests, each app completely or not at all", db_apply);
    auto* destructive =
        apply->add_flag("--allow-destructive", options->allow_destructive, "Allow steps that delete data");
    auto* note = apply->add_option("--backup-note", options->backup_note,
                                   "Location of the backup; stored with the migration");
    destructive->needs(note);
    note->needs(destructive);
}

}  // namespace integreat::cli
