// SPDX-License-Identifier: Apache-2.0
// The certificate the server shows, from files that may be replaced while it runs (as ACME clients do).
// TLS 1.2 with forward-secret AEAD ciphers, TLS 1.3, ALPN "http/1.1".
#pragma once

#include <memory>
#include <string>

#include "base/concurrency/synchronized.h"
#include "base/result.h"

struct ssl_ctx_st;

namespace integreat::net {

class Certificates {
public:
    static Result<std::unique_ptr<Certificates>> load(std::string certificate_file, std::string key_file);

    // Reads the files again. On an error the present certificate stays.
    Result<> reload();

    // For the next handshake; connections keep the one they began with.
    std::shared_ptr<ssl_ctx_st> current() { return *current_.lock(); }

private:
    Certificates(std::string certificate_file, std::string key_file)
        : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

    std::string certificate_file_;
    std::string key_file_;
    Guarded<std::shared_ptr<ssl_ctx_st>> current_;
};

}  // namespace integreat::net
