// SPDX-License-Identifier: Apache-2.0
#include "cli/configuration/sdk.h"

#include <ostream>

#include <CLI/CLI.hpp>

#include "base/text/closest_match.h"
#include "cli/runtime/ready_file.h"
#include "services/collections/typescript/typescript.h"

namespace integreat::cli {

int sdk_ts(const SdkOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return exit_failure;
    std::vector<std::string> apps;
    for (const auto& manifest : configuration->manifests) {
        if (!manifest.collections.empty()) apps.push_back(manifest.app.text);
        if (manifest.app.text != options.app || manifest.collections.empty()) continue;
        auto text = collections::generate_typescript(*manifest.model, options.runtime);
        if (options.out.empty()) {
            out << text;
            return exit_success;
        }
        auto written = write_file_atomically(options.out, text);
        if (!written) err << written.error().message << "\n";
        return written ? exit_success : exit_failure;
    }
    err << "no app \"" << options.app << "\" has collections" << did_you_mean(options.app, apps) << "\n";
    return exit_failure;
}

void add_sdk_command(CLI::App& app, CommandContext& context) {
    auto* sdk = app.add_subcommand("sdk", "Generate clients for an app from its manifest");
    sdk->require_subcommand(1);
    auto* command = sdk->add_subcommand("ts", "Generate a typed TypeScript client on top of sdk/js");
    auto options = bind_command(context, *command, sdk_ts);
    add_configuration_option(*command, options->configuration);
    command->add_option("--app", options->app, "App of the collections")->required();
    command->add_option("--out", options->out, "Output file (default: standard output)");
    command->add_option("--runtime", options->runtime,
                        "Module name of sdk/js (default: " + options->runtime + ")");
}

}  // namespace integreat::cli
