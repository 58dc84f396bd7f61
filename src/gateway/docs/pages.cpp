// SPDX-License-Identifier: Apache-2.0
#include "gateway/docs/pages.h"

#include <map>

#include "gateway/docs/api_manual.h"
#include "gateway/docs/openapi.h"

namespace integreat::gateway {

namespace {

using Audience = http::Access::Audience;

constexpr std::string_view page_style = R"(
:root{--ink:#1d2433;--soft:#5b6577;--line:#e3e7ee;--back:#fff;--card:#f7f9fc;--accent:#2257c4}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf4;--soft:#9aa5b8;--line:#2c3446;--back:#12161f;
--card:#1a202d;
--accent:#7fa8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 5rem}
h1{font-size:1.9rem;margin:0 0 .4rem}h2{margin:2.6rem 0 .8rem;font-size:1.3rem}
p{margin:.5rem 0}.soft{color:var(--soft)}a{color:var(--accent)}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.87em}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:.8rem 1rem;overflow-x:auto;margin:.6rem 0}
nav a{display:inline-block;margin:.2rem .9rem .2rem 0}
details{border:1px solid var(--line);border-radius:8px;margin:.5rem 0;background:var(--card)}
summary{cursor:pointer;padding:.6rem .9rem;display:flex;gap:.8rem;align-items:baseline;flex-wrap:wrap}
summary .what{color:var(--soft);margin-left:auto}
details>div{padding:.2rem .9rem .8rem;border-top:1px solid var(--line)}
dl{display:grid;grid-template-columns:9rem 1fr;gap:.25rem 1rem;margin:.7rem 0}
dt{color:var(--soft)}dd{margin:0}
b.m{font:600 .78rem ui-monospace,monospace;color:#fff;background:#2b7a4b;border-radius:5px;
padding:.12rem .45rem;min-width:4.2em;text-align:center}
b.POST{background:#2257c4}b.PUT,b.PATCH{background:#a06000}b.DELETE{background:#b3261e}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid var(--line)}
)";

void append_definition(std::string& html, std::string_view name, std::string_view value) {
    html.append("<dt>").append(name).append("</dt><dd>").append(escape_html(value)).append("</dd>");
}

std::string make_curl_example(const http::Route& route) {
    std::string command = "curl";
    if (route.method != http::Method::get) command += " -X " + std::string(to_string(route.method));
    if (route.access.audience != Audience::anyone) command += " -H \"Authorization: Bearer $TOKEN\"";
    if (route.idempotency != http::Idempotency::off)
        command += " \\\n     -H \"Idempotency-Key: $(uuidgen)\"";
    if (!route.request_schema.empty()) {
        bool json = route.request_type.ends_with("json");
        command += " \\\n     -H 'Content-Type: " + route.request_type + "' " +
                   (json ? "-d '{…}'" : "--data-binary @FILE");
    }
    return command + " \\\n     http://localhost:8080" + openapi_path(route.pattern);
}

void append_route(std::string& html, const http::Route& route) {
    std::string method(to_string(route.method));
    html += "<details id=\"" + escape_html(route.name) + "\"><summary><b class=\"m " + method + "\">" +
            method + "</b><code>" + escape_html(openapi_path(route.pattern)) +
            "</code><span class=\"what\">" + escape_html(route.summary) + "</span></summary><div><dl>";
    append_definition(html, "Access", describe_access(route.access));
    if (auto limit = describe_limit(route.limit); !limit.empty()) append_definition(html, "Limit", limit);
    append_definition(html, "Body",
                      route.max_body_bytes == 0 ? "none" : "at most " + describe_size(route.max_body_bytes));
    if (route.idempotency != http::Idempotency::off) {
        append_definition(html, "Idempotency-Key",
                          route.idempotency == http::Idempotency::required ? "required" : "accepted");
    }
    append_definition(html, "Handled by", route.upstream ? "the application's own server" : "the platform");
    append_definition(html, "Operation", route.name);
    html += "</dl><pre>" + escape_html(make_curl_example(route)) + "</pre>";
    if (!route.request_schema.empty()) {
        html +=
            "<p class=\"soft\">Body, as JSON Schema:</p><pre>" + escape_html(route.request_schema) + "</pre>";
    }
    if (!route.response_schema.empty()) {
        html += "<p class=\"soft\">Response, as JSON Schema:</p><pre>" + escape_html(route.response_schema) +
                "</pre>";
    }
    html += "</div></details>\n";
}

constexpr std::string_view page_introduction = R"(<h1>Integreat</h1>
<p class="soft">Every route of this platform, generated from the route table.
<a href="/openapi.json">openapi.json</a> is the machine-readable form;
<a href="/problems">/problems</a> explains every error.</p>
<h2 id="begin">Getting started</h2>
<p>Sign in to your application with the Firebase SDK and send the ID token;
a server uses an API key instead.</p>
<pre>const token = await user.getIdToken();
await fetch("http://localhost:8080/v1/apps/campus/me", {
  headers: { Authorization: `Bearer ${token}` },
});</pre>
<p>Each response has an <code>Integreat-Request-Id</code>. After an error,
an operator finds the exact reason with
<code>integreat why REQUEST_ID</code>. The <code>RateLimit</code> header
shows the remaining requests. Repeat a POST
safely by sending the same <code>Idempotency-Key</code>.</p>
)";

}  // namespace

