// SPDX-License-Identifier: Apache-2.0
#include "crypto/scrypt.h"

#include <gtest/gtest.h>

#include "crypto/encoding.h"

namespace integreat::crypto {
namespace {

TEST(Scrypt, MatchesTheVectorsOfRfc7914) {
    // The first 32 of the 64 bytes in section 12: a shorter output of scrypt is a prefix.
    EXPECT_EQ(hex_encode(as_view(*scrypt(Secret("password"), "NaCl", {.log2_n = 10, .r = 8, .p = 16}))),
              "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
    EXPECT_EQ(hex_encode(as_view(
                  *scrypt(Secret("pleaseletmein"), "SodiumChloride", {.log2_n = 14, .r = 8, .p = 1}))),
              "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
    EXPECT_TRUE(scrypt(Secret(), "", {.log2_n = 4, .r = 1, .p = 1}));
}

TEST(Scrypt, RejectsExcessiveCosts) {
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
