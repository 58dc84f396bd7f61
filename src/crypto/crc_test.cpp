// SPDX-License-Identifier: Apache-2.0
#include "crypto/crc.h"

#include <gtest/gtest.h>

#include "crypto/encoding.h"

namespace integreat::crypto {
namespace {

std::uint64_t sum(Crc crc, std::string_view bytes) {
    CrcSum running(crc);
    running.update(bytes);
    return running.value();
}

TEST(Crc, MatchesTheCheckValuesOfTheCatalogue) {
    EXPECT_EQ(sum(Crc::crc32, "123456789"), 0xCBF43926u);
    EXPECT_EQ(sum(Crc::crc32c, "123456789"), 0xE3069283u);
    EXPECT_EQ(sum(Crc::crc64nvme, "123456789"), 0xAE8B14860A799888u);
    EXPECT_EQ(sum(Crc::crc32, ""), 0u);
}

TEST(Crc, MatchesTheValuesOfS3Clients) {
    EXPECT_EQ(base64_encode(crc_bytes(Crc::crc32, sum(Crc::crc32, "hello world"))), "DUoRhQ==");
    EXPECT_EQ(base64_encode(crc_bytes(Crc::crc32, 0)), "AAAAAA==");
    EXPECT_EQ(crc_bytes(Crc::crc64nvme, 1), std::string("\0\0\0\0\0\0\0\1", 8));
}

TEST(Crc, DoesNotDependOnChunkBoundaries) {
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

TEST(Crc, CombinesAdjacentSums) {
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

}  // namespace
}  // namespace integreat::crypto
