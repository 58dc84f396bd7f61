// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/storage_playground.h"

#include <memory>

#include "crypto/encoding.h"
#include "crypto/hasher.h"
#include "gateway/docs/html.h"
#include "http/message/problem.h"

namespace integreat::gateway {

namespace {

using http::Call;
using http::Reply;
using http::Request;
using http::Response;

constexpr const char* script = "try.js";
constexpr const char* style = "try.css";

// Within <script> no "<" may end it early.
std::string inside_script(std::string_view json) {
    std::string safe;
    for (char c : json)
        safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
    return safe;
}

// Code comes from us alone, and the page speaks to us, to Firebase Auth and to the cloud.
std::string policy(const std::vector<std::string>& origins) {
    auto hash = crypto::base64_encode(crypto::hash_of(crypto::Hash::sha256, html_style()));
    std::string text =
        "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-" + hash + "'; connect-src 'self'";
    for (const auto& origin : origins)
        text += " " + origin;
    return text + "; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

Reply reply(std::string_view type, std::string body) {
    return {.headers = {{"Content-Type", type},
                        {"Cache-Control", "no-store"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Cross-Origin-Opener-Policy", "same-origin"}},
            .body = std::move(body)};
}

Reply nothing_here(const Call& call, std::string detail) {
    return http::to_reply(
        {.status = 404, .type = "not-found", .title = "There is nothing here", .detail = std::move(detail)},
        call.id.text);
}

std::string how_to_make(const TryPage& page, const TrySetup& setup) {
    return "<h1>Files of " + escaped(setup.title) +
           "</h1><p>The script of this page has not been made yet: it takes the SDKs of Firebase and AWS "
           "from npm. <code>./dev run</code> does it at its start. By hand, in the folder of the "
           "project:</p><pre>" +
           escaped(page.how_to_make) + "</pre><p>Then load this page again.</p>";
}

Response answer_page(const TryPage& page, Call& call) {
    auto setup = page.setup(call.parameter("app"));
    if (!setup) return nothing_here(call, "No app has this name; /docs lists all.");
    std::string body;
    if (!page.file(script) || !page.file(style)) {
        body = how_to_make(page, *setup);
    } else {
        body = std::string("<link rel=\"stylesheet\" href=\"/try/files/") + style +
               "\"><script id=\"setup\" type=\"application/json\">" + inside_script(setup->json) +
               "</script><div id=\"try\"></div><noscript>This page needs JavaScript.</noscript>"
               "<script type=\"module\" src=\"/try/files/" +
               script + "\"></script>";
    }
    auto answer = reply("text/html; charset=utf-8", html_page("Files of " + setup->title, body));
    answer.headers.set("Content-Security-Policy", policy(setup->origins));
    answer.headers.set("X-Frame-Options", "DENY");
    return answer;
}

Response answer_file(const TryPage& page, Call& call) {
    std::string name(call.parameter("name"));
    bool known = name == script || name == style;
    auto bytes = known ? page.file(name) : std::nullopt;
    if (!bytes) return nothing_here(call, "The page /try/{app} has no such file.");
    auto type = name == script ? "text/javascript; charset=utf-8" : "text/css; charset=utf-8";
    return reply(type, *std::move(bytes));
}

}  // namespace

std::vector<http::Route> try_routes(TryPage page) {
    auto shared = std::make_shared<const TryPage>(std::move(page));
    auto route = [](std::string pattern, std::string name, std::string summary, http::Handler handler) {
        return http::Route{.pattern = std::move(pattern),
                           .name = std::move(name),
                           .summary = std::move(summary),
                           .access = {.who = http::Access::Who::anyone},
                           .waits = true,  // Reads a file.
                           .handler = std::move(handler)};
    };
    return {route("/try/{app}", "platform.try",
                  "With integreat dev only: a page to try sign-in, credentials and files of an app",
                  [shared](const Request&, Call& call) { return answer_page(*shared, call); }),
            route("/try/files/{name}", "platform.try_file", "What that page is made of: try.js and try.css",
                  [shared](const Request&, Call& call) { return answer_file(*shared, call); })};
}

}  // namespace integreat::gateway
