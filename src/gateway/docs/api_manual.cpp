// SPDX-License-Identifier: Apache-2.0
#include "gateway/docs/api_manual.h"

#include "gateway/docs/openapi.h"
#include "gateway/docs/route_description.h"
#include "http/message/problem_catalogue.h"

namespace integreat::gateway {

namespace {

constexpr std::string_view introduction = R"(# The HTTP API

Written by `integreat routes --manual` from the table that serves the routes; change the sentences where the
routes are declared, in `src/gateway/`. A running platform says the same, and the routes of its own apps
besides, on its page `/docs` and to machines in `/openapi.json`.

## How to call it

```
curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/v1/apps/campus/me
```

`$TOKEN` is the Firebase ID token of a signed-in user (`await user.getIdToken()`), or an API key
(`integreat key create`). Bodies are JSON unless a route says otherwise. Paths are compared letter by letter,
every GET route answers HEAD too, and OPTIONS is answered for you.

| field of a request | meaning |
| --- | --- |
| `Authorization` | `Bearer`, one space, and the ID token or API key. |
| `Idempotency-Key` | Best a UUID: sent again with the same key, a request is not done twice. |
| `traceparent` | The caller's trace (W3C Trace Context); it goes on to the app's own servers. |

| field of an answer | meaning |
| --- | --- |
| `Integreat-Request-Id` | Of every answer. `integreat why ID` explains a refusal. |
| `RateLimit`, `RateLimit-Policy` | What is left of the caller's limit, and the limit. |
| `Retry-After` | After how many seconds to try again: with 429 and 503. |
| `Idempotent-Replayed` | `true`: this is the first answer to this `Idempotency-Key`, again. |
| `WWW-Authenticate` | With 401: what proves who is asking. |
| `Allow` | With 405 and to OPTIONS: the methods that the path has. |

What an app's own server is told of its caller: `Integreat-Request-Id`, `Integreat-Tenant`,
`Integreat-Subject`, `Integreat-Role`, `traceparent`, `X-Forwarded-For`, `X-Forwarded-Proto` and
`X-Forwarded-Host`. Whatever a client sends under these names does not reach it.

Every error is `application/problem+json` (RFC 9457): its `type` is one of the [problems](#problems) below and
stays what it is, `detail` says what to change, `errors` where in the body, and `request_id` is for whoever
operates the platform.

)";

constexpr std::string_view apps_introduction = R"(## Every app

`{app}` is the short name of an app, as its manifest has it. A token or key of one app is refused (403) by
every other. Limits are those of a manifest that sets none.

)";

constexpr std::string_view relays = R"(
The other routes below `/v1/apps/{app}/` are those of its manifest ([manifests.md](manifests.md)): they are
relayed to the app's own servers, with the bodies streamed both ways, WebSockets and event streams included.
`integreat routes --app NAME` lists them.

)";

constexpr std::string_view platform_introduction = R"(## The platform

)";

constexpr std::string_view operators_introduction = R"(
## For operators

For users of the platform's own Firebase project (`identity.operators_project`) with the role `admin`, and for
API keys of the platform. `integreat why` and `integreat key` call these for you.

)";

constexpr std::string_view table_head = "| route | who may | what it does |\n| --- | --- | --- |\n";

// A vertical bar would end the cell.
std::string cell(std::string_view text) {
    std::string safe;
    for (char c : text)
        safe += c == '|' ? "\\|" : std::string(1, c);
    return safe;
}

std::string heading(const http::Route& route) {
    return "`" + std::string(to_string(route.method)) + " " + route.pattern + "`";
}

std::string row_of(const http::Route& route) {
    return "| " + heading(route) + " | " + cell(who_may(route.access)) + " | " + cell(route.summary) +
           ". |\n";
}

std::string block(std::string_view words, const std::string& schema) {
    return schema.empty() ? "" : "\n" + std::string(words) + "\n\n```json\n" + schema + "\n```\n";
}

// What the table has no room for; nothing for a route that only has its defaults.
std::string details_of(const http::Route& route) {
    if (route.request_schema.empty() && route.response_schema.empty()) return {};
    std::string text = "\n" + heading(route) + ": ";
    auto limit = limit_text(route.limit);
    text += limit.empty() ? "no limit" : limit;
    if (route.body_bytes_max > 0) text += "; a body of at most " + bytes_text(route.body_bytes_max);
    if (route.idempotency == http::Idempotency::accepted) text += "; `Idempotency-Key` is honoured";
    if (route.idempotency == http::Idempotency::required) text += "; `Idempotency-Key` is required";
    return text + ".\n" + block("Body:", route.request_schema) + block("Answer:", route.response_schema);
}

using Chosen = bool (*)(const http::Route&);

std::string section(const std::vector<http::Route>& routes, Chosen chosen) {
    std::string table(table_head), details;
    for (const auto& route : routes) {
        if (!chosen(route)) continue;
        table += row_of(route);
        details += details_of(route);
    }
    return table + details;
}

bool of_platform(const http::Route& route) {
    return route.tenant == platform_tenant;
}

bool for_operators(const http::Route& route) {
    return route.access.who == http::Access::Who::operators;
}

std::string problems_section() {
    std::string text =
        "\n## Problems\n\n`GET /problems/{type}` says what to do about each.\n\n"
        "| type | status | meaning |\n| --- | --- | --- |\n";
    for (const auto& kind : http::problem_kinds()) {
        text += "| `/problems/" + std::string(kind.slug) + "` | " + std::to_string(kind.status) + " | " +
                cell(kind.title) + ". " + cell(kind.meaning) + " |\n";
    }
    return text;
}

}  // namespace

std::string api_manual(const std::vector<http::Route>& routes) {
    std::string page(introduction);
    page += apps_introduction;
    page += section(routes, [](const http::Route& route) { return !of_platform(route); });
    page += relays;
    page += platform_introduction;
    page +=
        section(routes, [](const http::Route& route) { return of_platform(route) && !for_operators(route); });
    page += operators_introduction;
    page +=
        section(routes, [](const http::Route& route) { return of_platform(route) && for_operators(route); });
    return page + problems_section();
}

}  // namespace integreat::gateway