std::string escape_html(std::string_view text) {
    std::string html;
    for (char c : text) {
        switch (c) {
            case '&': html += "&amp;"; break;
            case '<': html += "&lt;"; break;
            case '>': html += "&gt;"; break;
            case '"': html += "&quot;"; break;
            default: html += c;
        }
    }
    return html;
}

std::string html_page(std::string_view title, const std::string& body) {
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>" +
           escape_html(title) + "</title><style>" + std::string(page_style) +
           "</style></head><body><main>\n" + body + "</main></body></html>\n";
}

std::string_view html_style() {
    return page_style;
}

std::string docs_page(const std::vector<http::Route>& routes) {
    std::map<std::string, std::string> apps;
    for (const auto& route : routes)
        append_route(apps[route.tenant.text], route);
    std::string platform = std::move(apps[platform_tenant.text]);
    apps.erase(platform_tenant.text);
    std::string body(page_introduction);
    body += "<nav>";
    for (const auto& [app, unused] : apps)
        body += "<a href=\"#" + escape_html(app) + "\">" + escape_html(app) + "</a>";
    body += "<a href=\"#platform\">the platform</a></nav>\n";
    for (const auto& [app, listed] : apps) {
        body += "<h2 id=\"" + escape_html(app) + "\">" + escape_html(app) + "</h2>\n" + listed;
    }
    return html_page("Integreat: routes", body + "<h2 id=\"platform\">The platform</h2>\n" + platform);
}

std::string problems_page() {
    std::string body =
        "<h1>Problems</h1><p class=\"soft\">Each error is <code>application/problem+json</code>; its "
        "<code>type</code> ends with one of these. <a href=\"/docs\">All routes</a></p><table>"
        "<tr><th>type</th><th>status</th><th>meaning</th></tr>";
    for (const auto& problem : http::problem_definitions()) {
        std::string slug(problem.slug);
        body += "<tr><td><a href=\"/problems/" + slug + "\"><code>" + slug + "</code></a></td><td>" +
                std::to_string(problem.status) + "</td><td>" + escape_html(problem.meaning) + "</td></tr>\n";
    }
    return html_page("Integreat: problems", body + "</table>");
}

std::string problem_page(const http::ProblemDefinition& problem) {
    return html_page(problem.title, "<p class=\"soft\"><a href=\"/problems\">Problems</a> · status " +
                                        std::to_string(problem.status) + "</p><h1>" +
                                        escape_html(problem.title) + "</h1><p><code>" +
                                        std::string(problem.slug) + "</code></p><h2>Meaning</h2><p>" +
                                        escape_html(problem.meaning) + "</p><h2>Fix</h2><p>" +
                                        escape_html(problem.remedy) + "</p>\n");
}

}  // namespace integreat::gateway
