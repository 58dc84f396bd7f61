// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include <array>
#include <ctime>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/openssl.h"

namespace integreat::crypto {

namespace {

constexpr std::size_t pem_bytes_max = 64 * 1024;

Result<Time> time_of(const ASN1_TIME* asn1) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(asn1, &parts) != 1) {
        return openssl_error(Fault::invalid, "the certificate's validity is not a time");
    }
    return from_unix_seconds(timegm(&parts));
}

std::string common_name_of(const X509* certificate) {
    const auto* subject = X509_get_subject_name(certificate);
    int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0) return {};
    unsigned char* utf8 = nullptr;
    int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (length < 0) {
        ERR_clear_error();
        return {};
    }
    std::string name(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(length));
    OPENSSL_free(utf8);
    return name;
}

void set_name(X509* certificate, const std::string& common_name) {
    auto* name = X509_get_subject_name(certificate);
    ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(common_name.data()),
                                      static_cast<int>(common_name.size()), -1, 0) == 1);
    ASSERT(X509_set_issuer_name(certificate, name) == 1);
}

void set_serial(X509* certificate, Random& random) {
    std::array<std::byte, 16> bytes;
    random.fill(bytes);
    bytes[0] = (bytes[0] & std::byte{0x7F}) | std::byte{0x40};  // Positive, and of full length.
    std::unique_ptr<BIGNUM, Free<BN_free>> number(
        BN_bin2bn(reinterpret_cast<unsigned char*>(bytes.data()), int(bytes.size()), nullptr));
    ASSERT(number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)));
}

}  // namespace

Result<Certificate> parse_certificate(std::string_view pem) {
    if (pem.size() > pem_bytes_max)
        return Error{Fault::invalid, "the certificate is longer than 65536 bytes", ""};
    auto bio = read_only_bio(pem);
    CertificatePointer certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) return openssl_error(Fault::invalid, "not a certificate in PEM (BEGIN CERTIFICATE)");
    std::shared_ptr<EVP_PKEY> key(X509_get_pubkey(certificate.get()), EVP_PKEY_free);
    if (!key) return openssl_error(Fault::invalid, "the certificate's key cannot be read");
    auto not_before = TRY(time_of(X509_get0_notBefore(certificate.get())));
    auto not_after = TRY(time_of(X509_get0_notAfter(certificate.get())));
    auto public_key = TRY(RsaPublicKey::from_openssl(std::move(key)));
    return Certificate{std::move(public_key), not_before, not_after, common_name_of(certificate.get())};
}

std::string make_certificate(const RsaPrivateKey& key, const CertificateRequest& request, Random& random) {
    CertificatePointer certificate(X509_new());
    ASSERT(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
    set_serial(certificate.get(), random);
    set_name(certificate.get(), request.common_name);
    ASSERT(ASN1_TIME_set(X509_getm_notBefore(certificate.get()), unix_seconds(request.not_before)));
    ASSERT(ASN1_TIME_set(X509_getm_notAfter(certificate.get()), unix_seconds(request.not_after)));
    ASSERT(X509_set_pubkey(certificate.get(), key.openssl()) == 1);
    ASSERT(X509_sign(certificate.get(), key.openssl(), fetched_sha256()) > 0);
    BioPointer bio(BIO_new(BIO_s_mem()));
    ASSERT(bio && PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
    return bio_text(bio.get());
}

}  // namespace integreat::crypto
