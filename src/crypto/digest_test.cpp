// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include <gtest/gtest.h>

#include "crypto/encoding.h"
#include "crypto/scrypt.h"

namespace integreat::crypto {
namespace {

std::string hex(const Sha256& digest) {
    return hex_encode(as_view(digest));
}

TEST(Digest, AgreesWithTheVectorsOfFips180) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, AgreesWithTheHmacVectorsOfRfc4231) {
    EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(hmac_sha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Scrypt, AgreesWithTheVectorsOfRfc7914) {
    // The first 32 of the 64 bytes in section 12: scrypt's output of a shorter length is a prefix.
    EXPECT_EQ(hex(*scrypt(Secret("password"), "NaCl", {.log2_n = 10, .r = 8, .p = 16})),
              "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
    EXPECT_EQ(hex(*scrypt(Secret("pleaseletmein"), "SodiumChloride", {.log2_n = 14, .r = 8, .p = 1})),
              "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
    EXPECT_TRUE(scrypt(Secret(), "", {.log2_n = 4, .r = 1, .p = 1}));
}

TEST(Scrypt, RefusesACostThatWouldStopTheMachine) {
    for (ScryptCost cost :
         {ScryptCost{.log2_n = 0}, ScryptCost{.log2_n = 21}, ScryptCost{.r = 0}, ScryptCost{.r = 33},
          ScryptCost{.p = 0}, ScryptCost{.p = 17}, ScryptCost{.log2_n = 20, .r = 8}}) {
        auto key = scrypt(Secret("x"), "salt", cost);
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().fault, Fault::invalid);
    }
}

}  // namespace
}  // namespace integreat::crypto
