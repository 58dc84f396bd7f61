// SPDX-License-Identifier: Apache-2.0
// The server's TLS certificate, loaded from files that may be replaced while the server runs (as ACME clients
// do). TLS 1.2 with forward-secret AEAD ciphers, TLS 1.3, ALPN "http/1.1".
#pragma once

#include <memory>
#include <string>

#include "base/concurrency/synchronized.h"
#include "base/result.h"

struct ssl_ctx_st;

namespace integreat::net {

class TlsCertificates {
public:
    static Result<std::unique_ptr<TlsCertificates>> load(std::string certificate_file, std::string key_file);

    // Reads the files again. On an error the current certificate stays in use.
    Result<> reload();

    // Returns the context for the next handshake; existing connections keep theirs.
    std::shared_ptr<ssl_ctx_st> current() { return *current_.lock(); }

private:
    TlsCertificates(std::string certificate_file, std::string key_file)
        : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

    std::string certificate_file_;
    std::string key_file_;
    Synchronized<std::shared_ptr<ssl_ctx_st>> current_;
};

}  // namespace integreat::net
