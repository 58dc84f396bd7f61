// SPDX-License-Identifier: Apache-2.0
// Test support: writes a key and a self-signed certificate as PEM files.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace integreat::net {

struct TestCertificate {
    std::string common_name;
    std::string alternative_names;  // Subject alternative names: "DNS:localhost,IP:127.0.0.1"; empty: none.
    long seconds_left = 3600;       // Remaining validity in seconds; negative: expired.
};

inline void write_certificate(const TestCertificate& settings, const std::string& certificate_file,
                              const std::string& key_file) {
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), settings.seconds_left);
    X509_set_pubkey(certificate.get(), key.get());
    auto* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(settings.common_name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(certificate.get(), name);
    if (!settings.alternative_names.empty()) {
        std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> names(
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, settings.alternative_names.c_str()),
            X509_EXTENSION_free);
        ASSERT_EQ(X509_add_ext(certificate.get(), names.get(), -1), 1);
    }
    ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);

    std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new_file(certificate_file.c_str(), "w"), BIO_free);
    ASSERT_EQ(PEM_write_bio_X509(out.get(), certificate.get()), 1);
    out.reset(BIO_new_file(key_file.c_str(), "w"));
    ASSERT_EQ(PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
}

}  // namespace integreat::net
