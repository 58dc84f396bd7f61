// SPDX-License-Identifier: Apache-2.0
#include "config/configuration/configuration.h"

#include <algorithm>
#include <iterator>

#include "config/checks/check_manifest.h"
#include "config/diagnostics/document.h"
#include "json/binding/units.h"

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

// Refuses a manifest of a newer format, whose keys this program does not know. Accepts one without a format
// as the first format, with a warning. Returns true if the manifest can be read.
bool check_format(Document& document) {
    if (document.tree.kind != json::Node::Kind::map) return true;
    const auto* node = json::find(document.tree, "/integreat");
    if (!node) {
        document.warnings.push_back(
            {document.file, 1, 1,
             "the manifest has no format version and is read as format " + std::to_string(manifest_format) +
                 ": add \"integreat: " + std::to_string(manifest_format) + "\" as its first line"});
        return true;
    }
    auto format = json::parse_integer(node->text);
    if (!format || *format <= manifest_format) return true;
    report(document, "/integreat",
           "this manifest has format " + node->text + "; this integreat reads format " +
               std::to_string(manifest_format) + ": upgrade integreat");
    return false;
}

ManifestDocument read_manifest(std::string_view text, const std::string& file,
                               const json::Environment& environment) {
    ManifestDocument result{.manifest = {.file = file}, .document = {.file = file}};
    auto& document = result.document;
    if (!parse_document(document, text, EmptyFile::refused) || !check_format(document)) return result;
    read_document(document, result.manifest, environment);
    if (document.tree.kind == json::Node::Kind::map) check_manifest(result);
    return result;
}

void append(std::vector<Diagnostic>& all, std::vector<Diagnostic> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
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

Validated<Manifest> load_manifest(std::string_view text, const std::string& file,
                                  const json::Environment& environment) {
    auto [manifest, document] = read_manifest(text, file, environment);
    sort_by_location(document.errors);
    return {std::move(manifest), std::move(document.errors), std::move(document.warnings)};
}

Validated<Configuration> load_configuration(const Sources& sources, const json::Environment& environment) {
    Validated<Configuration> checked;
    checked.errors = sources.errors;
    if (sources.settings) {
        auto settings = load_settings(sources.settings->text, sources.settings->file, environment);
        checked.value.settings = std::move(settings.value);
        append(checked.errors, std::move(settings.errors));
        append(checked.warnings, std::move(settings.warnings));
    }
    if (sources.manifests.size() > max_apps) {
        checked.errors.push_back({checked.value.settings.apps_dir, 0, 0,
                                  "there are more than " + std::to_string(max_apps) + " manifests"});
        return checked;
    }
    std::vector<ManifestDocument> manifests;
    for (const auto& source : sources.manifests) {
        manifests.push_back(read_manifest(source.text, source.file, environment));
    }
    check_manifests(manifests, checked.value.settings);
    for (auto& [manifest, document] : manifests) {
        append(checked.errors, std::move(document.errors));
        append(checked.warnings, std::move(document.warnings));
        checked.value.manifests.push_back(std::move(manifest));
    }
    std::sort(checked.value.manifests.begin(), checked.value.manifests.end(),
              [](const Manifest& left, const Manifest& right) { return left.app < right.app; });
    sort_by_location(checked.errors);
    sort_by_location(checked.warnings);
    return checked;
}

}  // namespace integreat::config
