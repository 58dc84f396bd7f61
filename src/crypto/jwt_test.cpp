// SPDX-License-Identifier: Apache-2.0
#include "crypto/jwt.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/encoding.h"
#include "crypto/testing/rsa_key.h"

namespace integreat::crypto {
namespace {

using testing::HasSubstr;

std::string make_token(std::string_view header, std::string_view payload, std::string_view signature = "s") {
    return base64url_encode(header) + "." + base64url_encode(payload) + "." + base64url_encode(signature);
}

std::string parse_error(std::string_view token, const JwtLimits& limits = {}) {
    auto parsed = parse_jwt(token, limits);
    return parsed ? "accepted" : parsed.error().message;
}

TEST(Jwt, ParsesWhatItSigns) {
    auto token = sign_jwt({{"sub", "ann"}, {"exp", 1}}, "key 1", test_rsa_key());
    auto parsed = parse_jwt(token);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->header, (boost::json::object{{"alg", "RS256"}, {"kid", "key 1"}, {"typ", "JWT"}}));
    EXPECT_EQ(parsed->payload, (boost::json::object{{"sub", "ann"}, {"exp", 1}}));
    EXPECT_EQ(parsed->signing_input, token.substr(0, token.rfind('.')));
    EXPECT_TRUE(test_rsa_key().public_key().verify_rs256(parsed->signing_input, parsed->signature));
}

TEST(Jwt, HasExactlyThreeParts) {
    for (std::string_view token :
         {"", ".", "a", "a.b", "a.b.c.d", "e30.e30.c.", "....", "e30.e30.YQ.YQ.YQ"}) {
        EXPECT_THAT(parse_error(token), HasSubstr("three parts")) << token;
    }
    EXPECT_EQ(parse_error("e30.e30."), "accepted");  // An empty signature is left to the verification.
    EXPECT_THAT(parse_error(".e30.YQ"), HasSubstr("the header is not a JSON object"));
    EXPECT_THAT(parse_error("e30..YQ"), HasSubstr("the payload is not a JSON object"));
}

TEST(Jwt, IsCanonicalBase64url) {
    EXPECT_EQ(parse_error("e30.e30.YQ"), "accepted");
    EXPECT_THAT(parse_error("e31.e30.YQ"),
                HasSubstr("the header is not canonical base64url"));  // Trailing bits.
    EXPECT_THAT(parse_error("e30=.e30.YQ"), HasSubstr("the header is not canonical base64url"));
    EXPECT_THAT(parse_error("e30.e3 0.YQ"), HasSubstr("the payload is not canonical base64url"));
    EXPECT_THAT(parse_error("e30.e30.YR"), HasSubstr("the signature is not canonical base64url"));
    EXPECT_THAT(parse_error("e30.e30.YQ=="), HasSubstr("the signature is not canonical base64url"));
    EXPECT_THAT(parse_error("e30.e30.YQ\n"), HasSubstr("the signature is not canonical base64url"));
    EXPECT_THAT(parse_error("e30.e30.+/8"), HasSubstr("the signature is not canonical base64url"));
}

TEST(Jwt, IsStrictJson) {
    EXPECT_THAT(parse_error(make_token(R"({"alg":"none","alg":"RS256"})", "{}")),
                HasSubstr("the header is not a JSON object: the name \"alg\" is given twice"));
    EXPECT_THAT(parse_error(make_token("{}", R"({"aud":"a","\u0061ud":"b"})")),
                HasSubstr("the payload is not a JSON object: the name \"aud\" is given twice"));
    EXPECT_THAT(parse_error(make_token("[]", "{}")), HasSubstr("the header is not a JSON object"));
    EXPECT_THAT(parse_error(make_token("{}", "{}x")), HasSubstr("the payload is not a JSON object"));
    EXPECT_THAT(parse_error(make_token("{}", "{\"a\":\"\xFF\"}")),
                HasSubstr("the payload is not a JSON object"));
}

TEST(Jwt, RejectsExtensions) {
    EXPECT_THAT(parse_error(make_token(R"({"crit":["exp"]})", "{}")), HasSubstr("no extension is supported"));
    EXPECT_THAT(parse_error(make_token(R"({"crit":null})", "{}")), HasSubstr("no extension is supported"));
}

TEST(Jwt, EnforcesItsLimit) {
    auto token = make_token("{}", "{}");
    EXPECT_EQ(parse_error(token, {.max_bytes = token.size()}), "accepted");
    EXPECT_THAT(parse_error(token, {.max_bytes = token.size() - 1}), HasSubstr("longer than"));
    EXPECT_THAT(parse_error(std::string(10'000, 'a')), HasSubstr("longer than 8192 bytes"));
}

}  // namespace
}  // namespace integreat::crypto
