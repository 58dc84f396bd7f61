// SPDX-License-Identifier: Apache-2.0
#include "http/transport/spooled_body.h"

#include <filesystem>

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

namespace fs = std::filesystem;

std::string read_all(const SpooledBody& spool, std::size_t chunk_bytes) {
    std::string all, chunk;
    for (;;) {
        EXPECT_TRUE(spool.read(all.size(), chunk_bytes, chunk));
        if (chunk.empty()) return all;
        EXPECT_LE(chunk.size(), chunk_bytes);
        all += chunk;
    }
}

std::string bytes(std::size_t count) {
    std::string text(count, '\0');
    for (std::size_t i = 0; i < count; ++i)
        text[i] = static_cast<char>(i * 31 + i / 251);
    return text;
}

TEST(SpooledBody, KeepsASmallBodyInMemory) {
    SpooledBody spool("/nonexistent");
    ASSERT_TRUE(spool.append("abc"));
    ASSERT_TRUE(spool.append(bytes(SpooledBody::max_memory_bytes - 3)));
    EXPECT_EQ(spool.size(), SpooledBody::max_memory_bytes);
    EXPECT_EQ(read_all(spool, 1'000), "abc" + bytes(SpooledBody::max_memory_bytes - 3));
    EXPECT_EQ(read_all(spool, 1'000'000), "abc" + bytes(SpooledBody::max_memory_bytes - 3));
}

TEST(SpooledBody, StoresALargeBodyInAnUnnamedFile) {
    auto folder = fs::temp_directory_path() / "integreat-spool-test";
    fs::create_directories(folder);
    {
        SpooledBody spool(folder.string());
        auto body = bytes(3 * SpooledBody::max_memory_bytes + 17);
        for (std::size_t at = 0; at < body.size(); at += 100'000)
            ASSERT_TRUE(spool.append(std::string_view(body).substr(at, 100'000)));
        EXPECT_EQ(spool.size(), body.size());
        EXPECT_TRUE(read_all(spool, 64 * 1024) == body);
        EXPECT_TRUE(read_all(spool, 64 * 1024) == body) << "second read";
        EXPECT_TRUE(fs::is_empty(folder));
        std::string past_end = "x";
        EXPECT_TRUE(spool.read(body.size() + 5, 10, past_end));
        EXPECT_EQ(past_end, "");
    }
    fs::remove_all(folder);
}

TEST(SpooledBody, ReportsAFullDisk) {
    SpooledBody spool("/nonexistent");
    auto result = spool.append(bytes(SpooledBody::max_memory_bytes + 1));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().fault, Fault::unavailable);
    EXPECT_NE(result.error().cause.find("/nonexistent"), std::string::npos);
    EXPECT_EQ(result.error().message.find("/nonexistent"), std::string::npos)
        << "the path belongs in the log only";
}

}  // namespace
}  // namespace integreat::http
