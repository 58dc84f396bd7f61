// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/store/limits.h"
#include "cloud/firebase/testing/firebase_fixture.h"
#include "crypto/certificate.h"
#include "crypto/jwt.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

std::string verified_payload(const std::string& token, const json::object& certificates) {
    auto jwt = crypto::parse_jwt(token);
    EXPECT_TRUE(jwt);
    EXPECT_EQ(jwt->header.at("alg").as_string(), "RS256");
    auto certificate =
        crypto::parse_certificate(certificates.at(jwt->header.at("kid").as_string()).as_string());
    EXPECT_TRUE(certificate);
    EXPECT_TRUE(certificate->key.verify_rs256(jwt->signing_input, jwt->signature));
    return json::serialize(jwt->payload);
}

}  // namespace

TEST_F(AuthTest, SignsUpWithATokenSignedByThePublishedKey) {
    auto response = sign_up("Ann@Example.com");

    ASSERT_EQ(response.status, 200) << response.text;
    EXPECT_EQ(response.at("kind"), "identitytoolkit#SignupNewUserResponse");
    EXPECT_EQ(response.at("email"), "ann@example.com");
    EXPECT_EQ(response.at("expiresIn"), "3600");
    EXPECT_EQ(response.at("localId").size(), 28u);
    EXPECT_GE(response.at("refreshToken").size(), 64u);
    auto payload = verified_payload(response.at("idToken"), get(certificates_path).body);
    json::object expected{
        {"iss", "https://securetoken.google.com/campus-student-lifecycle"},
        {"aud", "campus-student-lifecycle"},
        {"auth_time", 1795000000},
        {"user_id", response.at("localId")},
        {"sub", response.at("localId")},
        {"iat", 1795000000},
        {"exp", 1795003600},
        {"email", "ann@example.com"},
        {"email_verified", false},
        {"firebase",
         {{"identities", {{"email", json::array{"ann@example.com"}}}}, {"sign_in_provider", "password"}}}};
    EXPECT_EQ(json::parse(payload), json::value(expected));
}

TEST_F(AuthTest, RefusesInvalidSignUps) {
    ASSERT_EQ(sign_up().status, 200);
    EXPECT_EQ(sign_up("ANN@example.com").error(), "EMAIL_EXISTS");
    EXPECT_EQ(sign_up("ann").error(), "INVALID_EMAIL");
    EXPECT_EQ(sign_up(std::string(250, 'a') + "@b.example").error(), "INVALID_EMAIL");
    EXPECT_EQ(sign_up("bob@example.com", "12345").error(),
              "WEAK_PASSWORD : Password should be at least 6 characters");
    EXPECT_EQ(sign_up("bob@example.com", std::string(4097, 'x')).error(),
              "PASSWORD_DOES_NOT_MEET_REQUIREMENTS : Password may contain at most 4096 characters");
    EXPECT_EQ(client("accounts:signUp", {{"email", "bob@example.com"}}).error(), "MISSING_PASSWORD");
    EXPECT_EQ(client("accounts:signUp", {{"password", "secret123"}}).error(), "MISSING_EMAIL");
    EXPECT_EQ(client("accounts:signUp", {{"localId", "mine"}}).error(), "UNEXPECTED_PARAMETER : User ID");
    EXPECT_EQ(client("accounts:signUp", {{"email", 7}}).error(),
              "INVALID_ARGUMENT : email must be a string of at most 2048 bytes");
}

TEST_F(AuthTest, CountsTheCharactersOfAPassword) {
    EXPECT_EQ(sign_up("a@example.com", "ééééé").error(),
              "WEAK_PASSWORD : Password should be at least 6 characters");
    EXPECT_EQ(sign_up("a@example.com", "éééééé").status, 200);
}

TEST_F(AuthTest, FollowsTheProjectConfiguration) {
    configure(
        {{"signIn",
          {{"email", {{"enabled", false}, {"linkEnabled", false}}}, {"anonymous", {{"enabled", false}}}}}});
    EXPECT_EQ(sign_up().error(), "OPERATION_NOT_ALLOWED");
    EXPECT_EQ(sign_in().error(), "PASSWORD_LOGIN_DISABLED");
    EXPECT_EQ(client("accounts:signUp", {}).error(), "ADMIN_ONLY_OPERATION");
    EXPECT_EQ(client("accounts:resetPassword", {{"oobCode", "x"}}).error(), "PASSWORD_LOGIN_DISABLED");
    EXPECT_EQ(
        client("accounts:sendOobCode", {{"requestType", "EMAIL_SIGNIN"}, {"email", "a@b.example"}}).error(),
        "OPERATION_NOT_ALLOWED");
    EXPECT_EQ(client("accounts:signInWithEmailLink", {{"email", "a@b.example"}, {"oobCode", "x"}}).error(),
              "OPERATION_NOT_ALLOWED");
}

