// SPDX-License-Identifier: Apache-2.0
// `integreat check`: validates the settings and manifests.
// `integreat config`: prints the settings in force, their JSON Schema or their manual.
#pragma once

#include "cli/runtime/command_context.h"

namespace integreat::cli {

int check(const ConfigurationOptions& options, std::ostream& out, std::ostream& err);

void add_check_command(CLI::App& app, CommandContext& context);

// integreat config show: the settings in force, with masked secrets.
int config_show(const ConfigurationOptions& options, std::ostream& out, std::ostream& err);

// integreat config schema --settings | --manifest
enum class SchemaKind { settings, manifest };
int config_schema(SchemaKind kind, std::ostream& out);

// integreat config docs: docs/reference/configuration.md
int config_docs(std::ostream& out);

void add_config_command(CLI::App& app, CommandContext& context);

}  // namespace integreat::cli
