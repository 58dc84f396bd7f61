// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "postgres/driver/connection.h"

namespace integreat::postgres {

namespace {

// Debian's bundle of certificate authorities; `sslrootcert=system` exists only from libpq 16 on.
constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";

bool on_this_machine(std::string_view host) {
    return host.empty() || host.starts_with('/') || host.starts_with('@') || host == "localhost" ||
           host == "127.0.0.1" || host == "::1";
}

}  // namespace

std::string ConnectOptions::find(std::string_view name) const {
    for (const auto& [key, value] : all) {
        if (key == name) return value;
    }
    return {};
}

Result<ConnectOptions> connect_options(const Secret& url) {
    char* complaint = nullptr;
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
        PQconninfoParse(url.reveal().c_str(), &complaint), &PQconninfoFree);
    // The complaint is not repeated: it may quote the password.
    if (complaint) PQfreemem(complaint);
    if (!parsed) {
        return Error{Fault::invalid,
                     "the database URL cannot be read: expected postgresql://user:password@host/database",
                     "PQconninfoParse refused it"};
    }
    ConnectOptions options;
    for (auto* option = parsed.get(); option->keyword; ++option) {
        if (option->val && *option->val) options.all.emplace_back(option->keyword, option->val);
    }
    auto otherwise = [&](std::string_view name, std::string value) {
        if (options.find(name).empty()) options.all.emplace_back(name, std::move(value));
    };
    if (!on_this_machine(options.find("host"))) {
        otherwise("sslmode", "verify-full");
        if (options.find("sslmode").starts_with("verify")) otherwise("sslrootcert", system_certificates);
        otherwise("keepalives_idle", "30");
        otherwise("tcp_user_timeout", "30000");
    }
    otherwise("application_name", "integreat");
    otherwise("client_encoding", "UTF8");
    return options;
}

}  // namespace integreat::postgres
