// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/store/limits.h"
#include "cloud/firebase/testing/firebase_fixture.h"
#include "crypto/jwt.h"

namespace integreat::firebase {

namespace json = boost::json;

class UpdateAccountTest : public AuthTest {
protected:
    UpdateAccountTest() : ann(sign_up()), uid(ann.at("localId")) {}
    Response update(json::object changes) {
        changes["idToken"] = ann.at("idToken");
        return client("accounts:update", changes);
    }
    Response change(json::object changes) {
        changes["localId"] = uid;
        return admin("/accounts:update", changes);
    }
    Response ann;
    std::string uid;
};

TEST_F(UpdateAccountTest, ChangesAProfileAndClearsThePhoto) {
    auto response = update({{"displayName", "Ann A"}, {"photoUrl", "http://x/y.png"}});
    EXPECT_EQ(response.at("displayName"), "Ann A");
    EXPECT_EQ(response.at("photoUrl"), "http://x/y.png");
    EXPECT_FALSE(response.body.contains("idToken"));
    auto token = crypto::parse_jwt(sign_in().at("idToken"))->payload;
    EXPECT_EQ(token.at("name"), "Ann A");
    EXPECT_EQ(token.at("picture"), "http://x/y.png");
    EXPECT_FALSE(update({{"photoUrl", ""}}).body.contains("photoUrl"));
    EXPECT_EQ(update({{"displayName", std::string(257, 'x')}}).error(),
              "INVALID_ARGUMENT : displayName must be a string of at most 256 bytes");
}

TEST_F(UpdateAccountTest, ANewPasswordEndsOtherSessions) {
    clock.advance(std::chrono::seconds(5));
    auto response = update({{"password", "new-secret"}, {"returnSecureToken", true}});
    ASSERT_EQ(response.status, 200) << response.text;
    EXPECT_EQ(lookup(response.at("idToken")).status, 200);
    EXPECT_EQ(refresh(campus, response.at("refreshToken")).status, 200);
    EXPECT_EQ(lookup(ann.at("idToken")).error(), "TOKEN_EXPIRED");
    EXPECT_EQ(refresh(campus, ann.at("refreshToken")).error(), "TOKEN_EXPIRED");
    EXPECT_EQ(sign_in().error(), "INVALID_LOGIN_CREDENTIALS");
    EXPECT_EQ(sign_in("ann@example.com", "new-secret").status, 200);
}

TEST_F(UpdateAccountTest, AnAddressChangeCanBeUndoneFromTheOldAddress) {
    auto response = update({{"email", "Ann2@example.com"}});
    EXPECT_EQ(response.at("email"), "ann2@example.com");
    EXPECT_EQ(response.at("newEmail"), "ann2@example.com");
    EXPECT_TRUE(response.body.contains("idToken"));
    auto code = latest_code("RECOVER_EMAIL");
    EXPECT_EQ(client("accounts:resetPassword", {{"oobCode", code}}).at("email"), "ann@example.com");
    EXPECT_EQ(client("accounts:update", {{"oobCode", code}}).at("email"), "ann@example.com");
    EXPECT_EQ(sign_in().status, 200);
}

TEST_F(UpdateAccountTest, RefusesInvalidChanges) {
    sign_up("bob@example.com");
    EXPECT_EQ(update({{"email", "bob@example.com"}}).error(), "EMAIL_EXISTS");
    EXPECT_EQ(update({{"email", "bob"}}).error(), "INVALID_EMAIL");
    EXPECT_EQ(update({{"password", "12345"}}).error(),
              "WEAK_PASSWORD : Password should be at least 6 characters");
    EXPECT_EQ(update({{"customAttributes", "{}"}}).error(), "INSUFFICIENT_PERMISSION");
    EXPECT_EQ(update({{"disableUser", true}}).error(), "OPERATION_NOT_ALLOWED");
    EXPECT_EQ(client("accounts:update", {{"displayName", "x"}}).error(),
              "INVALID_REQ_TYPE : Unsupported request parameters.");
    EXPECT_EQ(admin("/accounts:update", {}).error(), "MISSING_LOCAL_ID");
    EXPECT_EQ(admin("/accounts:update", {{"localId", "nobody"}}).error(), "USER_NOT_FOUND");
    EXPECT_EQ(client("accounts:update", {{"oobCode", "nonsense"}}).error(), "INVALID_OOB_CODE");
    EXPECT_EQ(change({{"deleteAttribute", {"SHOE_SIZE"}}}).error(),
              "INVALID_ARGUMENT : unknown deleteAttribute SHOE_SIZE");
    EXPECT_EQ(change({{"phoneNumber", "1"}}).error(), "INVALID_PHONE_NUMBER : Invalid format.");
    EXPECT_EQ(change({{"linkProviderUserInfo", {{"rawId", "g"}}}}).error(), "MISSING_PROVIDER_ID");
    EXPECT_EQ(change({{"linkProviderUserInfo", {{"providerId", "google.com"}}}}).error(), "MISSING_RAW_ID");
    EXPECT_EQ(change({{"validSince", "soon"}}).error(),
              "INVALID_ARGUMENT : validSince must be a whole number");
}

TEST_F(UpdateAccountTest, AUserCannotChangeAdminFields) {
    update({{"emailVerified", true}, {"validSince", 1}, {"phoneNumber", "+639171234567"}});
    auto user = lookup(ann.at("idToken")).body.at("users").at(0).as_object();
    EXPECT_EQ(user.at("emailVerified"), false);
    EXPECT_EQ(user.at("validSince"), "1795000000");
    EXPECT_FALSE(user.contains("phoneNumber"));
}

TEST_F(UpdateAccountTest, CustomClaimsAreInTheNextToken) {
    ASSERT_EQ(change({{"customAttributes", R"({"role":"registrar","level":3})"}}).status, 200);
    auto token = crypto::parse_jwt(refresh(campus, ann.at("refreshToken")).at("id_token"))->payload;
    EXPECT_EQ(token.at("role"), "registrar");
    EXPECT_EQ(token.at("level"), 3);
    EXPECT_EQ(lookup(ann.at("idToken")).body.at("users").at(0).at("customAttributes"),
              R"({"role":"registrar","level":3})");
    EXPECT_EQ(change({{"customAttributes", ""}}).status, 200);
    EXPECT_FALSE(lookup(ann.at("idToken")).body.at("users").at(0).as_object().contains("customAttributes"));
}

TEST_F(UpdateAccountTest, RefusesReservedLargeAndMalformedClaims) {
    for (const char* name : {"acr", "amr", "at_hash", "aud", "auth_time", "azp", "c_hash", "cnf", "exp",
                             "firebase", "iat", "iss", "jti", "nbf", "nonce", "sub"}) {
        EXPECT_EQ(change({{"customAttributes", json::serialize(json::object{{name, 1}})}}).error(),
                  std::string("FORBIDDEN_CLAIM : ") + name);
    }
    EXPECT_EQ(change({{"customAttributes", "[]"}}).error(), "INVALID_CLAIMS");
    EXPECT_EQ(change({{"customAttributes", R"({"a":1,"a":2})"}}).error(), "INVALID_CLAIMS");
    auto exactly = R"({"a":")" + std::string(claims_bytes_max - 8, 'x') + R"("})";
    EXPECT_EQ(change({{"customAttributes", exactly}}).status, 200);
    EXPECT_EQ(change({{"customAttributes", exactly + " "}}).error(), "CLAIMS_TOO_LARGE");
}

TEST_F(UpdateAccountTest, UnlinkingThePasswordRemovesTheAddress) {
    auto response = update({{"deleteProvider", {"password"}}});
    EXPECT_TRUE(response.body.at("providerUserInfo").as_array().empty());
    EXPECT_EQ(sign_in().error(), "INVALID_LOGIN_CREDENTIALS");
}

TEST_F(UpdateAccountTest, AdminDeletesAttributes) {
    change({{"displayName", "Ann"}, {"photoUrl", "http://x/y"}, {"emailVerified", true}});
    auto response = change({{"deleteAttribute", {"DISPLAY_NAME", "PHOTO_URL"}}});
    EXPECT_FALSE(response.body.contains("displayName"));
    EXPECT_FALSE(response.body.contains("photoUrl"));
    EXPECT_EQ(response.at("emailVerified"), "true");
    change({{"deleteAttribute", {"PASSWORD"}}});
    EXPECT_EQ(sign_in().error(), "INVALID_LOGIN_CREDENTIALS");
    EXPECT_FALSE(change({{"deleteAttribute", {"EMAIL"}}}).body.contains("email"));
}

TEST_F(UpdateAccountTest, RevokingEndsAllSessions) {
    clock.advance(std::chrono::seconds(1));
    change({{"validSince", 1795000001}});
    EXPECT_EQ(lookup(ann.at("idToken")).error(), "TOKEN_EXPIRED");
    EXPECT_EQ(refresh(campus, ann.at("refreshToken")).error(), "TOKEN_EXPIRED");
    EXPECT_EQ(sign_in().status, 200);
}

}  // namespace integreat::firebase
