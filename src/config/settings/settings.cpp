// SPDX-License-Identifier: Apache-2.0
#include "config/settings/settings.h"

#include "config/configuration/configuration.h"
#include "config/diagnostics/document.h"

namespace integreat::config {

namespace {

void check_settings(Document& document, const Settings& settings) {
    const auto& listen = settings.listen;
    if (listen.tls_certificate_file.empty() != listen.tls_key_file.empty()) {
        bool key_missing = listen.tls_key_file.empty();
        report(document, key_missing ? "/listen/tls_certificate_file" : "/listen/tls_key_file",
               std::string("TLS needs both files: ") +
                   (key_missing ? "tls_key_file" : "tls_certificate_file") + " is missing");
    }
    if (listen.max_connections_per_client > listen.max_connections &&
        json::find(document.tree, "/listen/max_connections_per_client")) {
        report(document, "/listen/max_connections_per_client",
               "max_connections_per_client must not exceed max_connections (" +
                   std::to_string(listen.max_connections) + ")");
    }
    if (settings.database.url.empty() && !settings.database.direct_url.empty()) {
        report(document, "/database/direct_url", "direct_url requires url");
    }
}

}  // namespace

Validated<Settings> load_settings(std::string_view text, const std::string& file,
                                  const json::Environment& environment) {
    Validated<Settings> checked;
    Document document{.file = file};
    if (parse_document(document, text, EmptyFile::allowed))
        read_document(document, checked.value, environment);
    check_settings(document, checked.value);
    sort_by_location(document.errors);
    checked.errors = std::move(document.errors);
    checked.warnings = std::move(document.warnings);
    return checked;
}

}  // namespace integreat::config
