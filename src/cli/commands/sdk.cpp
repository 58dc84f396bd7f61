// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/sdk.h"

#include <ostream>

#include "base/text/closest_match.h"
#include "cli/runtime/ready_file.h"
#include "services/collections/typescript/typescript.h"

namespace integreat::cli {

int sdk_ts(const SdkOptions& options, std::ostream& out, std::ostream& err) {
    auto configuration = good_configuration(options.configuration, err);
    if (!configuration) return 1;
    std::vector<std::string> apps;
    for (const auto& manifest : configuration->manifests) {
        if (!manifest.collections.empty()) apps.push_back(manifest.app.text);
        if (manifest.app.text != options.app || manifest.collections.empty()) continue;
        auto text = collections::typescript_of(*collections::compile_model(manifest), options.runtime);
        if (options.out.empty()) {
            out << text;
            return 0;
        }
        auto written = write_whole(options.out, text);
        if (!written) err << written.error().message << "\n";
        return written ? 0 : 1;
    }
    err << "no app \"" << options.app << "\" has collections" << did_you_mean(options.app, apps) << "\n";
    return 1;
}

}  // namespace integreat::cli
