// SPDX-License-Identifier: Apache-2.0
// Loads any bytes as a manifest and as settings. Each error must point into the text, and a manifest without
// errors must compile to a router and a model: a manifest that passes `integreat check` must not fail when it
// is served.
#include <algorithm>

#include "config/configuration/configuration.h"
#include "config/manifest/routes.h"
#include "http/routing/router.h"
#include "services/collections/schema/table_definitions.h"

using namespace integreat;

namespace {

void check_locations(const std::vector<config::Diagnostic>& diagnostics, std::string_view text) {
    auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    for (const auto& diagnostic : diagnostics) {
        ASSERT(diagnostic.line >= 1 && diagnostic.line <= lines && diagnostic.column >= 1);
        ASSERT(!diagnostic.message.empty() && diagnostic.message.size() < 1'000);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(bytes), size);
    const json::Environment environment = [](std::string_view) { return std::nullopt; };

    auto settings = config::load_settings(text, "integreat.yaml", environment);
    check_locations(settings.errors, text);

    auto manifest = config::load_manifest(text, "apps/campus.yaml", environment);
    check_locations(manifest.errors, text);
    if (!manifest.is_valid()) return 0;
    auto router = http::Router::build(config::make_routes(manifest.value, config::Settings()));
    ASSERT(router);
    const auto& model = manifest.value.model;
    ASSERT(model && model->collections.size() == manifest.value.collections.size());
    ASSERT(collections::schema_fingerprint(*model).size() == 16);
    return 0;
}
