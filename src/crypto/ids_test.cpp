// SPDX-License-Identifier: Apache-2.0
#include "crypto/ids.h"

#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/concurrency/synchronized.h"
#include "crypto/encoding.h"
#include "crypto/system_random.h"

namespace integreat::crypto {
namespace {

TEST(Ids, MakesUlidsThatSortByTime) {
    FixedRandom random;
    // The example of the specification: 2016-07-30T23:54:10.259Z is 01ARYZ6S41.
    auto ulid = make_ulid(Time(std::chrono::milliseconds(1469918176385)), random);
    EXPECT_EQ(ulid.size(), 26u);
    EXPECT_EQ(ulid.substr(0, 10), "01ARYZ6S41");
    EXPECT_LT(ulid, make_ulid(Time(std::chrono::milliseconds(1469918176386)), random));
    EXPECT_THAT(ulid, testing::MatchesRegex("[0-9A-HJKMNP-TV-Z]+"));
}

TEST(Ids, MakesUlidsThatDiffer) {
    FixedRandom random;
    std::set<std::string> ulids;
    for (int i = 0; i < 1'000; ++i)
        ulids.insert(make_ulid(Time(), random));
    EXPECT_EQ(ulids.size(), 1'000u);
}

TEST(Ids, MakesTokensOfTheGivenLength) {
    FixedRandom random;
    auto token = random_token(random, 32);
    EXPECT_EQ(token.size(), 43u);
    EXPECT_EQ(base64url_decode(token)->size(), 32u);
    EXPECT_NE(token, random_token(random, 32));
}

TEST(SystemRandom, NeverReturnsTheSameBytesTwice) {
    SystemRandom random;
    Synchronized<std::multiset<std::string>> drawn;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 1'000; ++round) {
                auto token = random_token(random, 16);
                drawn.lock()->insert(token);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    auto all = drawn.lock();
    EXPECT_EQ(std::set<std::string>(all->begin(), all->end()).size(), 4'000u);
}

TEST(SystemRandom, FillsEachByteOfShortAndLongSpans) {
    SystemRandom random;
    for (std::size_t length : {0u, 1u, 512u, 513u, 10'000u}) {
        std::vector<std::byte> set_bits(length);
        for (int round = 0; round < 10; ++round) {
            std::vector<std::byte> bytes(length);
            random.fill(bytes);
            for (std::size_t i = 0; i < length; ++i)
                set_bits[i] |= bytes[i];
        }
        EXPECT_EQ(std::count(set_bits.begin(), set_bits.end(), std::byte{0}), 0) << length;
    }
}

TEST(Ids, MakesUuidsOfVersionFour) {
    FixedRandom random;
    auto first = make_uuid(random);
    std::string digits = "[0-9a-f]";
    EXPECT_THAT(first, testing::MatchesRegex(digits + "{8}-" + digits + "{4}-4" + digits + "{3}-[89ab]" +
                                             digits + "{3}-" + digits + "{12}"));
    EXPECT_NE(first, make_uuid(random));
}

}  // namespace
}  // namespace integreat::crypto
