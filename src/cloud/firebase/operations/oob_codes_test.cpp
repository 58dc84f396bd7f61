// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/store/oob_code_store.h"
#include "cloud/firebase/testing/firebase_fixture.h"

namespace integreat::firebase {

namespace json = boost::json;

class OobTest : public AuthTest {
protected:
    OobTest() : ann(sign_up()) {}
    Response ask_for(const std::string& kind, json::object more = {}) {
        more["requestType"] = kind;
        return client("accounts:sendOobCode", more);
    }
    Response ask_as_ann(const std::string& kind, json::object more = {}) {
        more["idToken"] = ann.at("idToken");
        return ask_for(kind, more);
    }
    std::string link_of(const std::string& kind) {
        auto listed = tool(http::Method::get, "/oobCodes");
        for (const auto& code : listed.body.at("oobCodes").as_array()) {
            if (code.at("requestType").as_string() == kind)
                return std::string(code.at("oobLink").as_string());
        }
        return {};
    }
    Response open_link(const std::string& link) {
        return get(link.substr(std::string("http://127.0.0.1:9099").size()));
    }
    Response ann;
};

TEST_F(OobTest, ResetsAPasswordOnce) {
    ask_for("PASSWORD_RESET", {{"email", "Ann@example.com"}});
    auto code = latest_code("PASSWORD_RESET");
    auto checked = client("accounts:resetPassword", {{"oobCode", code}});
    EXPECT_EQ(checked.at("email"), "ann@example.com");
    EXPECT_EQ(checked.at("requestType"), "PASSWORD_RESET");
    EXPECT_EQ(client("accounts:resetPassword", {{"oobCode", code}, {"newPassword", "123"}}).error(),
              "WEAK_PASSWORD : Password should be at least 6 characters");
    EXPECT_EQ(client("accounts:resetPassword", {{"oobCode", code}, {"newPassword", "new-secret"}}).status,
              200);
    EXPECT_EQ(sign_in("ann@example.com", "new-secret").status, 200);
    EXPECT_EQ(refresh(campus, ann.at("refreshToken")).error(), "TOKEN_EXPIRED");
    EXPECT_EQ(client("accounts:resetPassword", {{"oobCode", code}}).error(), "INVALID_OOB_CODE");
    EXPECT_EQ(client("accounts:resetPassword", {}).error(), "MISSING_OOB_CODE");
}

TEST_F(OobTest, CodesExpire) {
    ask_for("PASSWORD_RESET", {{"email", "ann@example.com"}});
    auto code = latest_code("PASSWORD_RESET");
    clock.advance(std::chrono::hours(1));
    EXPECT_EQ(client("accounts:resetPassword", {{"oobCode", code}, {"newPassword", "new-secret"}}).error(),
              "EXPIRED_OOB_CODE");
    EXPECT_EQ(latest_code("PASSWORD_RESET"), "");
}

TEST_F(OobTest, ACodeIsValidForItsPurposeOnly) {
    ask_as_ann("VERIFY_EMAIL");
    ask_for("PASSWORD_RESET", {{"email", "ann@example.com"}});
    EXPECT_EQ(client("accounts:resetPassword",
                     {{"oobCode", latest_code("VERIFY_EMAIL")}, {"newPassword", "abcdef"}})
                  .error(),
              "INVALID_OOB_CODE");
    EXPECT_EQ(client("accounts:update", {{"oobCode", latest_code("PASSWORD_RESET")}}).error(),
              "INVALID_OOB_CODE");
    EXPECT_EQ(client("accounts:signInWithEmailLink",
                     {{"email", "ann@example.com"}, {"oobCode", latest_code("VERIFY_EMAIL")}})
                  .error(),
              "INVALID_OOB_CODE");
}

TEST_F(OobTest, VerifiesAnAddress) {
    EXPECT_EQ(ask_for("VERIFY_EMAIL").error(), "MISSING_ID_TOKEN");
    EXPECT_EQ(ask_as_ann("VERIFY_EMAIL").at("email"), "ann@example.com");
    auto response = client("accounts:update", {{"oobCode", latest_code("VERIFY_EMAIL")}});
    EXPECT_EQ(response.at("emailVerified"), "true");
    EXPECT_EQ(lookup(ann.at("idToken")).body.at("users").at(0).at("emailVerified"), true);
    auto anonymous = client("accounts:signUp", {});
    EXPECT_EQ(ask_for("VERIFY_EMAIL", {{"idToken", anonymous.at("idToken")}}).error(), "MISSING_EMAIL");
}

TEST_F(OobTest, VerifiesAndChangesAnAddress) {
    EXPECT_EQ(ask_as_ann("VERIFY_AND_CHANGE_EMAIL").error(), "MISSING_NEW_EMAIL");
    sign_up("bob@example.com");
    EXPECT_EQ(ask_as_ann("VERIFY_AND_CHANGE_EMAIL", {{"newEmail", "bob@example.com"}}).error(),
              "EMAIL_EXISTS");
    ask_as_ann("VERIFY_AND_CHANGE_EMAIL", {{"newEmail", "ann2@example.com"}});
    auto code = latest_code("VERIFY_AND_CHANGE_EMAIL");
    EXPECT_EQ(client("accounts:resetPassword", {{"oobCode", code}}).at("newEmail"), "ann2@example.com");
    EXPECT_EQ(client("accounts:update", {{"oobCode", code}}).at("email"), "ann2@example.com");
    EXPECT_EQ(sign_in("ann2@example.com").status, 200);
}

TEST_F(OobTest, SignsInWithALink) {
    EXPECT_EQ(ask_for("EMAIL_SIGNIN").error(), "MISSING_EMAIL");
    ask_for("EMAIL_SIGNIN",
            {{"email", "new@example.com"}, {"continueUrl", "http://localhost:5173/done?a=1#x"}});
    auto code = latest_code("EMAIL_SIGNIN");
    EXPECT_FALSE(client("accounts:resetPassword", {{"oobCode", code}}).body.contains("email"));
    auto with = [&](const json::object& body) { return client("accounts:signInWithEmailLink", body); };
    EXPECT_EQ(with({{"oobCode", code}}).error(), "MISSING_EMAIL");
    EXPECT_EQ(with({{"email", "new@example.com"}}).error(), "MISSING_OOB_CODE");
    EXPECT_EQ(with({{"email", "ann@example.com"}, {"oobCode", code}}).error(),
              "INVALID_EMAIL : The email provided does not match the sign-in email address.");
    auto link = open_link(link_of("EMAIL_SIGNIN"));
    EXPECT_EQ(link.status, 302);
    EXPECT_EQ(link.headers.value("Location"), "http://localhost:5173/done?a=1&mode=signIn&lang=en&oobCode=" +
                                                  code + "&apiKey=" + campus.api_key + "#x");
    auto response = with({{"email", "New@example.com"}, {"oobCode", code}});
    EXPECT_EQ(response.at("isNewUser"), "true") << response.text;
    EXPECT_EQ(
        lookup(response.at("idToken")).body.at("users").at(0).at("providerUserInfo").at(0).at("providerId"),
        "password");
    EXPECT_EQ(with({{"email", "new@example.com"}, {"oobCode", code}}).error(), "INVALID_OOB_CODE");
}

TEST_F(OobTest, ASignInLinkRemovesTheUnverifiedPassword) {
    ask_for("EMAIL_SIGNIN", {{"email", "ann@example.com"}});
    auto response = client("accounts:signInWithEmailLink",
                           {{"email", "ann@example.com"}, {"oobCode", latest_code("EMAIL_SIGNIN")}});
    EXPECT_EQ(response.at("localId"), ann.at("localId"));
    EXPECT_EQ(sign_in().error(), "INVALID_LOGIN_CREDENTIALS");
}

TEST_F(OobTest, RefusesInvalidRequests) {
    EXPECT_EQ(ask_for("").error(), "MISSING_REQ_TYPE");
    EXPECT_EQ(ask_for("SING").error(), "INVALID_REQ_TYPE : requestType SING is unknown");
    EXPECT_EQ(ask_for("PASSWORD_RESET").error(), "MISSING_EMAIL");
    EXPECT_EQ(ask_for("PASSWORD_RESET", {{"email", "x"}}).error(), "INVALID_EMAIL");
    EXPECT_EQ(ask_for("PASSWORD_RESET", {{"email", "ann@example.com"}, {"returnOobLink", true}}).error(),
              "INSUFFICIENT_PERMISSION");
    EXPECT_EQ(
        ask_for("PASSWORD_RESET", {{"email", "ann@example.com"}, {"continueUrl", "javascript:alert(1)"}})
            .error(),
        "INVALID_CONTINUE_URI : an absolute URL with http or https is needed");
}

TEST_F(OobTest, AdminGetsTheLink) {
    auto response =
        admin("/accounts:sendOobCode",
              {{"requestType", "VERIFY_EMAIL"}, {"email", "ann@example.com"}, {"returnOobLink", true}});
    EXPECT_EQ(response.at("oobLink"),
              "http://127.0.0.1:9099/emulator/action?mode=verifyEmail&lang=en&oobCode=" +
                  response.at("oobCode") + "&apiKey=" + campus.api_key);
    auto page = open_link(response.at("oobLink"));
    EXPECT_NE(page.text.find("Your address has been verified"), std::string::npos) << page.text;
    EXPECT_NE(open_link(response.at("oobLink")).text.find("This link does not work"), std::string::npos);
    EXPECT_EQ(
        admin("/accounts:sendOobCode",
              {{"requestType", "PASSWORD_RESET"}, {"email", "nobody@example.com"}, {"returnOobLink", true}})
            .error(),
        "EMAIL_NOT_FOUND");
    EXPECT_EQ(
        admin("/accounts:sendOobCode",
              {{"requestType", "VERIFY_EMAIL"}, {"email", "nobody@example.com"}, {"returnOobLink", true}})
            .error(),
        "USER_NOT_FOUND");
}

TEST_F(OobTest, ThePageShowsAFormForTheNewPassword) {
    ask_for("PASSWORD_RESET",
            {{"email", "ann@example.com"}, {"continueUrl", "http://localhost:5173/\"><script>"}});
    auto form = open_link(link_of("PASSWORD_RESET"));
    EXPECT_EQ(form.status, 200);
    EXPECT_NE(form.text.find("For ann@example.com"), std::string::npos) << form.text;
    EXPECT_EQ(form.text.find("<script>"), std::string::npos) << "what the link says is escaped";
    auto sent = [&](const std::string& password) {
        return send({.method = http::Method::post,
                     .target = "/emulator/action",
                     .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                     .body = "mode=resetPassword&oobCode=" + latest_code("PASSWORD_RESET") +
                             "&apiKey=" + campus.api_key + "&newPassword=" + password})
            .text;
    };
    EXPECT_NE(sent("123").find("The password is too short"), std::string::npos);
    EXPECT_NE(sent("new-secret").find("The password has been changed"), std::string::npos);
    EXPECT_EQ(sign_in("ann@example.com", "new-secret").status, 200);
}

TEST_F(OobTest, ThePageRefusesInvalidLinks) {
    EXPECT_EQ(get("/emulator/action?mode=verifyEmail&apiKey=x").status, 400);
    EXPECT_EQ(get("/emulator/action?mode=dance&apiKey=" + campus.api_key).status, 400);
    EXPECT_EQ(
        get("/emulator/action?mode=signIn&apiKey=" + campus.api_key + "&continueUrl=javascript:x").status,
        400);
    EXPECT_EQ(get("/emulator/action?mode=resetPassword&oobCode=x&apiKey=" + campus.api_key).status, 400);
}

TEST_F(OobTest, KeepsTwentyCodesPerAddress) {
    for (int i = 0; i <= oob_codes_per_email_max; ++i) {
        clock.advance(std::chrono::milliseconds(1));
        ask_for("PASSWORD_RESET", {{"email", "ann@example.com"}});
    }
    EXPECT_EQ(tool(http::Method::get, "/oobCodes").body.at("oobCodes").as_array().size(), 20u);
}

}  // namespace integreat::firebase
