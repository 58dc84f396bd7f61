// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/connect_options.h"

#include <memory>

#include <libpq-fe.h>

namespace integreat::postgres {

namespace {

// Debian's bundle of certificate authorities; `sslrootcert=system` exists only from libpq 16 on.
constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";

bool is_local_host(std::string_view host) {
    return host.empty() || host.starts_with('/') || host.starts_with('@') || host == "localhost" ||
           host == "127.0.0.1" || host == "::1";
}

}  // namespace

std::string ConnectOptions::find(std::string_view name) const {
    for (const auto& [key, value] : options) {
        if (key == name) return value;
    }
    return {};
}

Result<ConnectOptions> parse_connect_options(const Secret& url) {
    char* message = nullptr;
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
        PQconninfoParse(url.reveal().c_str(), &message), &PQconninfoFree);
    // The message is discarded: it may quote the password.
    if (message) PQfreemem(message);
    if (!parsed) {
        return Error{Fault::invalid,
                     "the database URL cannot be read: expected postgresql://user:password@host/database",
                     "PQconninfoParse failed"};
    }
    ConnectOptions options;
    for (auto* option = parsed.get(); option->keyword; ++option) {
        if (option->val && *option->val) options.options.emplace_back(option->keyword, option->val);
    }
    auto set_default = [&](std::string_view name, std::string value) {
        if (options.find(name).empty()) options.options.emplace_back(name, std::move(value));
    };
    if (!is_local_host(options.find("host"))) {
        set_default("sslmode", "verify-full");
        if (options.find("sslmode").starts_with("verify")) set_default("sslrootcert", system_certificates);
        set_default("keepalives_idle", "30");
        set_default("tcp_user_timeout", "30000");
    }
    set_default("application_name", "integreat");
    set_default("client_encoding", "UTF8");
    return options;
}

}  // namespace integreat::postgres
