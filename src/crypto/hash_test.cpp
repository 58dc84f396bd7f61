// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <gtest/gtest.h>

#include "crypto/encoding.h"

namespace integreat::crypto {
namespace {

std::string hex(const Sha256& digest) {
    return hex_encode(as_view(digest));
}

TEST(Hash, MatchesTheVectorsOfFips180) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hash, MatchesTheHmacVectorsOfRfc4231) {
    EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(hmac_sha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hash, MatchesSha1AndMd5Vectors) {
    EXPECT_EQ(hex_encode(hash(HashAlgorithm::md5, "abc")), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(hex_encode(hash(HashAlgorithm::sha1, "abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(hash(HashAlgorithm::sha256, "abc"), as_view(sha256("abc")));
}

TEST(Hash, HashesIncrementallyAndRestarts) {
    Hasher hasher(HashAlgorithm::sha256);
    for (int i = 0; i < 2; ++i) {
        hasher.update("a");
        hasher.update("bc");
        EXPECT_EQ(hasher.finish(), hash(HashAlgorithm::sha256, "abc"));
    }
}

}  // namespace
}  // namespace integreat::crypto
