// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "cloud/firebase/testing/firebase_fixture.h"
#include "crypto/encoding.h"
#include "crypto/jwt.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

constexpr auto audience =
    "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit";
constexpr auto emulator = "firebase-auth-emulator@example.com";

json::object make_claims(const std::string& account) {
    return {{"iss", account}, {"sub", account},    {"aud", audience},
            {"uid", "u-1"},   {"iat", 1795000000}, {"exp", 1795003600}};
}

std::string unsigned_token(const json::object& payload, const std::string& signature = "") {
    return crypto::base64url_encode(R"({"alg":"none","typ":"JWT"})") + "." +
           crypto::base64url_encode(json::serialize(payload)) + "." + signature;
}

struct Account {
    std::string email;
    crypto::RsaPrivateKey key;
};

Account read_account(const std::string& folder, const Project& project) {
    std::ifstream file(folder + "/service-accounts/" + project.id.text + ".json");
    std::string text(std::istreambuf_iterator<char>(file), {});
    auto account = json::parse(text).as_object();
    EXPECT_EQ(account.at("type"), "service_account");
    return {std::string(account.at("client_email").as_string()),
            *crypto::RsaPrivateKey::from_pem(Secret(std::string(account.at("private_key").as_string())))};
}

}  // namespace

class CustomTokenTest : public AuthTest {
protected:
    Response exchange(const std::string& token) {
        return client("accounts:signInWithCustomToken", {{"token", token}});
    }
};

TEST_F(CustomTokenTest, AcceptsATokenOfTheProjectsServiceAccount) {
    auto account = read_account(folder, campus);
    auto payload = make_claims(account.email);
    payload["claims"] = {{"role", "registrar"}};
    auto response = exchange(crypto::sign_jwt(payload, "k", account.key));

    ASSERT_EQ(response.status, 200) << response.text;
    EXPECT_EQ(response.at("isNewUser"), "true");
    EXPECT_FALSE(response.body.contains("localId"));
    auto token = crypto::parse_jwt(response.at("idToken"))->payload;
    EXPECT_EQ(token.at("sub"), "u-1");
    EXPECT_EQ(token.at("role"), "registrar");
    EXPECT_EQ(token.at("firebase").at("sign_in_provider"), "custom");
    auto fresh = refresh(campus, response.at("refreshToken"));
    EXPECT_EQ(crypto::parse_jwt(fresh.at("id_token"))->payload.at("role"), "registrar");
    EXPECT_EQ(exchange(crypto::sign_jwt(payload, "k", account.key)).at("isNewUser"), "false");
}

TEST_F(CustomTokenTest, AcceptsAnUnsignedTokenOfFirebaseAdminInEmulatorMode) {
    EXPECT_EQ(exchange(unsigned_token(make_claims(emulator))).status, 200);
}

TEST_F(CustomTokenTest, RefusesInvalidTokens) {
    auto account = read_account(folder, campus);
    auto signed_with = [&](const json::object& payload) {
        return exchange(crypto::sign_jwt(payload, "k", account.key)).error();
    };
    auto with = [&](std::string_view name, json::value value) {
        auto payload = make_claims(account.email);
        payload[name] = value;
        return payload;
    };
    EXPECT_EQ(client("accounts:signInWithCustomToken", {}).error(), "MISSING_CUSTOM_TOKEN");
    EXPECT_TRUE(exchange("x").error().starts_with("INVALID_CUSTOM_TOKEN : "));
    EXPECT_TRUE(exchange(R"({"uid":"u-1"})").error().starts_with("INVALID_CUSTOM_TOKEN : "));
    EXPECT_EQ(exchange(unsigned_token(make_claims(account.email))).error(),
              "INVALID_CUSTOM_TOKEN : an unsigned token must come from firebase-admin in emulator mode");
    EXPECT_EQ(exchange(unsigned_token(make_claims(emulator), "AAAA")).error(),
              "INVALID_CUSTOM_TOKEN : alg must be RS256");
    EXPECT_EQ(signed_with(make_claims(emulator)),
              "INVALID_CUSTOM_TOKEN : iss is not the project's service account");
    EXPECT_EQ(signed_with(with("sub", "x")), "INVALID_CUSTOM_TOKEN : iss and sub must be the same account");
    EXPECT_EQ(signed_with(with("aud", "x")), "INVALID_CUSTOM_TOKEN : aud must be " + std::string(audience));
    EXPECT_EQ(signed_with(with("exp", 1795000000)), "INVALID_CUSTOM_TOKEN : exp has passed or is missing");
    EXPECT_EQ(signed_with(with("iat", 1795000031)), "INVALID_CUSTOM_TOKEN : iat is in the future");
    EXPECT_EQ(signed_with(with("uid", "")), "INVALID_CUSTOM_TOKEN : uid must be a string of 1 to 128 bytes");
    EXPECT_EQ(signed_with(with("uid", json::string(129, 'u'))),
              "INVALID_CUSTOM_TOKEN : uid must be a string of 1 to 128 bytes");
    EXPECT_EQ(signed_with(with("claims", {{"firebase", 1}})), "FORBIDDEN_CLAIM : firebase");
    EXPECT_EQ(signed_with(with("claims", "x")), "INVALID_CLAIMS");
    EXPECT_EQ(signed_with(with("tenant_id", "t1")), "TENANT_NOT_FOUND");
    auto stranger = crypto::RsaPrivateKey::generate();
    EXPECT_EQ(exchange(crypto::sign_jwt(make_claims(account.email), "k", *stranger)).error(),
              "INVALID_CUSTOM_TOKEN : the signature does not verify");
    admin("/accounts", {{"localId", "u-1"}, {"disabled", true}});
    EXPECT_EQ(signed_with(make_claims(account.email)), "USER_DISABLED");
}

TEST_F(CustomTokenTest, RefusesTheServiceAccountOfAnotherProject) {
    auto other = read_account(folder, teleo);
    EXPECT_EQ(exchange(crypto::sign_jwt(make_claims(other.email), "k", other.key)).error(),
              "CREDENTIAL_MISMATCH");
}

TEST_F(CustomTokenTest, CustomClaimsCannotReplaceFirebasesOwn) {
    auto payload = make_claims(emulator);
    payload["claims"] = {
        {"email", "dean@example.com"}, {"email_verified", true}, {"user_id", "x"}, {"provider_id", "x"}};
    auto token = crypto::parse_jwt(exchange(unsigned_token(payload)).at("idToken"))->payload;
    EXPECT_FALSE(token.contains("email"));
    EXPECT_FALSE(token.contains("email_verified"));
    EXPECT_FALSE(token.contains("provider_id"));
    EXPECT_EQ(token.at("user_id"), "u-1");
}

}  // namespace integreat::firebase
