// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <ostream>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/system_clock.h"
#include "cli/runtime/admin_client.h"
#include "cli/runtime/local_cloud.h"
#include "http/routing/router.h"
#include "net/client/curl_client.h"

namespace integreat::cli {

namespace {

std::string text_of(const boost::json::object& object, const char* name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string words_of(const boost::json::object& object, const char* name) {
    std::string words;
    const auto* value = object.if_contains(name);
    if (value == nullptr || !value->is_array()) return words;
    for (const auto& word : value->get_array()) {
        if (word.is_string()) words.append(words.empty() ? "" : ",").append(word.get_string());
    }
    return words;
}

int failed(const char* command, const Error& error, std::ostream& err) {
    err << "integreat " << command << ": " << error.message << "\n";
    return 1;
}

std::string keys_path(const std::string& app) {
    return fmt::format("/v1/admin/tenants/{}/keys", http::percent_encode(app));
}

// "90d" from now, or the time itself.
Result<std::string> expiry_of(const std::string& text) {
    if (parse_rfc3339(text)) return text;
    int days = 0;
    const char* end = text.data() + text.size();
    auto [unit, failure] = std::from_chars(text.data(), end, days);
    bool duration = failure == std::errc() && unit + 1 == end && *unit == 'd' && days > 0 && days <= 3'650;
    if (!duration) {
        return Error{
            Fault::invalid,
            fmt::format("--expires must be a time such as 2027-01-31T00:00:00Z or days from now such as 90d, "
                        "not \"{}\"",
                        text),
            ""};
    }
    auto now = std::chrono::floor<std::chrono::seconds>(SystemClock().now());
    return format_rfc3339(now + std::chrono::days(days));
}

}  // namespace

int why(const AdminOptions& options, const std::string& request_id, std::ostream& out, std::ostream& err) {
    if (!request_id.starts_with("req_")) {  // AWS's ids are of another form: one of the local cloud.
        auto decision = ask_cloud("", options.data, "decisions/" + http::percent_encode(request_id));
        if (!decision) return failed("why", decision.error(), err);
        out << text_of(*decision, "explanation") << "\n";
        return 0;
    }
    net::CurlOutbound outbound;
    auto decision =
        ask_gateway(options, outbound, {.path = "/v1/admin/decisions/" + http::percent_encode(request_id)});
    if (!decision) return failed("why", decision.error(), err);
    if (!decision->is_object())
        return failed("why", {Fault::internal, "the gateway's answer is not a decision", ""}, err);
    out << text_of(decision->get_object(), "explanation") << "\n";
    return 0;
}

int key_create(const KeyOptions& options, std::ostream& out, std::ostream& err) {
    boost::json::object wanted{{"name", options.name},
                               {"scopes", boost::json::array(options.scopes.begin(), options.scopes.end())}};
    if (!options.expires.empty()) {
        auto expires = expiry_of(options.expires);
        if (!expires) return failed("key create", expires.error(), err);
        wanted["expires"] = *expires;
    }
    net::CurlOutbound outbound;
    auto made = ask_gateway(options.admin, outbound,
                            {.method = http::Method::post,
                             .path = keys_path(options.app),
                             .body = boost::json::serialize(wanted)});
    if (!made) return failed("key create", made.error(), err);
    if (!made->is_object())
        return failed("key create", {Fault::internal, "the gateway's answer is not a key", ""}, err);
    const auto& key = made->get_object();
    out << text_of(key, "key") << "\n";
    err << fmt::format("Key {} of {}; it is not shown again. Send it as `Authorization: Bearer …`.\n",
                       text_of(key, "id"), options.app);
    return 0;
}

int key_list(const KeyOptions& options, std::ostream& out, std::ostream& err) {
    net::CurlOutbound outbound;
    auto listed = ask_gateway(options.admin, outbound, {.path = keys_path(options.app)});
    if (!listed) return failed("key list", listed.error(), err);
    const auto* keys = listed->is_object() ? listed->get_object().if_contains("keys") : nullptr;
    if (keys == nullptr || !keys->is_array()) {
        return failed("key list", {Fault::internal, "the gateway's answer is not a list of keys", ""}, err);
    }
    for (const auto& entry : keys->get_array()) {
        if (!entry.is_object()) continue;
        const auto& key = entry.get_object();
        auto revoked = text_of(key, "revoked");
        auto expires = text_of(key, "expires");
        auto state = !revoked.empty()   ? "revoked " + revoked
                     : !expires.empty() ? "until " + expires
                                        : std::string("in force");
        out << fmt::format("{:<32} {:<24} {:<24} {}\n", text_of(key, "id"), text_of(key, "name"),
                           words_of(key, "scopes"), state);
    }
    return 0;
}

int key_revoke(const KeyOptions& options, std::ostream& out, std::ostream& err) {
    net::CurlOutbound outbound;
    auto path = keys_path(options.app) + "/" + http::percent_encode(options.id);
    auto revoked = ask_gateway(options.admin, outbound, {.method = http::Method::del, .path = path});
    if (!revoked) return failed("key revoke", revoked.error(), err);
    out << options.id << " is revoked\n";
    return 0;
}

}  // namespace integreat::cli
