// SPDX-License-Identifier: Apache-2.0
// `integreat doctor`: finds problems of this machine or of the configuration, each with a fix.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/runtime/command_context.h"

namespace integreat::cli {

struct Finding {
    enum class Severity { ok, warning, error };
    Severity severity = Severity::ok;
    std::string subject;  // "Postgres"
    std::string message;  // "version 15.20 in /usr/lib/postgresql/15/bin"
    std::string fix;      // A command, or the necessary change; empty if there is no problem.
};

struct DoctorOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data = ".integreat";
};

// Prints the findings; exit_failure if one of them is an error.
int doctor(const DoctorOptions& options, std::ostream& out, std::ostream& err);

std::vector<Finding> run_checks(const DoctorOptions& options);

// The individual checks.
Finding check_configuration(const config::Validated<config::Configuration>& configuration);
Finding check_postgres(const std::filesystem::path& data);
Finding check_data_folder(const std::filesystem::path& data);
Finding check_port(const std::string& service, std::uint16_t port, const std::filesystem::path& data);
Finding check_open_files(std::uint64_t needed);

void add_doctor_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
