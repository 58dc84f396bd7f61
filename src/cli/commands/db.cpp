// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/db.h"

#include <ostream>

#include <fmt/format.h>

#include "base/text/closest_match.h"
#include "cli/runtime/databases.h"

namespace integreat::cli {

namespace {

using collections::Danger;

void print(std::ostream& out, const collections::PlannedStep& step) {
    out << "-- " << step.sentence;
    if (step.danger != Danger::none) out << fmt::format(" [danger: {}]", to_string(step.danger));
    out << "\n" << step.sql << "\n";
}

void print_plan(std::ostream& out, const TenantId& app, const collections::Plan& plan) {
    if (plan.steps.empty()) out << fmt::format("-- {}: the tables are those of the manifest.\n", app.text);
    if (!plan.steps.empty()) out << fmt::format("-- {}: {} steps.\n\n", app.text, plan.steps.size());
    for (const auto& step : plan.steps)
        print(out, step);
    for (const auto& obstacle : plan.obstacles)
        out << "-- NOT POSSIBLE YET: " << obstacle << "\n";
    if (plan.leftovers.empty()) return;
    out << fmt::format(
        "-- {}: left over from earlier manifests; only integreat db apply --allow-destructive "
        "drops them.\n\n",
        app.text);
    for (const auto& step : plan.leftovers)
        print(out, step);
}

void print_applied(std::ostream& out, const TenantId& app, const collections::Plan& plan, bool dropped) {
    if (plan.steps.empty()) out << fmt::format("{}: the tables are those of the manifest.\n", app.text);
    for (const auto& step : plan.steps)
        out << fmt::format("{}: {}\n", app.text, step.sentence);
    for (const auto& step : plan.leftovers)
        out << fmt::format("{}: {}{}\n", app.text, step.sentence,
                           dropped ? "" : " only with --allow-destructive");
}

Result<> each_app(const DbOptions& options, const config::Configuration& configuration,
                  const std::function<Result<>(const collections::Model&, OwnerAccess&)>& work) {
    std::vector<std::string> names;
    for (const auto& model : models_of(configuration)) {
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

int ended(const Result<>& result, std::ostream& err) {
    if (result) return 0;
    err << "integreat db: " << result.error().message << "\n";
    if (!result.error().cause.empty()) err << "  " << result.error().cause << "\n";
    return 1;
}

}  // namespace

int db_plan(const DbOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = good_configuration(options.configuration, err);
    if (!configuration) return 1;
    auto show = [&](const collections::Model& model, OwnerAccess& access) -> Result<> {
        print_plan(out, model.app, TRY(plan_tables(model, access.order())));
        return {};
    };
    return ended(each_app(options, *configuration, show), err);
}

int db_apply(const DbOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = good_configuration(options.configuration, err);
    if (!configuration) return 1;
    auto apply = [&](const collections::Model& model, OwnerAccess& access) -> Result<> {
        auto order = access.order();
        order.allow_destructive = options.allow_destructive;
        order.backup_note = options.backup_note;
        print_applied(out, model.app, TRY(apply_plan(model, order)), options.allow_destructive);
        return {};
    };
    return ended(each_app(options, *configuration, apply), err);
}

}  // namespace integreat::cli
