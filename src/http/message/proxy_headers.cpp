// SPDX-License-Identifier: Apache-2.0
#include "http/message/proxy_headers.h"

#include "base/text/ascii.h"

namespace integreat::http {

namespace {

bool is_multi_valued(std::string_view name) {
    return iequals(name, "Set-Cookie") || iequals(name, "Vary") || iequals(name, "Link");
}

bool is_cors_header(std::string_view name) {
    constexpr std::string_view prefix = "Access-Control-";
    return name.size() > prefix.size() && iequals(name.substr(0, prefix.size()), prefix);
}

}  // namespace

bool is_forwardable(std::string_view name, const Headers& ours) {
    if (is_cors_header(name)) return false;
    return !ours.contains(name) || is_multi_valued(name);
}

}  // namespace integreat::http
