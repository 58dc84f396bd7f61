// SPDX-License-Identifier: Apache-2.0
#include "crypto/crc.h"

#include <gtest/gtest.h>

#include "crypto/encoding.h"
#include "crypto/hasher.h"

namespace integreat::crypto {
namespace {

std::uint64_t sum(Crc crc, std::string_view bytes) {
    CrcSum running(crc);
    running.update(bytes);
    return running.value();
}

TEST(CrcTest, GivesTheCheckValuesOfTheCatalogue) {
    EXPECT_EQ(sum(Crc::crc32, "123456789"), 0xCBF43926u);
    EXPECT_EQ(sum(Crc::crc32c, "123456789"), 0xE3069283u);
    EXPECT_EQ(sum(Crc::crc64nvme, "123456789"), 0xAE8B14860A799888u);
    EXPECT_EQ(sum(Crc::crc32, ""), 0u);
}

TEST(CrcTest, GivesWhatTheClientsOfS3Send) {
    EXPECT_EQ(base64_encode(crc_bytes(Crc::crc32, sum(Crc::crc32, "hello world"))), "DUoRhQ==");
    EXPECT_EQ(base64_encode(crc_bytes(Crc::crc32, 0)), "AAAAAA==");
    EXPECT_EQ(crc_bytes(Crc::crc64nvme, 1), std::string("\0\0\0\0\0\0\0\1", 8));
}

TEST(CrcTest, PiecesOfAnySizeGiveTheSameSum) {
    std::string bytes;
    for (int i = 0; i < 1000; ++i)
        bytes += static_cast<char>(i * 7);
    for (auto crc : {Crc::crc32, Crc::crc32c, Crc::crc64nvme}) {
        for (std::size_t piece : {1u, 3u, 8u, 13u, 64u}) {
            CrcSum running(crc);
            for (std::size_t at = 0; at < bytes.size(); at += piece)
                running.update(std::string_view(bytes).substr(at, piece));
            EXPECT_EQ(running.value(), sum(crc, bytes)) << piece;
        }
    }
}

TEST(CrcTest, SumsOfNeighboursCombine) {
    std::string whole(100'000, 'x');
    for (std::size_t i = 0; i < whole.size(); ++i)
        whole[i] = static_cast<char>(i * i + i);
    std::string_view all = whole;
    for (auto crc : {Crc::crc32, Crc::crc32c, Crc::crc64nvme}) {
        for (std::size_t cut : {0u, 1u, 7u, 50'000u, 99'999u, 100'000u}) {
            auto combined =
                crc_combine(crc, sum(crc, all.substr(0, cut)), sum(crc, all.substr(cut)), whole.size() - cut);
            EXPECT_EQ(combined, sum(crc, all)) << cut;
        }
    }
}

TEST(HasherTest, GivesTheValuesOfTheStandards) {
    EXPECT_EQ(hex_encode(hash_of(Hash::md5, "abc")), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(hex_encode(hash_of(Hash::sha1, "abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(hex_encode(hash_of(Hash::sha256, "")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(HasherTest, PiecesGiveTheSameAndItStartsAnewAfterwards) {
    Hasher hasher(Hash::sha256);
    hasher.update("a");
    hasher.update("bc");
    EXPECT_EQ(hasher.finish(), hash_of(Hash::sha256, "abc"));
    hasher.update("abc");
    EXPECT_EQ(hasher.finish(), hash_of(Hash::sha256, "abc"));
}

}  // namespace
}  // namespace integreat::crypto
