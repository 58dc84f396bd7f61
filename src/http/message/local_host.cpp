// SPDX-License-Identifier: Apache-2.0
#include "http/message/local_host.h"

#include "base/text/ascii.h"

namespace integreat::http {

namespace {

bool is_loopback(std::string_view host) {
    if (host.starts_with("[::1]")) return host.size() == 5 || host[5] == ':';
    auto name = host.substr(0, host.find(':'));
    return name == "127.0.0.1" || iequals(name, "localhost");
}

}  // namespace

bool names_this_machine(const Request& request) {
    auto origin = request.headers.value("Origin");
    auto scheme = origin.find("://");
    auto host = scheme == std::string_view::npos ? origin : origin.substr(scheme + 3);
    return is_loopback(request.headers.value("Host")) && (origin.empty() || is_loopback(host));
}

}  // namespace integreat::http
