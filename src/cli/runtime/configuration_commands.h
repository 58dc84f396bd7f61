// SPDX-License-Identifier: Apache-2.0
// The commands about the configuration. Each prints for people, mistakes on `err` one per line, and returns
// the exit code: 0, or 1 if something is wrong.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

#include "config/configuration/configuration.h"

namespace integreat::cli {

struct ConfigurationOptions {
    std::filesystem::path folder = ".";  // Where integreat.yaml is.
    json::Environment environment;       // process_environment() outside tests.
};

// integreat check
int check(const ConfigurationOptions& options, std::ostream& out, std::ostream& err);

// integreat config schema --settings | --manifest
enum class SchemaOf { settings, manifest };
int config_schema(SchemaOf which, std::ostream& out);

// integreat config docs: docs/configuration.md
int config_docs(std::ostream& out);

// integreat config show: the settings in force, secrets masked
int config_show(const ConfigurationOptions& options, std::ostream& out, std::ostream& err);

// integreat routes
struct RoutesOptions {
    ConfigurationOptions configuration;
    std::optional<std::string> app;
    bool json = false;
    bool manual = false;  // docs/api.md instead.
};
int routes(const RoutesOptions& options, std::ostream& out, std::ostream& err);

// integreat tenant add NAME --project ID
struct TenantOptions {
    ConfigurationOptions configuration;
    std::string name;
    std::string project;
};
int tenant_add(const TenantOptions& options, std::ostream& out, std::ostream& err);

// The configuration if it is good; otherwise prints its mistakes.
std::optional<config::Configuration> good_configuration(const ConfigurationOptions& options,
                                                        std::ostream& err);

}  // namespace integreat::cli
