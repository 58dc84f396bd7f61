// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/testing/firebase_fixture.h"
#include "crypto/encoding.h"
#include "crypto/jwt.h"
#include "http/routing/target.h"

namespace integreat::firebase {

namespace json = boost::json;

class IdpTest : public AuthTest {
protected:
    Response google(const json::object& claims, json::object more = {}) {
        more["requestUri"] = "http://localhost";
        more["postBody"] =
            "&id_token=" + http::percent_encode(json::serialize(claims)) + "&providerId=google.com";
        return client("accounts:signInWithIdp", more);
    }
    Response post(const std::string& body) {
        return client("accounts:signInWithIdp", {{"requestUri", "http://localhost"}, {"postBody", body}});
    }
    const json::object goo{
        {"sub", "g-123"}, {"email", "Goo@example.com"}, {"email_verified", true}, {"name", "Goo"}};
};

TEST_F(IdpTest, SignsInWithAGoogleAccount) {
    auto response = google(goo);
    ASSERT_EQ(response.status, 200) << response.text;
    EXPECT_EQ(response.at("isNewUser"), "true");
    EXPECT_EQ(response.at("providerId"), "google.com");
    EXPECT_EQ(response.at("federatedId"), "https://accounts.google.com/g-123");
    EXPECT_EQ(response.at("email"), "goo@example.com");
    EXPECT_EQ(response.at("emailVerified"), "true");
    EXPECT_EQ(response.at("fullName"), "Goo");
    EXPECT_EQ(json::parse(response.at("rawUserInfo")).at("id"), "g-123");
    auto token = crypto::parse_jwt(response.at("idToken"))->payload;
    EXPECT_EQ(json::serialize(token.at("firebase").at("identities")),
              R"({"email":["goo@example.com"],"google.com":["g-123"]})");
    EXPECT_EQ(token.at("firebase").at("sign_in_provider"), "google.com");
    auto again = google(goo);
    EXPECT_EQ(again.at("isNewUser"), "false");
    EXPECT_EQ(again.at("localId"), response.at("localId"));
}

TEST_F(IdpTest, AcceptsAJwt) {
    auto jwt = crypto::base64url_encode(R"({"alg":"none"})") + "." +
               crypto::base64url_encode(R"({"sub":"g-9"})") + ".";
    EXPECT_EQ(post("id_token=" + jwt + "&providerId=google.com").status, 200);
}

TEST_F(IdpTest, RefusesInvalidAssertions) {
    EXPECT_EQ(client("accounts:signInWithIdp", {}).error(), "MISSING_REQUEST_URI");
    EXPECT_EQ(client("accounts:signInWithIdp", {{"requestUri", "x"}}).error(), "INVALID_REQUEST_URI");
    EXPECT_EQ(post("id_token=x").error(),
              "INVALID_CREDENTIAL_OR_PROVIDER_ID : Invalid IdP response/credential: providerId=");
    EXPECT_EQ(post("providerId=password&id_token=x").error(),
              "INVALID_CREDENTIAL_OR_PROVIDER_ID : Invalid IdP response/credential: providerId=password");
    EXPECT_EQ(post("providerId=google.com").error(), "INVALID_IDP_RESPONSE : postBody needs an id_token");
    for (const char* token : {"id_token=nonsense", "access_token=ya29.real", "id_token=%7B%22sub%22",
                              "id_token=%7B%7D", "id_token=%7B%22sub%22%3A7%7D"}) {
        EXPECT_TRUE(post(std::string("providerId=google.com&") + token)
                        .error()
                        .starts_with("INVALID_IDP_RESPONSE : "))
            << token;
    }
}

TEST_F(IdpTest, RequestsConfirmationForAnUnverifiedAddressInUse) {
    auto known = sign_up("goo@example.com");
    auto response = google({{"sub", "g-123"}, {"email", "goo@example.com"}});
    EXPECT_EQ(response.at("needConfirmation"), "true");
    EXPECT_FALSE(response.body.contains("idToken"));
}

TEST_F(IdpTest, RemovesThePasswordOfAnUnverifiedAddress) {
    auto squatter = sign_up("goo@example.com");
    clock.advance(std::chrono::seconds(1));
    auto owner = google(goo);
    EXPECT_EQ(owner.at("localId"), squatter.at("localId"));
    EXPECT_EQ(sign_in("goo@example.com").error(), "INVALID_LOGIN_CREDENTIALS");
    EXPECT_EQ(refresh(campus, squatter.at("refreshToken")).error(), "TOKEN_EXPIRED");
    EXPECT_EQ(lookup(squatter.at("idToken")).error(), "TOKEN_EXPIRED");
}

TEST_F(IdpTest, LinksToTheSignedInUserOnce) {
    auto ann = sign_up();
    auto linked = google(goo, {{"idToken", ann.at("idToken")}});
    EXPECT_EQ(linked.at("localId"), ann.at("localId"));
    EXPECT_EQ(google(goo, {{"idToken", ann.at("idToken")}}).error(), "FEDERATED_USER_ID_ALREADY_LINKED");
    auto bob = sign_up("bob@example.com");
    EXPECT_EQ(
        google({{"sub", "g-5"}, {"email", "ann@example.com"}}, {{"idToken", bob.at("idToken")}}).error(),
        "EMAIL_EXISTS");
    auto unlinked =
        client("accounts:update", {{"idToken", ann.at("idToken")}, {"deleteProvider", {"google.com"}}});
    EXPECT_EQ(unlinked.body.at("providerUserInfo").as_array().size(), 1u);
}

TEST_F(IdpTest, RefusesADisabledUser) {
    admin("/accounts:update", {{"localId", google(goo).at("localId")}, {"disableUser", true}});
    EXPECT_EQ(google(goo).error(), "USER_DISABLED");
}

}  // namespace integreat::firebase