TEST_F(AuthTest, SignsInIgnoringTheCaseOfTheAddress) {
    sign_up();
    clock.advance(std::chrono::seconds(90));
    auto response = sign_in("ANN@EXAMPLE.COM");

    ASSERT_EQ(response.status, 200) << response.text;
    EXPECT_EQ(response.at("kind"), "identitytoolkit#VerifyPasswordResponse");
    EXPECT_EQ(response.at("registered"), "true");
    EXPECT_EQ(crypto::parse_jwt(response.at("idToken"))->payload.at("auth_time"), 1795000090);
}

TEST_F(AuthTest, DoesNotRevealWhetherAnAccountExists) {
    sign_up();
    EXPECT_EQ(sign_in("ann@example.com", "wrong-one").error(), "INVALID_LOGIN_CREDENTIALS");
    EXPECT_EQ(sign_in("bob@example.com", "wrong-one").error(), "INVALID_LOGIN_CREDENTIALS");
    auto known =
        client("accounts:createAuthUri", {{"identifier", "ann@example.com"}, {"continueUri", "http://a"}});
    EXPECT_FALSE(known.body.contains("registered"));
    EXPECT_FALSE(known.body.contains("signinMethods"));
    auto reset =
        client("accounts:sendOobCode", {{"requestType", "PASSWORD_RESET"}, {"email", "bob@example.com"}});
    EXPECT_EQ(reset.at("email"), "bob@example.com");
    EXPECT_EQ(latest_code("PASSWORD_RESET"), "");
}

TEST_F(AuthTest, RevealsTheExistenceIfTheProjectAllowsIt) {
    configure({{"emailPrivacyConfig", {{"enableImprovedEmailPrivacy", false}}}});
    sign_up();
    EXPECT_EQ(sign_in("ann@example.com", "wrong-one").error(), "INVALID_PASSWORD");
    EXPECT_EQ(sign_in("bob@example.com", "wrong-one").error(), "EMAIL_NOT_FOUND");
    EXPECT_EQ(
        client("accounts:sendOobCode", {{"requestType", "PASSWORD_RESET"}, {"email", "bob@example.com"}})
            .error(),
        "EMAIL_NOT_FOUND");
    auto known =
        client("accounts:createAuthUri", {{"identifier", "ann@example.com"}, {"continueUri", "http://a"}});
    EXPECT_EQ(known.at("registered"), "true");
    EXPECT_EQ(known.at("signinMethods"), R"(["password"])");
}

TEST_F(AuthTest, RefusesIncompleteSignInsAndDisabledUsers) {
    auto uid = sign_up().at("localId");
    EXPECT_EQ(client("accounts:signInWithPassword", {{"password", "secret123"}}).error(), "MISSING_EMAIL");
    EXPECT_EQ(client("accounts:signInWithPassword", {{"email", "ann@example.com"}}).error(),
              "MISSING_PASSWORD");
    EXPECT_EQ(sign_in("ann at example").error(), "INVALID_EMAIL");
    ASSERT_EQ(admin("/accounts:update", {{"localId", uid}, {"disableUser", true}}).status, 200);
    EXPECT_EQ(sign_in().error(), "USER_DISABLED");
}

TEST_F(AuthTest, LimitsGuessingPerAccount) {
    sign_up();
    for (int i = 0; i < failures_per_email_max; ++i)
        sign_in("ann@example.com", "wrong-one");
    EXPECT_TRUE(sign_in().error().starts_with("TOO_MANY_ATTEMPTS_TRY_LATER : "));
    EXPECT_EQ(sign_in("bob@example.com").error(), "INVALID_LOGIN_CREDENTIALS");
    clock.advance(failure_window);
    EXPECT_EQ(sign_in().status, 200);
}

TEST_F(AuthTest, ResetsFailuresAfterASuccess) {
    sign_up();
    for (int round = 0; round < 2; ++round) {
        for (int i = 1; i < failures_per_email_max; ++i)
            sign_in("ann@example.com", "wrong-one");
        EXPECT_EQ(sign_in().status, 200);
    }
}

