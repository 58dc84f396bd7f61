// SPDX-License-Identifier: Apache-2.0
#include "http/message/headers.h"

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

TEST(Headers, FindsCrLfAndNulAtEveryPosition) {
    for (std::size_t length = 0; length <= 20; ++length) {
        std::string text(length, 'x');
        EXPECT_FALSE(has_crlf_or_nul(text)) << length;
        for (char byte : {'\r', '\n', '\0'}) {
            for (std::size_t at = 0; at < length; ++at) {
                auto changed = text;
                changed[at] = byte;
                EXPECT_TRUE(has_crlf_or_nul(changed)) << int(byte) << " at " << at << " of " << length;
            }
        }
    }
}

TEST(Headers, AllowsAllOtherBytesInAField) {
    for (int byte = 1; byte < 256; ++byte) {
        if (byte == '\r' || byte == '\n') continue;
        EXPECT_FALSE(has_crlf_or_nul(std::string(17, static_cast<char>(byte)))) << byte;
    }
}

TEST(Headers, KeepsFieldsInOrderBeyondTheReservedMemory) {
    Headers headers;
    headers.reserve(1, 4);
    for (auto name : {"A", "B", "C"})
        headers.add(name, "a value");
    ASSERT_EQ(headers.size(), 3u);
    EXPECT_EQ(headers.bytes(), 3 * (1 + 7u));
    EXPECT_EQ(headers[2].name, "C");
    EXPECT_EQ(headers[2].value, "a value");
}

}  // namespace
}  // namespace integreat::http
