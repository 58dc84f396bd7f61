// SPDX-License-Identifier: Apache-2.0
#include "cli/administration/key.h"

#include <charconv>
#include <ostream>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/system_clock.h"
#include "http/routing/target.h"
#include "net/client/curl_client.h"

namespace integreat::cli {

namespace {

std::string join_strings(const boost::json::object& object, const char* name) {
    std::string joined;
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_array()) return joined;
    for (const auto& element : value->get_array()) {
        if (element.is_string()) joined.append(joined.empty() ? "" : ",").append(element.get_string());
    }
    return joined;
}

std::string keys_path(const std::string& app) {
    return fmt::format("/v1/admin/tenants/{}/keys", http::percent_encode(app));
}

// Parses a time, or a duration from now such as "90d", into an RFC 3339 time.
Result<std::string> parse_expiry(const std::string& text) {
    if (parse_rfc3339(text)) return text;
    int days = 0;
    const char* end = text.data() + text.size();
    auto [unit, failure] = std::from_chars(text.data(), end, days);
    bool duration = failure == std::errc() && unit + 1 == end && *unit == 'd' && days > 0 && days <= 3'650;
    if (!duration) {
        return Error{
            Fault::invalid,
            fmt::format(
                "--expires must be a time such as 2027-01-31T00:00:00Z or a number of days such as 90d, "
                "not \"{}\"",
                text),
            ""};
    }
    auto now = std::chrono::floor<std::chrono::seconds>(SystemClock().now());
    return format_rfc3339(now + std::chrono::days(days));
}

}  // namespace

int key_create(const KeyOptions& options, std::ostream& out, std::ostream& err) {
    boost::json::object body{{"name", options.name},
                             {"scopes", boost::json::array(options.scopes.begin(), options.scopes.end())}};
    if (!options.expires.empty()) {
        auto expires = parse_expiry(options.expires);
        if (!expires) return print_error("key create", expires.error(), err);
        body["expires"] = *expires;
    }
    net::CurlHttpClient http_client;
    auto created = call_admin_api(
        options.admin, http_client,
        {.method = http::Method::post, .path = keys_path(options.app), .body = boost::json::serialize(body)});
    if (!created) return print_error("key create", created.error(), err);
    if (!created->is_object())
        return print_error("key create", {Fault::internal, "the response of the gateway is not a key", ""},
                           err);
    const auto& key = created->get_object();
    out << get_string(key, "key") << "\n";
    err << fmt::format("Key {} of {}. It is not shown again. Send it as `Authorization: Bearer KEY`.\n",
                       get_string(key, "id"), options.app);
    return exit_success;
}

int key_list(const KeyOptions& options, std::ostream& out, std::ostream& err) {
    net::CurlHttpClient http_client;
    auto listed = call_admin_api(options.admin, http_client, {.path = keys_path(options.app)});
    if (!listed) return print_error("key list", listed.error(), err);
    const auto* keys = listed->is_object() ? listed->get_object().if_contains("keys") : nullptr;
    if (keys == nullptr || !keys->is_array()) {
        return print_error("key list",
                           {Fault::internal, "the response of the gateway is not a list of keys", ""}, err);
    }
    for (const auto& entry : keys->get_array()) {
        if (!entry.is_object()) continue;
        const auto& key = entry.get_object();
        auto revoked = get_string(key, "revoked");
        auto expires = get_string(key, "expires");
        auto state = !revoked.empty()   ? "revoked " + revoked
                     : !expires.empty() ? "until " + expires
                                        : std::string("valid");
        out << fmt::format("{:<32} {:<24} {:<24} {}\n", get_string(key, "id"), get_string(key, "name"),
                           join_strings(key, "scopes"), state);
    }
    return exit_success;
}

int key_revoke(const KeyOptions& options, std::ostream& out, std::ostream& err) {
    net::CurlHttpClient http_client;
    auto path = keys_path(options.app) + "/" + http::percent_encode(options.id);
    auto revoked = call_admin_api(options.admin, http_client, {.method = http::Method::del, .path = path});
    if (!revoked) return print_error("key revoke", revoked.error(), err);
    out << options.id << " revoked\n";
    return exit_success;
}

void add_key_command(CLI::App& app, CommandContext& context) {
    auto* key = app.add_subcommand("key", "Manage API keys");
    key->require_subcommand(1);

    auto* create = key->add_subcommand("create", "Create an API key and print it once");
    auto created = bind_command(context, *create, key_create);
    add_admin_options(*create, created->admin);
    create->add_option("--app", created->app, "App of the key")->required();
    create->add_option("--name", created->name, "Name that describes the purpose of the key")->required();
    create->add_option("--scope", created->scopes, "Scope of the key; may be repeated");
    create->add_option("--expires", created->expires,
                       "Expiry as a time (2027-01-31T00:00:00Z) or a number of days (90d); default: never");

    auto* list = key->add_subcommand("list", "List the API keys of an app, without their secrets");
    auto listed = bind_command(context, *list, key_list);
    add_admin_options(*list, listed->admin);
    list->add_option("--app", listed->app, "App of the keys")->required();

    auto* revoke =
        key->add_subcommand("revoke", "Revoke an API key: new requests with it are refused within a second");
    auto revoked = bind_command(context, *revoke, key_revoke);
    add_admin_options(*revoke, revoked->admin);
    revoke->add_option("--app", revoked->app, "App of the key")->required();
    revoke->add_option("ID", revoked->id, "Key ID, as listed by integreat key list")->required();
}

}  // namespace integreat::cli
