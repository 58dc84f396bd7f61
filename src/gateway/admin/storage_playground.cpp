// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/storage_playground.h"

#include <memory>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "gateway/admin/responses.h"
#include "gateway/docs/pages.h"
#include "http/message/problem.h"

namespace integreat::gateway {

namespace {

using http::FullResponse;
using http::Request;
using http::RequestContext;
using http::Response;

constexpr const char* script_file = "try.js";
constexpr const char* style_file = "try.css";

// Escapes "<", which could end the <script> element early.
std::string escape_for_script(std::string_view json) {
    std::string safe;
    for (char c : json)
        safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
    return safe;
}

// Returns the Content-Security-Policy: scripts from this server only, connections to `origins` too.
std::string content_security_policy(const std::vector<std::string>& origins) {
    auto hash = crypto::base64_encode(crypto::hash(crypto::HashAlgorithm::sha256, html_style()));
    std::string text =
        "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-" + hash + "'; connect-src 'self'";
    for (const auto& origin : origins)
        text += " " + origin;
    return text + "; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

FullResponse make_response(std::string_view type, std::string body) {
    return {.headers = {{"Content-Type", type},
                        {"Cache-Control", "no-store"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Cross-Origin-Opener-Policy", "same-origin"}},
            .body = std::move(body)};
}

std::string build_instructions(const StoragePlayground& playground, const PlaygroundConfig& config) {
    return "<h1>Files of " + escape_html(config.title) +
           "</h1><p>The script of this page has not been built yet: it needs the SDKs of Firebase and AWS "
           "from npm. <code>./dev run</code> builds it at its start. To build it by hand, run in the project "
           "folder:</p><pre>" +
           escape_html(playground.build_commands) + "</pre><p>Then reload this page.</p>";
}

Response serve_page(const StoragePlayground& playground, RequestContext& context) {
    auto config = playground.config(context.parameter("app"));
    if (!config) return reject_not_found(context, "No app has this name; /docs lists all apps.");
    std::string body;
    if (!playground.file(script_file) || !playground.file(style_file)) {
        body = build_instructions(playground, *config);
    } else {
        body = std::string("<link rel=\"stylesheet\" href=\"/try/files/") + style_file +
               "\"><script id=\"setup\" type=\"application/json\">" + escape_for_script(config->json) +
               "</script><div id=\"try\"></div><noscript>This page needs JavaScript.</noscript>"
               "<script type=\"module\" src=\"/try/files/" +
               script_file + "\"></script>";
    }
    auto response = make_response("text/html; charset=utf-8", html_page("Files of " + config->title, body));
    response.headers.set("Content-Security-Policy", content_security_policy(config->origins));
    response.headers.set("X-Frame-Options", "DENY");
    return response;
}

Response serve_file(const StoragePlayground& playground, RequestContext& context) {
    std::string name(context.parameter("name"));
    bool known = name == script_file || name == style_file;
    auto bytes = known ? playground.file(name) : std::nullopt;
    if (!bytes) return reject_not_found(context, "The page /try/{app} has no such file.");
    auto type = name == script_file ? "text/javascript; charset=utf-8" : "text/css; charset=utf-8";
    return make_response(type, *std::move(bytes));
}

}  // namespace

std::vector<http::Route> storage_playground_routes(StoragePlayground playground) {
    auto shared = std::make_shared<const StoragePlayground>(std::move(playground));
    auto route = [](std::string pattern, std::string name, std::string summary, http::Handler handler) {
        return http::Route{.pattern = std::move(pattern),
                           .name = std::move(name),
                           .summary = std::move(summary),
                           .access = {.audience = http::Access::Audience::anyone},
                           .exposure = http::Exposure::this_machine,
                           .execution = http::Execution::blocking,  // Reads a file.
                           .handler = std::move(handler)};
    };
    return {
        route("/try/{app}", "platform.try",
              "Page to try sign-in, credentials and files of an app; `integreat dev` only",
              [shared](const Request&, RequestContext& context) { return serve_page(*shared, context); }),
        route("/try/files/{name}", "platform.try_file", "Files of that page: try.js and try.css",
              [shared](const Request&, RequestContext& context) { return serve_file(*shared, context); })};
}

}  // namespace integreat::gateway
