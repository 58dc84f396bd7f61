// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/privacy.h"

#include <ostream>

#include <fmt/format.h>

#include "base/text/closest_match.h"
#include "cli/runtime/databases.h"
#include "services/collections/privacy/export_subject.h"

namespace integreat::cli {

namespace {

constexpr std::chrono::minutes work_max{10};

struct App {
    std::shared_ptr<const collections::Model> model;
    std::unique_ptr<OwnerAccess> access;
    Monotonic deadline() const { return access->clock().monotonic() + work_max; }
};

Result<App> open(const PrivacyOptions& options, std::ostream& err) {
    auto configuration = good_configuration(options.configuration, err);
    if (!configuration) return Error{Fault::invalid, "the configuration has mistakes", ""};
    std::vector<std::string> names;
    for (const auto& model : models_of(*configuration)) {
        names.push_back(model->app.text);
        if (model->app.text != options.app) continue;
        const auto& environment = options.configuration.environment;
        auto access = TRY(OwnerAccess::open(*configuration, environment, options.data, model->app));
        return App{model, std::move(access)};
    }
    return Error{
        Fault::invalid,
        fmt::format("no app \"{}\" has collections{}", options.app, did_you_mean(options.app, names)), ""};
}

Result<> export_all(const PrivacyOptions& options, std::ostream& out, std::ostream& err) {
    auto app = TRY(open(options, err));
    out << TRY(collections::export_subject(app.access->pool(), *app.model, options.subject, app.deadline()));
    return {};
}

Result<> erase(const PrivacyOptions& options, std::ostream& out, std::ostream& err) {
    auto app = TRY(open(options, err));
    auto erased =
        TRY(collections::erase_subject(app.access->pool(), *app.model, options.subject, app.deadline()));
    out << fmt::format("{}: {} records are about nobody any more, {} notes of changes were cleaned.\n",
                       options.app, erased.records, erased.changes);
    return {};
}

int ended(const Result<>& result, std::ostream& err) {
    if (result) return 0;
    err << "integreat privacy: " << result.error().message << "\n";
    if (!result.error().cause.empty()) err << "  " << result.error().cause << "\n";
    return 1;
}

}  // namespace

int privacy_export(const PrivacyOptions& options, std::ostream& out, std::ostream& err) {
    return ended(export_all(options, out, err), err);
}

int privacy_erase(const PrivacyOptions& options, std::ostream& out, std::ostream& err) {
    return ended(erase(options, out, err), err);
}

}  // namespace integreat::cli
