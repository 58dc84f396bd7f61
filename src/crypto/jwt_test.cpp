// SPDX-License-Identifier: Apache-2.0
#include "crypto/jwt.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/encoding.h"

namespace integreat::crypto {
namespace {

using testing::HasSubstr;

const RsaPrivateKey& key() {
    static const RsaPrivateKey made = *RsaPrivateKey::generate();
    return made;
}

std::string token_of(std::string_view header, std::string_view payload, std::string_view signature = "s") {
    return base64url_encode(header) + "." + base64url_encode(payload) + "." + base64url_encode(signature);
}

std::string complaint(std::string_view token, const JwtLimits& limits = {}) {
    auto parsed = parse_jwt(token, limits);
    return parsed ? "accepted" : parsed.error().message;
}

TEST(Jwt, IsTakenApartAsItWasPutTogether) {
    auto token = sign_jwt({{"sub", "ann"}, {"exp", 1}}, "key 1", key());
    auto parsed = parse_jwt(token);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->header, (boost::json::object{{"alg", "RS256"}, {"kid", "key 1"}, {"typ", "JWT"}}));
    EXPECT_EQ(parsed->payload, (boost::json::object{{"sub", "ann"}, {"exp", 1}}));
    EXPECT_EQ(parsed->signed_text, token.substr(0, token.rfind('.')));
    EXPECT_TRUE(key().public_key().verify_rs256(parsed->signed_text, parsed->signature));
}

TEST(Jwt, HasExactlyThreeParts) {
    for (std::string_view token :
         {"", ".", "a", "a.b", "a.b.c.d", "e30.e30.c.", "....", "e30.e30.YQ.YQ.YQ"}) {
        EXPECT_THAT(complaint(token), HasSubstr("three parts")) << token;
    }
    EXPECT_EQ(complaint("e30.e30."), "accepted");  // An empty signature is for the caller to judge.
    EXPECT_THAT(complaint(".e30.YQ"), HasSubstr("the header is not a JSON object"));
    EXPECT_THAT(complaint("e30..YQ"), HasSubstr("the payload is not a JSON object"));
}

TEST(Jwt, IsCanonicalBase64url) {
    EXPECT_EQ(complaint("e30.e30.YQ"), "accepted");
    EXPECT_THAT(complaint("e31.e30.YQ"),
                HasSubstr("the header is not canonical base64url"));  // Trailing bits.
    EXPECT_THAT(complaint("e30=.e30.YQ"), HasSubstr("the header is not canonical base64url"));
    EXPECT_THAT(complaint("e30.e3 0.YQ"), HasSubstr("the payload is not canonical base64url"));
    EXPECT_THAT(complaint("e30.e30.YR"), HasSubstr("the signature is not canonical base64url"));
    EXPECT_THAT(complaint("e30.e30.YQ=="), HasSubstr("the signature is not canonical base64url"));
    EXPECT_THAT(complaint("e30.e30.YQ\n"), HasSubstr("the signature is not canonical base64url"));
    EXPECT_THAT(complaint("e30.e30.+/8"), HasSubstr("the signature is not canonical base64url"));
}

TEST(Jwt, IsStrictJson) {
    EXPECT_THAT(complaint(token_of(R"({"alg":"none","alg":"RS256"})", "{}")),
                HasSubstr("the header is not a JSON object: the name \"alg\" is given twice"));
    EXPECT_THAT(complaint(token_of("{}", R"({"aud":"a","\u0061ud":"b"})")),
                HasSubstr("the payload is not a JSON object: the name \"aud\" is given twice"));
    EXPECT_THAT(complaint(token_of("[]", "{}")), HasSubstr("the header is not a JSON object"));
    EXPECT_THAT(complaint(token_of("{}", "{}x")), HasSubstr("the payload is not a JSON object"));
    EXPECT_THAT(complaint(token_of("{}", "{\"a\":\"\xFF\"}")), HasSubstr("the payload is not a JSON object"));
}

TEST(Jwt, MayNotAskForExtensions) {
    EXPECT_THAT(complaint(token_of(R"({"crit":["exp"]})", "{}")), HasSubstr("no extension is understood"));
    EXPECT_THAT(complaint(token_of(R"({"crit":null})", "{}")), HasSubstr("no extension is understood"));
}

TEST(Jwt, HasALimit) {
    auto token = token_of("{}", "{}");
    EXPECT_EQ(complaint(token, {.bytes_max = token.size()}), "accepted");
    EXPECT_THAT(complaint(token, {.bytes_max = token.size() - 1}), HasSubstr("longer than"));
    EXPECT_THAT(complaint(std::string(10'000, 'a')), HasSubstr("longer than 8192 bytes"));
}

}  // namespace
}  // namespace integreat::crypto
