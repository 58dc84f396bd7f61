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
        complain(document, key_missing ? "/listen/tls_certificate_file" : "/listen/tls_key_file",
                 std::string("TLS needs both files: ") +
                     (key_missing ? "tls_key_file" : "tls_certificate_file") + " is missing");
    }
    if (listen.connections_per_client_max > listen.connections_max &&
        json::find(document.tree, "/listen/connections_per_client_max")) {
        complain(document, "/listen/connections_per_client_max",
                 "connections_per_client_max must not be more than connections_max (" +
                     std::to_string(listen.connections_max) + ")");
    }
    if (settings.database.url.empty() && !settings.database.url_direct.empty()) {
        complain(document, "/database/url_direct", "url_direct needs a url beside it");
    }
}

}  // namespace

Checked<Settings> load_settings(std::string_view text, const std::string& file,
                                const json::Environment& environment) {
    Checked<Settings> checked;
    Document document = read_document(text, file, checked.value, environment, Empty::allowed);
    check_settings(document, checked.value);
    sort_by_place(document.mistakes);
    checked.mistakes = std::move(document.mistakes);
    return checked;
}

}  // namespace integreat::config