TEST_F(AuthTest, SignsInAnonymouslyAndLinksAnAddress) {
    auto anonymous = client("accounts:signUp", {{"returnSecureToken", true}});
    ASSERT_EQ(anonymous.status, 200) << anonymous.text;
    auto payload = crypto::parse_jwt(anonymous.at("idToken"))->payload;
    EXPECT_EQ(payload.at("provider_id"), "anonymous");
    EXPECT_EQ(payload.at("firebase").at("sign_in_provider"), "anonymous");
    EXPECT_FALSE(payload.contains("email"));

    auto linked = client(
        "accounts:signUp",
        {{"idToken", anonymous.at("idToken")}, {"email", "ann@example.com"}, {"password", "secret123"}});
    EXPECT_EQ(linked.at("localId"), anonymous.at("localId"));
    EXPECT_EQ(sign_in().at("localId"), anonymous.at("localId"));
}

TEST_F(AuthTest, RefreshKeepsTheTimeOfSignIn) {
    auto session = sign_up();
    clock.advance(std::chrono::hours(2));
    auto fresh = refresh(campus, session.at("refreshToken"));

    ASSERT_EQ(fresh.status, 200) << fresh.text;
    EXPECT_EQ(fresh.at("refresh_token"), session.at("refreshToken"));
    EXPECT_EQ(fresh.at("access_token"), fresh.at("id_token"));
    EXPECT_EQ(fresh.at("token_type"), "Bearer");
    EXPECT_EQ(fresh.at("expires_in"), "3600");
    EXPECT_EQ(fresh.at("user_id"), session.at("localId"));
    EXPECT_EQ(fresh.at("project_id"), campus.number);
    auto payload = crypto::parse_jwt(fresh.at("id_token"))->payload;
    EXPECT_EQ(payload.at("auth_time"), 1795000000);
    EXPECT_EQ(payload.at("iat"), 1795007200);
}

TEST_F(AuthTest, RefusesExpiredRefreshTokens) {
    auto session = sign_up();
    auto token = session.at("refreshToken");
    auto with = [&](const std::string& form) {
        return send({.method = http::Method::post,
                     .target = "/securetoken.googleapis.com/v1/token?key=" + campus.api_key,
                     .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                     .body = form})
            .error();
    };
    EXPECT_EQ(with(""), "MISSING_GRANT_TYPE");
    EXPECT_EQ(with("grant_type=password"), "INVALID_GRANT_TYPE");
    EXPECT_EQ(with("grant_type=refresh_token"), "MISSING_REFRESH_TOKEN");
    EXPECT_EQ(refresh(campus, "nonsense").error(), "INVALID_REFRESH_TOKEN");

    admin("/accounts:update", {{"localId", session.at("localId")}, {"disableUser", true}});
    EXPECT_EQ(refresh(campus, token).error(), "USER_DISABLED");
    admin("/accounts:update", {{"localId", session.at("localId")}, {"disableUser", false}});
    EXPECT_EQ(refresh(campus, token).status, 200);
    admin("/accounts:update", {{"localId", session.at("localId")}, {"validSince", 1795000000}});
    EXPECT_EQ(refresh(campus, token).error(), "TOKEN_EXPIRED");
    admin("/accounts:delete", {{"localId", session.at("localId")}});
    EXPECT_EQ(refresh(campus, token).error(), "USER_NOT_FOUND");
}

TEST_F(AuthTest, KeepsAHundredRefreshTokensPerUser) {
    auto first = sign_up().at("refreshToken");
    for (int i = 0; i < 99; ++i) {
        clock.advance(std::chrono::seconds(1));
        client(
            "accounts:signInWithIdp",
            {{"requestUri", "http://localhost"},
             {"postBody",
              "providerId=google.com&id_token=%7B%22sub%22%3A%22g%22%2C%22email%22%3A%22ann%40example.com%22"
              "%2C%22email_verified%22%3Atrue%7D"}});
    }
    // The provider verified the address, so the earlier session is revoked and still reported as revoked.
    EXPECT_EQ(refresh(campus, first).error(), "TOKEN_EXPIRED");
    clock.advance(std::chrono::seconds(1));
    client("accounts:signInWithIdp",
           {{"requestUri", "http://localhost"},
            {"postBody", "providerId=google.com&id_token=%7B%22sub%22%3A%22g%22%7D"}});
    EXPECT_EQ(refresh(campus, first).error(), "INVALID_REFRESH_TOKEN");
}

}  // namespace integreat::firebase
