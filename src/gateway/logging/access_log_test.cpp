// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/access_log.h"

#include <algorithm>
#include <future>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "json/value/writer.h"

namespace integreat::gateway {
namespace {

TEST(AccessLog, WritesEveryLineOfEveryThread) {
    metrics::Counter lost;
    std::string written;
    {
        AccessLog log([&](std::string_view lines) { written += lines; }, lost);
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < 1000; ++n)
                    log.line([](std::string& to) { to += "{\"a\":1}"; });
            });
        }
        for (auto& thread : threads)
            thread.join();
    }
    EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 4000);
    EXPECT_EQ(written.size(), 4000 * 8u);
    EXPECT_EQ(lost.value(), 0u);
}

TEST(AccessLog, DropsAndCountsLinesInsteadOfBlocking) {
    metrics::Counter lost;
    std::promise<void> go;
    auto gate = go.get_future().share();
    std::size_t written = 0;
    {
        AccessLog log(
            [&](std::string_view lines) {
                gate.wait();  // A disk that hangs.
                written += static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
            },
            lost, 1000);
        for (int n = 0; n < 10'000; ++n)
            log.line([](std::string& to) { to.append(99, 'x'); });
        EXPECT_GE(lost.value(), 9'900u);
        go.set_value();
    }
    EXPECT_EQ(written + lost.value(), 10'000u);
}

TEST(JsonText, EscapesControlCharactersAndQuotes) {
    std::string text;
    json::append_json(text, "a\"b\\c\n\r\t\x01\x7f caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_EQ(text, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

TEST(JsonText, ReplacesBytesThatAreNotUtf8) {
    std::string text;
    json::append_json(text, "\xff\xc0\xaf\xed\xa0\x80\xe2\x82");
    std::string expected = "\"";
    for (int i = 0; i < 8; ++i)
        expected += "\xEF\xBF\xBD";
    EXPECT_EQ(text, expected + "\"");
    text.clear();
    json::append_number(text, -9223372036854775807 - 1);
    EXPECT_EQ(text, "-9223372036854775808");
    text.clear();
    json::append_time(text, from_unix_seconds(1'795'000'000) + std::chrono::microseconds(42));
    EXPECT_EQ(text, "2026-11-18T11:06:40.000042Z");
    text.clear();
    json::append_time(text, from_unix_seconds(-1));
    EXPECT_EQ(text, "1969-12-31T23:59:59.000000Z");
}

}  // namespace
}  // namespace integreat::gateway
