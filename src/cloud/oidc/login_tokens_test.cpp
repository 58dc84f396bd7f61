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
    static const auto key = *crypto::RsaPrivateKey::generate();
    return key;
}

// A fake HTTP client with responses by URL that records the requested URLs.
class FakeIssuers final : public http::HttpClient {
public:
    Result<http::FullResponse> fetch(const http::ClientRequest& request) override {
        requested.push_back(request.url);
        auto response = responses.find(request.url);
        if (response == responses.end())
            return Error{Fault::unavailable, "no response", "not_sent: " + request.url};
        return http::FullResponse{.body = response->second};
    }
    std::map<std::string, std::string> responses;
    std::vector<std::string> requested;
};

std::string key_set() {
    auto public_key = key().public_key();
    return json::serialize(json::object{
        {"keys", json::array{json::object{{"kty", "RSA"},
                                          {"use", "sig"},
                                          {"kid", "k1"},
                                          {"n", crypto::base64url_encode(public_key.modulus())},
                                          {"e", crypto::base64url_encode(public_key.exponent())}}}}});
}

class LoginTokensTest : public ::testing::Test {
protected:
    LoginTokensTest() {
        issuers.responses["https://login.example/realm/.well-known/openid-configuration"] =
            R"({"issuer":"https://login.example/realm","jwks_uri":"https://keys.example/set"})";
        issuers.responses["https://keys.example/set"] = key_set();
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
        if (auto* denial = std::get_if<identity::AuthFailure>(&verified))
            return std::string(http::to_slug(denial->type));
        return std::get<LoginToken>(verified).subject;
    }

    FixedClock clock;
    FakeIssuers issuers;
    LoginTokens tokens{{}, issuers, clock};
};

TEST_F(LoginTokensTest, DiscoversTheKeysOfAnIssuerAndCachesThem) {
    EXPECT_EQ(verify(claims()), "ann");
    EXPECT_EQ(verify(claims()), "ann");
    EXPECT_EQ(issuers.requested,
              (std::vector<std::string>{"https://login.example/realm/.well-known/openid-configuration",
                                        "https://keys.example/set"}));
}

TEST_F(LoginTokensTest, SendsNoRequestForAnInvalidToken) {
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
    EXPECT_TRUE(issuers.requested.empty());
}

TEST_F(LoginTokensTest, RefusesSignaturesThatDoNotVerify) {
    EXPECT_EQ(verify(claims(), "k2"), "token-unknown-key");
    auto token = crypto::sign_jwt(claims(), "k1", *crypto::RsaPrivateKey::generate());
    auto verified = tokens.verify(token, {"login.example/realm", {"client"}});
    ASSERT_TRUE(std::holds_alternative<identity::AuthFailure>(verified));
    EXPECT_EQ(std::get<identity::AuthFailure>(verified).type, http::ProblemType::token_signature);
}

TEST_F(LoginTokensTest, ReportsThatKeysAreUnavailable) {
    auto other = claims();
    other["iss"] = "https://silent.example";
    EXPECT_EQ(verify(other, "k1", "silent.example"), "identity-unavailable");
    // Discovery must not lead to plain HTTP outside this machine.
    issuers.responses["https://weak.example/.well-known/openid-configuration"] =
        R"({"jwks_uri":"http://keys.example/set"})";
    other["iss"] = "https://weak.example";
    EXPECT_EQ(verify(other, "k1", "weak.example"), "identity-unavailable");
}

TEST_F(LoginTokensTest, LimitsTheNumberOfIssuers) {
    LoginTokens limited({.issuers_max = 1}, issuers, clock);
    EXPECT_TRUE(std::holds_alternative<LoginToken>(
        limited.verify(crypto::sign_jwt(claims(), "k1", key()), {"login.example/realm", {"client"}})));
    auto other = claims();
    other["iss"] = "https://second.example";
    auto refused = limited.verify(crypto::sign_jwt(other, "k1", key()), {"second.example", {"client"}});
    EXPECT_EQ(std::get<identity::AuthFailure>(refused).type, http::ProblemType::identity_unavailable);
}

}  // namespace
}  // namespace integreat::oidc
