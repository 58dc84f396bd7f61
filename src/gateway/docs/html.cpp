// SPDX-License-Identifier: Apache-2.0
#include "gateway/docs/html.h"

namespace integreat::gateway {

namespace {

constexpr std::string_view style = R"(
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

}  // namespace

std::string escaped(std::string_view text) {
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
           escaped(title) + "</title><style>" + std::string(style) + "</style></head><body><main>\n" + body +
           "</main></body></html>\n";
}

std::string_view html_style() {
    return style;
}

}  // namespace integreat::gateway
