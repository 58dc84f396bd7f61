// SPDX-License-Identifier: Apache-2.0
#include "cli/administration/privacy.h"

#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text/closest_match.h"
#include "cli/runtime/databases.h"
#include "services/collections/privacy/erase_subject.h"
#include "services/collections/privacy/export_subject.h"

namespace integreat::cli {

namespace {

constexpr std::chrono::minutes operation_timeout{10};

struct OpenedApp {
    std::shared_ptr<const config::Model> model;
    std::unique_ptr<OwnerAccess> access;
    Monotonic deadline() const { return access->clock().monotonic() + operation_timeout; }
};

Result<OpenedApp> open_app(const PrivacyOptions& options, std::ostream& err) {
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return Error{Fault::invalid, "the configuration is invalid", ""};
    std::vector<std::string> names;
    for (const auto& model : find_models(*configuration)) {
        names.push_back(model->app.text);
        if (model->app.text != options.app) continue;
        const auto& environment = options.configuration.environment;
        auto access = TRY(OwnerAccess::open(*configuration, environment, options.data, model->app));
        return OpenedApp{model, std::move(access)};
    }
    return Error{
        Fault::invalid,
        fmt::format("no app \"{}\" has collections{}", options.app, did_you_mean(options.app, names)), ""};
}

Result<> export_all(const PrivacyOptions& options, std::ostream& out, std::ostream& err) {
    auto app = TRY(open_app(options, err));
    out << TRY(collections::export_subject(app.access->pool(), *app.model, options.subject, app.deadline()));
    return {};
}

Result<> erase(const PrivacyOptions& options, std::ostream& out, std::ostream& err) {
    auto app = TRY(open_app(options, err));
    auto erased =
        TRY(collections::erase_subject(app.access->pool(), *app.model, options.subject, app.deadline()));
    out << fmt::format("{}: {} records and {} change history entries erased.\n", options.app, erased.records,
                       erased.changes);
    return {};
}

}  // namespace

int privacy_export(const PrivacyOptions& options, std::ostream& out, std::ostream& err) {
    return to_exit_code("privacy", export_all(options, out, err), err);
}

int privacy_erase(const PrivacyOptions& options, std::ostream& out, std::ostream& err) {
    return to_exit_code("privacy", erase(options, out, err), err);
}

void add_privacy_command(CLI::App& app, CommandContext& context) {
    auto* privacy = app.add_subcommand("privacy", "Export or erase the personal data of one person");
    privacy->require_subcommand(1);
    auto add = [&](const char* name, const char* description,
                   int (*run)(const PrivacyOptions&, std::ostream&, std::ostream&)) {
        auto* command = privacy->add_subcommand(name, description);
        auto options = bind_command(context, *command, run);
        add_configuration_option(*command, options->configuration);
        add_data_option(*command, options->data);
        command->add_option("--app", options->app, "App that stores the data")->required();
        command
            ->add_option("--subject", options->subject,
                         "Firebase uid or email address of the person; may be repeated")
            ->required();
    };
    add("export", "Export the personal data as one JSON document", privacy_export);
    add("erase", "Erase the personal data, also in the change history; cannot be undone", privacy_erase);
}

}  // namespace integreat::cli
