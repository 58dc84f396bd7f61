// SPDX-License-Identifier: Apache-2.0
// Support for commands that register themselves on the command-line parser: the context they run in, the
// options that several commands share, and the loading of the configuration.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/configuration/configuration.h"

namespace CLI {
class App;
}

namespace integreat::cli {

inline constexpr int exit_success = 0;
inline constexpr int exit_failure = 1;  // The command printed an error.
inline constexpr int exit_usage = 2;    // The command line is invalid.

struct CommandContext {
    std::ostream& out;
    std::ostream& err;
    std::function<int()> action;  // Set by the parsed command; returns the exit code.
};

// Makes `action` the action of the context when `command` is parsed.
void set_action(CommandContext& context, CLI::App& command, std::function<int()> action);

// Binds `command` to a function. Returns the options, which the parser fills before the function is called.
template <class Options>
std::shared_ptr<Options> bind_command(CommandContext& context, CLI::App& command,
                                      int (*run)(const Options&, std::ostream&, std::ostream&)) {
    auto options = std::make_shared<Options>();
    set_action(context, command,
               [&context, options, run] { return run(*options, context.out, context.err); });
    return options;
}

struct ConfigurationOptions {
    std::filesystem::path folder = ".";  // Folder that contains integreat.yaml.
    json::Environment environment;       // process_environment() outside tests.
};

// Adds --config.
void add_configuration_option(CLI::App& command, ConfigurationOptions& options);

// Adds --data, with the default of default_data_folder().
void add_data_option(CLI::App& command, std::filesystem::path& data);

// Adds --log-level. `default_level` is shown in the help.
void add_log_level_option(CLI::App& command, std::string& level, const std::string& default_level);

// Prints one diagnostic per line and their number.
void print_diagnostics(const std::vector<config::Diagnostic>& diagnostics, std::ostream& err);

// Loads the configuration and prints its warnings. Returns nothing, after printing the errors, if it is
// invalid.
std::optional<config::Configuration> load_valid_configuration(const ConfigurationOptions& options,
                                                              std::ostream& err);

// Prints "integreat COMMAND: MESSAGE" and returns exit_failure.
int print_error(const char* command, const Error& error, std::ostream& err);

// Prints the error like print_error, and its cause on a second line.
int print_error_with_cause(const char* command, const Error& error, std::ostream& err);

// Returns the exit code of a result. Prints an error like print_error_with_cause.
int to_exit_code(const char* command, const Result<>& result, std::ostream& err);

// Formats a count with its noun: "1 app", "2 apps".
std::string format_count(std::size_t count, std::string_view noun);

}  // namespace integreat::cli
