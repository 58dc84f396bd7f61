// SPDX-License-Identifier: Apache-2.0
#include "crypto/encoding.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace integreat::crypto {
namespace {

TEST(Base64, MatchesTheVectorsOfRfc4648) {
    std::pair<std::string_view, std::string_view> vectors[] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    for (auto [bytes, text] : vectors) {
        EXPECT_EQ(base64_encode(bytes), text);
        EXPECT_EQ(base64_decode(text), bytes);
    }
    EXPECT_EQ(base64_encode("\xFB\xFF"), "+/8=");
    EXPECT_EQ(base64url_encode("\xFB\xFF"), "-_8");
}

TEST(Base64, DecodesWhatItEncodes) {
    FixedRandom random;
    for (std::size_t length = 0; length < 100; ++length) {
        std::string bytes(length, '\0');
        random.fill(std::as_writable_bytes(std::span(bytes)));
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
        EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
    }
}

TEST(Base64, RejectsWrongPaddingWhitespaceAndForeignLetters) {
    for (std::string_view text : {"Zg", "Zg=", "Zg===", "Zm8", "Zm9v=", "Zm9v====", "=", "====", "Z===",
                                  "Zg=A", "Z", "Zm9 ", "Zm\nv", "Zm9v\n", "Zm9-", "Zm9_", "Z\xC3\xA9v"}) {
        EXPECT_FALSE(base64_decode(text)) << text;
    }
    for (std::string_view text :
         {"Zg==", "Zm8=", "Z", "Zm9vZ", "Zm9v ", " Zm9v", "Zm9v\n", "Zm9+", "Zm9/", "Zm9.", "Zm\xC3\xA9"}) {
        EXPECT_FALSE(base64url_decode(text)) << text;
    }
    EXPECT_FALSE(base64url_decode(std::string_view("Zm9v\0", 5)));
}

TEST(Base64, RejectsNonCanonicalTrailingBits) {
    static constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int accepted_two = 0, accepted_three = 0;
    for (char letter : letters) {
        accepted_two += base64url_decode(std::string("Z") + letter).has_value();
        accepted_three += base64url_decode(std::string("Zm") + letter).has_value();
    }
    EXPECT_EQ(accepted_two, 4);     // Two bits of the second letter count.
    EXPECT_EQ(accepted_three, 16);  // Four bits of the third.
}

TEST(Hex, DecodesWhatItEncodesAndRejectsOtherText) {
    std::string bytes("\x00\x7f\xff", 3);
    EXPECT_EQ(hex_encode(bytes), "007fff");
    EXPECT_EQ(hex_decode("007FfF"), bytes);
    EXPECT_EQ(hex_decode(""), "");
    for (std::string_view text : {"0", "0g", "g0", " 0", "0x", "00 "})
        EXPECT_FALSE(hex_decode(text)) << text;
}

}  // namespace
}  // namespace integreat::crypto
