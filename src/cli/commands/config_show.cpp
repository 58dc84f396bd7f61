// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "cli/runtime/configuration_commands.h"
#include "json/binding/describe.h"

namespace integreat::cli {

int config_show(const ConfigurationOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = good_configuration(options, err);
    if (!configuration) return 1;
    out << json::yaml_of(json::describe(configuration->settings));
    return 0;
}

}  // namespace integreat::cli
