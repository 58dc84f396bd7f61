// SPDX-License-Identifier: Apache-2.0
// Any bytes as a manifest and as settings. Each mistake must point into the text, and a manifest without
// mistakes must make a router and a model: nothing that `integreat check` passes may fail when it is served.
#include <algorithm>

#include "config/configuration/configuration.h"
#include "config/manifest/routes.h"
#include "http/routing/router.h"
#include "config/model/model.h"

using namespace integreat;

namespace {

void check_places(const std::vector<config::Mistake>& mistakes, std::string_view text) {
    auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    for (const auto& mistake : mistakes) {
        ASSERT(mistake.line >= 1 && mistake.line <= lines && mistake.column >= 1);
        ASSERT(!mistake.message.empty() && mistake.message.size() < 1'000);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(bytes), size);
    const json::Environment environment = [](std::string_view) { return std::nullopt; };

    auto settings = config::load_settings(text, "integreat.yaml", environment);
    check_places(settings.mistakes, text);

    auto manifest = config::load_manifest(text, "apps/campus.yaml", environment);
    check_places(manifest.mistakes, text);
    if (!manifest.good()) return 0;
    auto router = http::Router::build(config::routes_of(manifest.value, config::Settings()));
    ASSERT(router);
    auto model = collections::compile_model(manifest.value);
    ASSERT(model->collections.size() == manifest.value.collections.size());
    ASSERT(collections::fingerprint_of(*model).size() == 16);
    return 0;
}
