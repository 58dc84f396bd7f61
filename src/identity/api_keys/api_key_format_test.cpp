// SPDX-License-Identifier: Apache-2.0
#include "identity/api_keys/api_key_format.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

namespace integreat::identity {
namespace {

TEST(ApiKeyText, HasAPrefixASecretAndAChecksum) {
    FixedRandom random;
    auto made = generate_api_key_text(random);
    const auto& whole = made.whole.reveal();
    EXPECT_EQ(whole.size(), 62u);
    EXPECT_TRUE(is_api_key_text(whole));
    EXPECT_EQ(whole.substr(0, 13), "itg_" + made.prefix + "_");
    EXPECT_EQ(parse_api_key_prefix(whole), made.prefix);
}

TEST(ApiKeyText, DetectsAnyMistypedOrTruncatedKey) {
    FixedRandom random;
    auto whole = generate_api_key_text(random).whole.reveal();
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_FALSE(parse_api_key_prefix(whole.substr(0, i)));
        for (char other : {'0', 'a', 'Z', '_', '-', ' ', '\0'}) {
            auto changed = whole;
            if (changed[i] == other) continue;
            changed[i] = other;
            EXPECT_FALSE(parse_api_key_prefix(changed)) << i;
        }
        auto swapped = whole;
        if (i > 0 && swapped[i] != swapped[i - 1]) {
            std::swap(swapped[i], swapped[i - 1]);
            EXPECT_FALSE(parse_api_key_prefix(swapped)) << i;
        }
    }
    EXPECT_FALSE(parse_api_key_prefix(whole + "0"));
    EXPECT_FALSE(parse_api_key_prefix(""));
}

TEST(ApiKeyText, UsesAllLettersEquallyOften) {
    FixedRandom random;
    std::map<char, int> counts;
    std::set<std::string> prefixes;
    for (int i = 0; i < 2'000; ++i) {
        auto made = generate_api_key_text(random);
        prefixes.insert(made.prefix);
        for (char letter : made.whole.reveal().substr(13, 43))
            ++counts[letter];
    }
    EXPECT_EQ(prefixes.size(), 2'000u);
    EXPECT_EQ(counts.size(), 62u);
    for (auto [letter, count] : counts)
        EXPECT_NEAR(count, 2'000 * 43 / 62, 200) << letter;
}

}  // namespace
}  // namespace integreat::identity
