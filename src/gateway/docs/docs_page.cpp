// SPDX-License-Identifier: Apache-2.0
#include "gateway/docs/docs_page.h"

#include <map>

#include "gateway/docs/html.h"
#include "gateway/docs/openapi.h"
#include "gateway/docs/route_description.h"

namespace integreat::gateway {

namespace {

using Who = http::Access::Who;

void row(std::string& html, std::string_view name, std::string_view value) {
    html.append("<dt>").append(name).append("</dt><dd>").append(escaped(value)).append("</dd>");
}

std::string example(const http::Route& route) {
    std::string command = "curl";
    if (route.method != http::Method::get) command += " -X " + std::string(to_string(route.method));
    if (route.access.who != Who::anyone) command += " -H \"Authorization: Bearer $TOKEN\"";
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
    html += "<details id=\"" + escaped(route.name) + "\"><summary><b class=\"m " + method + "\">" + method +
            "</b><code>" + escaped(openapi_path(route.pattern)) + "</code><span class=\"what\">" +
            escaped(route.summary) + "</span></summary><div><dl>";
    row(html, "Who may", who_may(route.access));
    if (auto limit = limit_text(route.limit); !limit.empty()) row(html, "Limit", limit);
    row(html, "Body", route.body_bytes_max == 0 ? "none" : "at most " + bytes_text(route.body_bytes_max));
    if (route.idempotency != http::Idempotency::off) {
        row(html, "Idempotency-Key",
            route.idempotency == http::Idempotency::required ? "required" : "honoured");
    }
    row(html, "Answered by", route.upstream ? "the application's own server" : "the platform");
    row(html, "Operation", route.name);
    html += "</dl><pre>" + escaped(example(route)) + "</pre>";
    if (!route.request_schema.empty()) {
        html += "<p class=\"soft\">Body, as JSON Schema:</p><pre>" + escaped(route.request_schema) + "</pre>";
    }
    if (!route.response_schema.empty()) {
        html +=
            "<p class=\"soft\">Answer, as JSON Schema:</p><pre>" + escaped(route.response_schema) + "</pre>";
    }
    html += "</div></details>\n";
}

constexpr std::string_view introduction = R"(<h1>Integreat</h1>
<p class="soft">Every route of this platform, from the table that serves them.
<a href="/openapi.json">openapi.json</a> says the same for machines;
<a href="/problems">/problems</a> explains every refusal.</p>
<h2 id="begin">Where to begin</h2>
<p>Sign in to your application with the Firebase SDK and send the ID token along;
a server uses an API key instead.</p>
<pre>const token = await user.getIdToken();
await fetch("http://localhost:8080/v1/apps/campus/me", {
  headers: { Authorization: `Bearer ${token}` },
});</pre>
<p>Each answer has an <code>Integreat-Request-Id</code>. If you were refused,
an operator sees the exact reason with
<code>integreat why REQUEST_ID</code>. What is left
of your limit is in the <code>RateLimit</code> field. Repeat a POST
safely by sending the same <code>Idempotency-Key</code>.</p>
)";

}  // namespace

std::string docs_page(const std::vector<http::Route>& routes) {
    std::map<std::string, std::string> apps;
    for (const auto& route : routes)
        append_route(apps[route.tenant.text], route);
    std::string platform = std::move(apps[platform_tenant.text]);
    apps.erase(platform_tenant.text);
    std::string body(introduction);
    body += "<nav>";
    for (const auto& [app, unused] : apps)
        body += "<a href=\"#" + escaped(app) + "\">" + escaped(app) + "</a>";
    body += "<a href=\"#platform\">the platform</a></nav>\n";
    for (const auto& [app, listed] : apps) {
        body += "<h2 id=\"" + escaped(app) + "\">" + escaped(app) + "</h2>\n" + listed;
    }
    return html_page("Integreat: routes", body + "<h2 id=\"platform\">The platform</h2>\n" + platform);
}

std::string problems_page() {
    std::string body =
        "<h1>Problems</h1><p class=\"soft\">Each error is <code>application/problem+json</code>; its "
        "<code>type</code> is one of these. <a href=\"/docs\">All routes</a></p><table>"
        "<tr><th>type</th><th>status</th><th>meaning</th></tr>";
    for (const auto& kind : http::problem_kinds()) {
        std::string slug(kind.slug);
        body += "<tr><td><a href=\"/problems/" + slug + "\"><code>" + slug + "</code></a></td><td>" +
                std::to_string(kind.status) + "</td><td>" + escaped(kind.meaning) + "</td></tr>\n";
    }
    return html_page("Integreat: problems", body + "</table>");
}

std::string problem_page(const http::ProblemKind& kind) {
    return html_page(kind.title, "<p class=\"soft\"><a href=\"/problems\">Problems</a> · status " +
                                     std::to_string(kind.status) + "</p><h1>" + escaped(kind.title) +
                                     "</h1><p><code>" + std::string(kind.slug) +
                                     "</code></p><h2>What it means</h2><p>" + escaped(kind.meaning) +
                                     "</p><h2>What to do</h2><p>" + escaped(kind.remedy) + "</p>\n");
}

}  // namespace integreat::gateway
