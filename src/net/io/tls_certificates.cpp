// SPDX-License-Identifier: Apache-2.0
#include "net/io/tls_certificates.h"

#include <string_view>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/log.h"

namespace integreat::net {

namespace {

std::string last_openssl_error() {
    auto code = ERR_peek_last_error();
    ERR_clear_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    return reason ? reason : "unknown reason";
}

Error make_error(const std::string& message) {
    return {Fault::invalid, message, last_openssl_error()};
}

// RFC 7301: HTTP/1.1 is the only supported protocol. The handshake fails for a client that offers only
// others.
int select_alpn(SSL*, const unsigned char** chosen, unsigned char* chosen_length,
                const unsigned char* offered, unsigned int offered_length, void*) {
    static constexpr std::string_view supported = "\x08http/1.1";
    auto* out = const_cast<unsigned char*>(*chosen);
    auto* client_protocols = reinterpret_cast<const unsigned char*>(supported.data());
    auto result = SSL_select_next_proto(&out, chosen_length, client_protocols, supported.size(), offered,
                                        offered_length);
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = out;
    return SSL_TLSEXT_ERR_OK;
}

Result<std::shared_ptr<ssl_ctx_st>> make_context(const std::string& certificate_file,
                                                 const std::string& key_file) {
    ERR_clear_error();
    std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    if (!context) return make_error("TLS is not available");
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
        return make_error("OpenSSL supports none of the required TLS ciphers");
    }
    SSL_CTX_set_alpn_select_cb(context.get(), select_alpn, nullptr);
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
        return make_error("cannot read a PEM certificate chain from " + certificate_file);
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        return make_error("cannot read the PEM key of the certificate " + certificate_file + " from " +
                          key_file);
    }
    if (SSL_CTX_check_private_key(context.get()) != 1) {
        return make_error("the key in " + key_file + " does not match the certificate " + certificate_file);
    }
    return context;
}

}  // namespace

Result<std::unique_ptr<TlsCertificates>> TlsCertificates::load(std::string certificate_file,
                                                               std::string key_file) {
    std::unique_ptr<TlsCertificates> certificates(
        new TlsCertificates(std::move(certificate_file), std::move(key_file)));
    *certificates->current_.lock() =
        TRY(make_context(certificates->certificate_file_, certificates->key_file_));
    return certificates;
}

Result<> TlsCertificates::reload() {
    auto context = make_context(certificate_file_, key_file_);
    if (!context) {
        log({.level = Level::error,
             .message = "TLS certificate not reloaded, the current one stays in use",
             .fields = {{"error", context.error().message}, {"cause", context.error().cause}}});
        return std::move(context).error();
    }
    *current_.lock() = *std::move(context);
    log({.level = Level::info,
         .message = "TLS certificate reloaded",
         .fields = {{"file", certificate_file_}}});
    return {};
}

}  // namespace integreat::net
