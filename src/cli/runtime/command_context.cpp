// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/command_context.h"

#include <ostream>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/runtime/config_loader.h"
#include "cli/runtime/running_instance.h"

namespace integreat::cli {

void set_action(CommandContext& context, CLI::App& command, std::function<int()> action) {
    command.callback([&context, action = std::move(action)] { context.action = action; });
}

void add_configuration_option(CLI::App& command, ConfigurationOptions& options) {
    options.environment = process_environment();
    command
        .add_option("--config", options.folder, "Folder with integreat.yaml and the manifests (default: .)")
        ->check(CLI::ExistingDirectory);
}

void add_data_option(CLI::App& command, std::filesystem::path& data) {
    data = default_data_folder();
    command.add_option("--data", data, "Data folder of integreat dev (default: " + data.string() + ")");
}

void add_log_level_option(CLI::App& command, std::string& level, const std::string& default_level) {
    command
        .add_option("--log-level", level,
                    "Minimum severity to log: debug, info, warning or error (default: " + default_level + ")")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
}

int print_error(const char* command, const Error& error, std::ostream& err) {
    err << "integreat " << command << ": " << error.message << "\n";
    return exit_failure;
}

int print_error_with_cause(const char* command, const Error& error, std::ostream& err) {
    print_error(command, error, err);
    if (!error.cause.empty()) err << "  " << error.cause << "\n";
    return exit_failure;
}

int to_exit_code(const char* command, const Result<>& result, std::ostream& err) {
    return result ? exit_success : print_error_with_cause(command, result.error(), err);
}

std::string format_count(std::size_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

void print_diagnostics(const std::vector<config::Diagnostic>& diagnostics, std::ostream& err) {
    std::set<std::string> files;
    for (const auto& diagnostic : diagnostics) {
        err << to_string(diagnostic) << "\n";
        files.insert(diagnostic.file);
    }
    err << format_count(diagnostics.size(), "error") << " in " << format_count(files.size(), "file") << ".\n";
}

std::optional<config::Configuration> load_valid_configuration(const ConfigurationOptions& options,
                                                              std::ostream& err) {
    auto checked = config::load_configuration(read_configuration(options.folder), options.environment);
    for (const auto& warning : checked.warnings)
        err << "warning: " << to_string(warning) << "\n";
    if (checked.is_valid()) return std::move(checked.value);
    print_diagnostics(checked.errors, err);
    return std::nullopt;
}

}  // namespace integreat::cli
