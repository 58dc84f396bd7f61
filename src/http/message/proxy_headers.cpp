// SPDX-License-Identifier: Apache-2.0
#include "http/message/proxy_headers.h"

namespace integreat::http {

namespace {

bool stands_beside(std::string_view name) {
    return equal_ignoring_case(name, "Set-Cookie") || equal_ignoring_case(name, "Vary") ||
           equal_ignoring_case(name, "Link");
}

bool about_cors(std::string_view name) {
    constexpr std::string_view start = "Access-Control-";
    return name.size() > start.size() && equal_ignoring_case(name.substr(0, start.size()), start);
}

}  // namespace

bool goes_on(std::string_view name, const Headers& ours) {
    if (about_cors(name)) return false;
    return !ours.contains(name) || stands_beside(name);
}

}  // namespace integreat::http
