// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/signing_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/testing/token_fixture.h"

namespace integreat::identity {
namespace {

using namespace identity::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

boost::json::object jwk(std::string_view id, const crypto::RsaPublicKey& key) {
    return {{"kty", "RSA"},
            {"alg", "RS256"},
            {"use", "sig"},
            {"kid", id},
            {"n", crypto::base64url_encode(key.modulus())},
            {"e", crypto::base64url_encode(key.exponent())}};
}

std::string jwks(boost::json::array keys) {
    return boost::json::serialize(boost::json::object{{"keys", std::move(keys)}});
}

TEST(SigningKeys, AreParsedFromAMapOfCertificates) {
    auto keys = parse_signing_keys(x509_map({{"b", 1}, {"a", 0}}));
    ASSERT_TRUE(keys) << keys.error().cause;
    ASSERT_EQ(keys->all.size(), 2u);
    EXPECT_EQ(keys->find("a")->key, signing_key(0).public_key());
    EXPECT_EQ(keys->find("b")->key, signing_key(1).public_key());
    EXPECT_EQ(keys->find("a")->not_after, from_unix_seconds(now_seconds + 1'000'000));
    EXPECT_EQ(keys->find("c"), nullptr);
    EXPECT_EQ(keys->find(""), nullptr);
}

TEST(SigningKeys, AreParsedFromAJsonWebKeySet) {
    auto keys = parse_signing_keys(jwks({jwk("a", signing_key(0).public_key())}));
    ASSERT_TRUE(keys) << keys.error().cause;
    EXPECT_EQ(keys->find("a")->key, signing_key(0).public_key());
    EXPECT_EQ(keys->find("a")->not_after, Time::max());
}

TEST(SigningKeys, IgnoreEntriesThatAreNotRsaSigningKeys) {
    auto good = jwk("good", signing_key(0).public_key());
    auto encryption = jwk("enc", signing_key(0).public_key());
    encryption["use"] = "enc";
    auto other_algorithm = jwk("ps", signing_key(0).public_key());
    other_algorithm["alg"] = "PS256";
    auto sealing = jwk("ops", signing_key(0).public_key());
    sealing["key_ops"] = boost::json::array{"encrypt"};
    auto verifying = jwk("verify", signing_key(0).public_key());
    verifying["key_ops"] = boost::json::array{"verify"};
    auto symmetric = boost::json::object{{"kty", "oct"}, {"kid", "oct"}, {"k", "c2VjcmV0"}};
    auto nameless = jwk("", signing_key(0).public_key());
    auto keys = parse_signing_keys(
        jwks({encryption, other_algorithm, sealing, symmetric, nameless, good, good, verifying, 5}));
    ASSERT_TRUE(keys);
    ASSERT_EQ(keys->all.size(), 2u);
    EXPECT_EQ(keys->all[0].id, "good");
    EXPECT_EQ(keys->all[1].id, "verify");
    EXPECT_THAT(keys->unusable,
                ElementsAre("enc: \"use\" is not sig", "ps: \"alg\" is not RS256",
                            "ops: \"key_ops\" does not include verify", "oct: \"kty\" is not RSA",
                            ": no valid key ID", "good: the key ID is repeated", ": not a JSON object"));
}

TEST(SigningKeys, NeedOneUsableKey) {
    for (std::string body : {"", "{}", "[]", R"({"keys":[]})", R"({"a":"no certificate"})", R"({"a":5})",
                             R"({"error":{"code":404}})"}) {
        auto keys = parse_signing_keys(body);
        ASSERT_FALSE(keys) << body;
        EXPECT_EQ(keys.error().fault, Fault::unavailable);
        EXPECT_FALSE(keys.error().cause.empty());
    }
}

TEST(SigningKeys, HaveLimits) {
    boost::json::object many;
    for (int i = 0; i <= 100; ++i)
        many[std::to_string(i)] = "x";
    EXPECT_THAT(parse_signing_keys(boost::json::serialize(many)).error().cause, HasSubstr("more than 100"));
    EXPECT_THAT(parse_signing_keys(std::string(300 * 1024, ' ')).error().cause, HasSubstr("longer than"));
    auto long_id = parse_signing_keys(x509_map({{std::string(129, 'k'), 0}, {"a", 0}}));
    ASSERT_TRUE(long_id);
    EXPECT_EQ(long_id->all.size(), 1u);
}

TEST(SigningKeys, HaveTheLifetimeOfCacheControl) {
    using std::chrono::seconds;
    auto lifetime = [](std::string_view control, std::string_view age = "") {
        http::Headers headers{{"Cache-Control", control}};
        if (!age.empty()) headers.add("Age", age);
        return freshness_lifetime(headers);
    };
    EXPECT_EQ(lifetime("public, max-age=19845, must-revalidate, no-transform"), seconds(19845));
    EXPECT_EQ(lifetime("MAX-AGE=5"), seconds(5));
    EXPECT_EQ(lifetime("public,\tmax-age=100", "40"), seconds(60));
    EXPECT_EQ(lifetime("max-age=100", "4000"), seconds(0));
    EXPECT_EQ(lifetime("s-maxage=5"), std::nullopt);
    EXPECT_EQ(lifetime("max-age=-5"), std::nullopt);
    EXPECT_EQ(lifetime("max-age="), std::nullopt);
    EXPECT_EQ(lifetime("max-age=99999999999999999999999"), std::nullopt);
    EXPECT_EQ(freshness_lifetime({}), std::nullopt);
}

}  // namespace
}  // namespace integreat::identity
