// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "cli/runtime/configuration_commands.h"
#include "json/binding/describe.h"

namespace integreat::cli {

namespace {

constexpr std::string_view introduction = R"(# Configuration

Written by `integreat config docs`; change the sentences where the settings are declared, in
`src/config/settings.h`, `src/config/manifest.h` and `src/config/collections.h`.

- A **duration** has its unit: `250ms`, `30s`, `5m`, `12h`, `7d`. A **size** counts bytes: `512`, `64KiB`,
  `10MiB`, `1MB`.
- `env:NAME` stands for the value of an environment variable, `env:NAME:default` for `default` where it is
  not set. Secrets may be written in no other way.
- Unknown keys are mistakes. `integreat check` lists all mistakes with their places; `integreat config show`
  prints the settings in force; `integreat config schema` writes a JSON Schema that editors complete from.
- Files are read again when they change and on SIGHUP, and taken over only if all of them together are good.
- Manifests, with a complete example, are explained in [manifests.md](manifests.md), collections in
  [data.md](data.md).

)";

}  // namespace

int config_docs(std::ostream& out) {
    config::Settings settings;
    config::Manifest manifest;
    std::string tables = json::manual_of(json::describe(settings), "integreat.yaml") +
                         json::manual_of(json::describe(manifest), "apps/NAME.yaml");
    tables.pop_back();  // One line break at the end of the page is enough.
    out << introduction << tables;
    return 0;
}

}  // namespace integreat::cli
