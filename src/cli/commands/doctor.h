// SPDX-License-Identifier: Apache-2.0
// What is wrong with this machine or configuration, and the command that mends it.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "cli/runtime/configuration_commands.h"

namespace integreat::cli {

struct Finding {
    enum class State { good, doubtful, broken };
    State state = State::good;
    std::string subject;   // "Postgres"
    std::string sentence;  // "version 15.20 in /usr/lib/postgresql/15/bin"
    std::string mend;      // A command, or what to change; empty if all is well.
};

struct DoctorOptions {
    ConfigurationOptions configuration;
    std::filesystem::path data = ".integreat";
};

std::vector<Finding> examine(const DoctorOptions& options);

// Prints the findings; 0 if nothing is broken, 1 otherwise.
int doctor(const DoctorOptions& options, std::ostream& out, std::ostream& err);

// The single examinations.
Finding examine_configuration(const config::Checked<config::Configuration>& configuration);
Finding examine_postgres(const std::filesystem::path& data);
Finding examine_folder(const std::filesystem::path& data);
Finding examine_port(const std::string& what, std::uint16_t port, const std::filesystem::path& data);
Finding examine_open_files(std::uint64_t wanted);

}  // namespace integreat::cli
