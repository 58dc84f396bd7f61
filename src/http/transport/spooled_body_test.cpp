// SPDX-License-Identifier: Apache-2.0
#include "http/transport/spooled_body.h"

#include <filesystem>

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

namespace fs = std::filesystem;

std::string all_of(const Spool& spool, std::size_t piece_bytes) {
    std::string all, piece;
    for (;;) {
        EXPECT_TRUE(spool.read(all.size(), piece_bytes, piece));
        if (piece.empty()) return all;
        EXPECT_LE(piece.size(), piece_bytes);
        all += piece;
    }
}

std::string bytes(std::size_t count) {
    std::string text(count, '\0');
    for (std::size_t i = 0; i < count; ++i)
        text[i] = static_cast<char>(i * 31 + i / 251);
    return text;
}

TEST(Spool, KeepsASmallBodyInMemory) {
    Spool spool("/nonexistent");
    ASSERT_TRUE(spool.append("abc"));
    ASSERT_TRUE(spool.append(bytes(Spool::memory_bytes_max - 3)));
    EXPECT_EQ(spool.size(), Spool::memory_bytes_max);
    EXPECT_EQ(all_of(spool, 1'000), "abc" + bytes(Spool::memory_bytes_max - 3));
    EXPECT_EQ(all_of(spool, 1'000'000), "abc" + bytes(Spool::memory_bytes_max - 3));
}

TEST(Spool, KeepsALargeBodyInAFileWithoutAName) {
    auto folder = fs::temp_directory_path() / "integreat-spool-test";
    fs::create_directories(folder);
    {
        Spool spool(folder.string());
        auto body = bytes(3 * Spool::memory_bytes_max + 17);
        for (std::size_t at = 0; at < body.size(); at += 100'000)
            ASSERT_TRUE(spool.append(std::string_view(body).substr(at, 100'000)));
        EXPECT_EQ(spool.size(), body.size());
        EXPECT_TRUE(all_of(spool, 64 * 1024) == body);
        EXPECT_TRUE(all_of(spool, 64 * 1024) == body) << "a second time";
        EXPECT_TRUE(fs::is_empty(folder));
        std::string behind = "x";
        EXPECT_TRUE(spool.read(body.size() + 5, 10, behind));
        EXPECT_EQ(behind, "");
    }
    fs::remove_all(folder);
}

TEST(Spool, SaysWhenThereIsNoRoom) {
    Spool spool("/nonexistent");
    auto no = spool.append(bytes(Spool::memory_bytes_max + 1));
    ASSERT_FALSE(no);
    EXPECT_EQ(no.error().fault, Fault::unavailable);
    EXPECT_NE(no.error().cause.find("/nonexistent"), std::string::npos);
    EXPECT_EQ(no.error().message.find("/nonexistent"), std::string::npos) << "that is for the log";
}

}  // namespace
}  // namespace integreat::http
