// SPDX-License-Identifier: Apache-2.0
#include "cloud/oidc/login_tokens.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "crypto/encoding.h"
#include "crypto/jwt.h"

namespace integreat::oidc {
namespace {

namespace json = boost::json;

const crypto::RsaPrivateKey& key() {
    static const auto made = *crypto::RsaPrivateKey::generate();
    return made;
}

// Answers by URL, and remembers what was asked.
class Issuers final : public http::Outbound {
public:
    Result<http::Reply> fetch(const http::OutboundRequest& request) override {
        asked.push_back(request.url);
        auto found = answers.find(request.url);
        if (found == answers.end())
            return Error{Fault::unavailable, "nobody answers", "not_sent: " + request.url};
        return http::Reply{.body = found->second};
    }
    std::map<std::string, std::string> answers;
    std::vector<std::string> asked;
};

std::string key_set() {
    auto of = key().public_key();
    return json::serialize(
        json::object{{"keys", json::array{json::object{{"kty", "RSA"},
                                                       {"use", "sig"},
                                                       {"kid", "k1"},
                                                       {"n", crypto::base64url_encode(of.modulus())},
                                                       {"e", crypto::base64url_encode(of.exponent())}}}}});
}

class LoginTokensTest : public ::testing::Test {
protected:
    LoginTokensTest() {
        issuers.answers["https://login.example/realm/.well-known/openid-configuration"] =
            R"({"issuer":"https://login.example/realm","jwks_uri":"https://keys.example/set"})";
        issuers.answers["https://keys.example/set"] = key_set();
    }
    json::object claims() {
        auto now = unix_seconds(clock.now());
        return {{"iss", "https://login.example/realm"},
                {"aud", "client"},
                {"sub", "ann"},
                {"iat", now},
                {"exp", now + 60}};
    }
    std::string verify(const json::object& payload, const std::string& kid = "k1",
                       const std::string& issuer = "login.example/realm") {
        auto verified = tokens.verify(crypto::sign_jwt(payload, kid, key()), {issuer, {"client", "other"}});
        if (auto* denial = std::get_if<identity::Denial>(&verified)) return denial->type;
        return std::get<LoginToken>(verified).subject;
    }

    FixedClock clock;
    Issuers issuers;
    LoginTokens tokens{{}, issuers, clock};
};

TEST_F(LoginTokensTest, FindsTheKeysOfAnyIssuerByDiscoveryAndKeepsThem) {
    EXPECT_EQ(verify(claims()), "ann");
    EXPECT_EQ(verify(claims()), "ann");
    EXPECT_EQ(issuers.asked,
              (std::vector<std::string>{"https://login.example/realm/.well-known/openid-configuration",
                                        "https://keys.example/set"}));
}

TEST_F(LoginTokensTest, AsksNobodyForATokenThatIsWrongAnyway) {
    auto wrong = claims();
    wrong["exp"] = unix_seconds(clock.now());
    EXPECT_EQ(verify(wrong), "token-expired");
    wrong = claims();
    wrong["aud"] = json::array{"stranger"};
    EXPECT_EQ(verify(wrong), "token-audience");
    wrong["aud"] = json::array{"stranger", "other"};
    wrong["iss"] = "https://evil.example/realm";
    EXPECT_EQ(verify(wrong), "token-issuer");
    wrong = claims();
    wrong.erase("sub");
    EXPECT_EQ(verify(wrong), "token-subject");
    wrong = claims();
    wrong["nbf"] = unix_seconds(clock.now()) + 31;
    EXPECT_EQ(verify(wrong), "token-not-yet-valid");
    wrong["nbf"] = "soon";
    EXPECT_EQ(verify(wrong), "token-malformed");
    EXPECT_TRUE(issuers.asked.empty());
}

TEST_F(LoginTokensTest, RefusesWhatTheKeysDoNotVerify) {
    EXPECT_EQ(verify(claims(), "k2"), "token-unknown-key");
    auto token = crypto::sign_jwt(claims(), "k1", *crypto::RsaPrivateKey::generate());
    auto verified = tokens.verify(token, {"login.example/realm", {"client"}});
    ASSERT_TRUE(std::holds_alternative<identity::Denial>(verified));
    EXPECT_EQ(std::get<identity::Denial>(verified).type, "token-signature");
}

TEST_F(LoginTokensTest, SaysThatKeysCannotBeHad) {
    auto other = claims();
    other["iss"] = "https://silent.example";
    EXPECT_EQ(verify(other, "k1", "silent.example"), "keys-unavailable");
    // Discovery must not lead to plain HTTP in the network.
    issuers.answers["https://weak.example/.well-known/openid-configuration"] =
        R"({"jwks_uri":"http://keys.example/set"})";
    other["iss"] = "https://weak.example";
    EXPECT_EQ(verify(other, "k1", "weak.example"), "keys-unavailable");
}

TEST_F(LoginTokensTest, KnowsABoundedNumberOfIssuers) {
    LoginTokens few({.issuers_max = 1}, issuers, clock);
    EXPECT_TRUE(std::holds_alternative<LoginToken>(
        few.verify(crypto::sign_jwt(claims(), "k1", key()), {"login.example/realm", {"client"}})));
    auto other = claims();
    other["iss"] = "https://second.example";
    auto refused = few.verify(crypto::sign_jwt(other, "k1", key()), {"second.example", {"client"}});
    EXPECT_EQ(std::get<identity::Denial>(refused).type, "keys-unavailable");
}

}  // namespace
}  // namespace integreat::oidc
