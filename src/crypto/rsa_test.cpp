// SPDX-License-Identifier: Apache-2.0
#include "crypto/rsa.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "crypto/testing/rsa_key.h"

namespace integreat::crypto {
namespace {

using testing::HasSubstr;

TEST(Rsa, VerifiesOnlyWhatItSigned) {
    auto public_key = test_rsa_key().public_key();
    auto signature = test_rsa_key().sign_rs256("text");
    EXPECT_EQ(signature.size(), 256u);
    EXPECT_TRUE(public_key.verify_rs256("text", signature));
    EXPECT_FALSE(public_key.verify_rs256("texT", signature));
    EXPECT_FALSE(public_key.verify_rs256("text", ""));
    EXPECT_FALSE(public_key.verify_rs256("text", signature.substr(1)));
    EXPECT_FALSE(public_key.verify_rs256("text", '\0' + signature));
    EXPECT_FALSE(public_key.verify_rs256("text", signature + '\0'));
    EXPECT_FALSE(public_key.verify_rs256("text", std::string(256, '\0')));
    EXPECT_FALSE(public_key.verify_rs256("text", std::string(256, '\xFF')));
    for (std::size_t i = 0; i < signature.size(); i += 17) {
        auto changed = signature;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(public_key.verify_rs256("text", changed));
    }
    EXPECT_FALSE(RsaPrivateKey::generate()->public_key().verify_rs256("text", signature));
}

TEST(Rsa, ConvertsToPemAndNumbersAndBack) {
    auto public_key = test_rsa_key().public_key();
    EXPECT_EQ(*RsaPublicKey::from_pem(public_key.to_pem()), public_key);
    EXPECT_EQ(*RsaPublicKey::from_numbers(public_key.modulus(), public_key.exponent()), public_key);
    EXPECT_EQ(public_key.exponent(), std::string("\x01\x00\x01", 3));
    auto again = RsaPrivateKey::from_pem(test_rsa_key().to_pem());
    ASSERT_TRUE(again);
    EXPECT_THAT(test_rsa_key().to_pem().reveal(), HasSubstr("BEGIN PRIVATE KEY"));
    EXPECT_TRUE(public_key.verify_rs256("text", again->sign_rs256("text")));
}

TEST(Rsa, RejectsWeakExpensiveAndInvalidKeys) {
    EXPECT_THAT(RsaPrivateKey::generate(1024).error().message, HasSubstr("2048 to 8192 bits"));
    auto modulus = test_rsa_key().public_key().modulus();
    std::string three = "\x03";
    EXPECT_THAT(RsaPublicKey::from_numbers(modulus.substr(0, 128), three).error().message,
                HasSubstr("1024 bits"));
    EXPECT_THAT(RsaPublicKey::from_numbers(modulus, "\x01").error().message,
                HasSubstr("exponent must be odd"));
    EXPECT_THAT(RsaPublicKey::from_numbers(modulus, "\x04").error().message,
                HasSubstr("exponent must be odd"));
    EXPECT_THAT(RsaPublicKey::from_numbers(modulus, std::string(9, '\x11')).error().message,
                HasSubstr("too long"));
    EXPECT_THAT(RsaPublicKey::from_numbers(std::string(2000, '\xFF'), three).error().message,
                HasSubstr("too long"));
    EXPECT_FALSE(RsaPublicKey::from_numbers("", ""));
    EXPECT_THAT(RsaPublicKey::from_pem("").error().message, HasSubstr("not a public key in PEM"));
    EXPECT_THAT(RsaPrivateKey::from_pem(Secret("x")).error().message,
                HasSubstr("not an unencrypted private key"));
}

TEST(Rsa, RejectsEllipticCurveKeys) {
    auto elliptic = RsaPublicKey::from_pem(
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
        "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n"
        "-----END PUBLIC KEY-----\n");
    ASSERT_FALSE(elliptic);
    EXPECT_EQ(elliptic.error().message, "the key is not an RSA key");
}

TEST(Rsa, IsThreadSafe) {
    auto public_key = test_rsa_key().public_key();
    auto signature = test_rsa_key().sign_rs256("text");
    std::atomic<int> verified{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 50; ++round)
                verified += public_key.verify_rs256("text", signature);
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(verified, 200);
}

TEST(Certificate, ConvertsToPemAndBack) {
    FixedRandom random;
    auto pem = make_certificate(test_rsa_key(),
                                {.common_name = "securetoken.localhost",
                                 .not_before = from_unix_seconds(1'795'000'000),
                                 .not_after = from_unix_seconds(1'796'000'000)},
                                random);
    auto parsed = parse_certificate(pem);
    ASSERT_TRUE(parsed) << parsed.error().cause;
    EXPECT_EQ(parsed->key, test_rsa_key().public_key());
    EXPECT_EQ(parsed->not_before, from_unix_seconds(1'795'000'000));
    EXPECT_EQ(parsed->not_after, from_unix_seconds(1'796'000'000));
    EXPECT_EQ(parsed->common_name, "securetoken.localhost");
}

TEST(Certificate, RejectsInvalidCertificates) {
    FixedRandom random;
    auto pem =
        make_certificate(test_rsa_key(), {.common_name = "x", .not_before = {}, .not_after = {}}, random);
    EXPECT_THAT(parse_certificate("").error().message, HasSubstr("not a certificate in PEM"));
    EXPECT_FALSE(parse_certificate(test_rsa_key().public_key().to_pem()));
    EXPECT_FALSE(parse_certificate(pem.substr(0, pem.size() / 2)));
    EXPECT_THAT(parse_certificate(std::string(70'000, 'x')).error().message, HasSubstr("longer than 65536"));
}

}  // namespace
}  // namespace integreat::crypto
