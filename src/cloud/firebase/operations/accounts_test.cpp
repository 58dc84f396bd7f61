// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/store/limits.h"
#include "cloud/firebase/testing/firebase_fixture.h"
#include "crypto/jwt.h"

namespace integreat::firebase {

namespace json = boost::json;

TEST_F(AuthTest, LooksUpTheUserOfAToken) {
    auto ann = sign_up();
    auto user = lookup(ann.at("idToken")).body.at("users").as_array().at(0).as_object();

    EXPECT_EQ(user.at("localId").as_string(), std::string_view(ann.at("localId")));
    EXPECT_EQ(user.at("email"), "ann@example.com");
    EXPECT_EQ(user.at("emailVerified"), false);
    EXPECT_EQ(user.at("createdAt"), "1795000000000");
    EXPECT_EQ(user.at("lastLoginAt"), "1795000000000");
    EXPECT_EQ(user.at("validSince"), "1795000000");
    EXPECT_EQ(user.at("passwordUpdatedAt"), 1795000000000);
    EXPECT_EQ(user.at("providerUserInfo").as_array().at(0).at("providerId"), "password");
    EXPECT_FALSE(user.contains("passwordHash"));
    EXPECT_FALSE(user.contains("salt"));
    auto anonymous = client("accounts:signUp", {});
    auto nobody = lookup(anonymous.at("idToken")).body.at("users").as_array().at(0).as_object();
    EXPECT_TRUE(nobody.at("providerUserInfo").as_array().empty());
}

TEST_F(AuthTest, ListsTheAddressOfAPasswordProvider) {
    // Short enough for Boost.JSON to store it inside the value.
    auto bea = client("accounts:signUp", {{"email", "bea@x.test"}, {"password", "secret123"}});
    auto user = lookup(bea.at("idToken")).body.at("users").as_array().at(0).as_object();
    const auto& provider = user.at("providerUserInfo").as_array().at(0);
    for (const char* name : {"email", "federatedId", "rawId"})
        EXPECT_EQ(provider.at(name), "bea@x.test") << name;
}

TEST_F(AuthTest, RefusesInvalidTokens) {
    auto ann = sign_up();
    auto token = ann.at("idToken");
    EXPECT_EQ(client("accounts:lookup", {}).error(), "MISSING_ID_TOKEN");
    EXPECT_EQ(lookup("nonsense").error(), "INVALID_ID_TOKEN");
    auto tampered = token;
    tampered[tampered.size() - 10] = tampered[tampered.size() - 10] == 'A' ? 'B' : 'A';
    EXPECT_EQ(lookup(tampered).error(), "INVALID_ID_TOKEN");
    auto stranger = crypto::RsaPrivateKey::generate();
    auto payload = crypto::parse_jwt(token)->payload;
    auto kid = std::string(crypto::parse_jwt(token)->header.at("kid").as_string());
    EXPECT_EQ(lookup(crypto::sign_jwt(payload, kid, *stranger)).error(), "INVALID_ID_TOKEN");
    EXPECT_EQ(lookup(crypto::sign_jwt(payload, "other", *stranger)).error(), "INVALID_ID_TOKEN");

    admin("/accounts:update", {{"localId", ann.at("localId")}, {"disableUser", true}});
    EXPECT_EQ(lookup(token).error(), "USER_DISABLED");
    admin("/accounts:update", {{"localId", ann.at("localId")}, {"disableUser", false}});
    EXPECT_EQ(lookup(token).status, 200);
    clock.advance(std::chrono::seconds(id_token_seconds));
    EXPECT_EQ(lookup(token).error(), "TOKEN_EXPIRED");
    admin("/accounts:delete", {{"localId", ann.at("localId")}});
    EXPECT_EQ(lookup(token).error(), "USER_NOT_FOUND");
}

TEST_F(AuthTest, SeparatesProjects) {
    auto here = sign_up();
    auto there =
        client(teleo, "accounts:signUp", {{"email", "ann@example.com"}, {"password", "other-secret"}});
    ASSERT_EQ(there.status, 200) << there.text;
    EXPECT_NE(here.at("localId"), there.at("localId"));
    EXPECT_EQ(sign_in("ann@example.com", "other-secret").error(), "INVALID_LOGIN_CREDENTIALS");

    EXPECT_EQ(client(teleo, "accounts:lookup", {{"idToken", here.at("idToken")}}).error(),
              "INVALID_ID_TOKEN");
    EXPECT_EQ(
        client(teleo, "accounts:update", {{"idToken", here.at("idToken")}, {"displayName", "x"}}).error(),
        "INVALID_ID_TOKEN");
    EXPECT_EQ(client(teleo, "accounts:delete", {{"idToken", here.at("idToken")}}).error(),
              "INVALID_ID_TOKEN");
    EXPECT_EQ(refresh(teleo, here.at("refreshToken")).error(), "INVALID_REFRESH_TOKEN");
    client("accounts:sendOobCode", {{"requestType", "PASSWORD_RESET"}, {"email", "ann@example.com"}});
    auto code = latest_code("PASSWORD_RESET");
    ASSERT_NE(code, "");
    EXPECT_EQ(
        client(teleo, "accounts:resetPassword", {{"oobCode", code}, {"newPassword", "stolen-1"}}).error(),
        "INVALID_OOB_CODE");
    EXPECT_EQ(admin("/accounts:lookup", {{"localId", {there.at("localId")}}}).body.contains("users"), false);
    EXPECT_EQ(admin("/accounts:delete", {{"localId", there.at("localId")}}).error(), "USER_NOT_FOUND");
}

TEST_F(AuthTest, DeletesAnAccount) {
    auto ann = sign_up();
    EXPECT_EQ(client("accounts:delete", {}).error(), "MISSING_ID_TOKEN");
    EXPECT_EQ(admin("/accounts:delete", {}).error(), "MISSING_LOCAL_ID");
    EXPECT_EQ(client("accounts:delete", {{"idToken", ann.at("idToken")}}).at("kind"),
              "identitytoolkit#DeleteAccountResponse");
    EXPECT_EQ(sign_in().error(), "INVALID_LOGIN_CREDENTIALS");
    EXPECT_EQ(refresh(campus, ann.at("refreshToken")).error(), "USER_NOT_FOUND");
    // A new user with the same id does not inherit the old sessions.
    admin("/accounts", {{"localId", ann.at("localId")}, {"email", "ann@example.com"}});
    EXPECT_EQ(refresh(campus, ann.at("refreshToken")).error(), "TOKEN_EXPIRED");
}

TEST_F(AuthTest, CreateAuthUriChecksItsFields) {
    auto create = [&](const json::object& body) { return client("accounts:createAuthUri", body).error(); };
    EXPECT_EQ(create({}), "MISSING_IDENTIFIER");
    EXPECT_EQ(create({{"identifier", "a@b.example"}}), "MISSING_CONTINUE_URI");
    EXPECT_EQ(create({{"identifier", "a@b.example"}, {"continueUri", "javascript:x"}}),
              "INVALID_CONTINUE_URI");
    EXPECT_EQ(create({{"identifier", "x"}, {"continueUri", "http://localhost"}}), "INVALID_IDENTIFIER");
    EXPECT_TRUE(create({{"providerId", "google.com"}}).starts_with("OPERATION_NOT_ALLOWED : "));
}

TEST_F(AuthTest, SessionCookiesAreSignedWithAnotherIssuer) {
    auto ann = sign_up();
    auto cookie = admin(":createSessionCookie", {{"idToken", ann.at("idToken")}, {"validDuration", 3600}});
    auto jwt = crypto::parse_jwt(cookie.at("sessionCookie"));
    ASSERT_TRUE(jwt) << cookie.text;
    EXPECT_EQ(jwt->payload.at("iss"), "https://session.firebase.google.com/campus-student-lifecycle");
    EXPECT_EQ(jwt->payload.at("exp"), 1795003600);
    EXPECT_EQ(lookup(cookie.at("sessionCookie")).error(), "INVALID_ID_TOKEN");
    EXPECT_EQ(admin(":createSessionCookie", {}).error(), "MISSING_ID_TOKEN");
    EXPECT_EQ(admin(":createSessionCookie", {{"idToken", ann.at("idToken")}, {"validDuration", 299}}).error(),
              "INVALID_DURATION");
    EXPECT_EQ(
        admin(":createSessionCookie", {{"idToken", ann.at("idToken")}, {"validDuration", 1209601}}).error(),
        "INVALID_DURATION");
}

TEST_F(AuthTest, ReturnsThePasswordPolicyAndTheProject) {
    auto policy = get("/identitytoolkit.googleapis.com/v2/passwordPolicy?key=" + campus.api_key);
    EXPECT_EQ(policy.body.at("customStrengthOptions").at("minPasswordLength"), 6);
    auto project = get("/identitytoolkit.googleapis.com/v1/projects?key=" + campus.api_key);
    EXPECT_EQ(project.at("projectId"), campus.number);
    EXPECT_EQ(campus.number.size(), 12u);
}

TEST_F(AuthTest, AdminLooksUpByEveryIdentifier) {
    auto created = admin("/accounts", {{"localId", "dean-1"},
                                       {"email", "Dean@example.com"},
                                       {"password", "secret123"},
                                       {"displayName", "The Dean"},
                                       {"photoUrl", "https://example.com/d.png"},
                                       {"phoneNumber", "+639171234567"},
                                       {"emailVerified", true}});
    ASSERT_EQ(created.at("localId"), "dean-1") << created.text;
    EXPECT_FALSE(created.body.contains("idToken"));
    admin("/accounts:update", {{"localId", "dean-1"},
                               {"linkProviderUserInfo", {{"providerId", "google.com"}, {"rawId", "g-1"}}}});
    for (const json::object& by :
         {json::object{{"localId", {"dean-1"}}}, json::object{{"email", {"DEAN@example.com"}}},
          json::object{{"phoneNumber", {"+639171234567"}}},
          json::object{{"federatedUserId", {{{"providerId", "google.com"}, {"rawId", "g-1"}}}}}}) {
        auto users = admin("/accounts:lookup", by);
        ASSERT_TRUE(users.body.contains("users")) << json::serialize(by) << users.text;
        EXPECT_EQ(users.body.at("users").at(0).at("displayName"), "The Dean");
    }
    EXPECT_EQ(admin("/accounts", {{"localId", "dean-1"}}).error(), "DUPLICATE_LOCAL_ID");
    EXPECT_EQ(admin("/accounts", {{"email", "dean@example.com"}}).error(), "EMAIL_EXISTS");
    EXPECT_EQ(admin("/accounts", {{"phoneNumber", "+639171234567"}}).error(), "PHONE_NUMBER_EXISTS");
    EXPECT_EQ(admin("/accounts", {{"phoneNumber", "0917"}}).error(),
              "INVALID_PHONE_NUMBER : Invalid format.");
    EXPECT_EQ(admin("/accounts", {{"localId", ""}}).error(), "INVALID_LOCAL_ID");
    EXPECT_EQ(admin("/accounts:lookup", {{"localId", json::array(101, "x")}}).error(),
              "INVALID_ARGUMENT : localId must be a list of at most 100 strings");
}

TEST_F(AuthTest, UsersSurviveARestart) {
    auto ann = sign_up();
    reopen();
    EXPECT_EQ(sign_in().at("localId"), ann.at("localId"));
    EXPECT_EQ(lookup(ann.at("idToken")).status, 200);
    EXPECT_EQ(refresh(campus, ann.at("refreshToken")).status, 200);
    EXPECT_EQ(add_project(*auth, {"campus"}, campus.id)->api_key, campus.api_key);
}

}  // namespace integreat::firebase
