// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "cloud/firebase/api/routes.h"
#include "cloud/firebase/testing/firebase_fixture.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

std::string with_project(std::string_view pattern, const std::string& project) {
    std::string path(pattern);
    if (auto placeholder = path.find("{p}"); placeholder != std::string::npos)
        path.replace(placeholder, 3, project);
    return path;
}

}  // namespace

TEST_F(AuthTest, ReportsReadiness) {
    EXPECT_EQ(get("/").body.at("authEmulator").at("ready"), true);
}

TEST_F(AuthTest, HandlesPreflightsLikeGoogle) {
    auto response = send({.method = http::Method::options,
                          .target = "/identitytoolkit.googleapis.com/v1/accounts:signUp?key=x",
                          .headers = {{"Origin", "http://127.0.0.1:9500"},
                                      {"Access-Control-Request-Method", "POST"},
                                      {"Access-Control-Request-Headers", "content-type,x-client-version"}}});
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Origin"), "http://127.0.0.1:9500");
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Headers"), "content-type,x-client-version");
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Methods"), "GET,HEAD,PUT,PATCH,POST,DELETE");
    EXPECT_EQ(response.headers.value("Vary"), "Origin, Access-Control-Request-Headers");
}

TEST_F(AuthTest, IdentifiesTheProjectByTheKey) {
    auto with = [&](const std::string& key) {
        return send({.method = http::Method::post, .target = toolkit + ("accounts:signUp" + key)}).error();
    };
    EXPECT_EQ(campus.api_key.size(), 39u);
    EXPECT_TRUE(campus.api_key.starts_with("AIza"));
    EXPECT_EQ(with(""), "INVALID_API_KEY");
    EXPECT_EQ(with("?key=AIzaNonsense"), "API key not valid. Please pass a valid API key.");
    EXPECT_EQ(with("?key=%"), "INVALID_ARGUMENT : the query is malformed");
}

TEST_F(AuthTest, EveryRouteRefusesUnauthorizedCallers) {
    for (const auto& route : routes()) {
        auto call = [&](const std::string& project, const std::string& query, http::Headers headers,
                        std::string body = {}) {
            return send({.method = route.method,
                         .target = with_project(route.pattern, project) + query,
                         .headers = std::move(headers),
                         .body = std::move(body)});
        };
        SCOPED_TRACE(std::string(route.pattern));
        auto id = campus.id.text;
        auto good_query = route.caller == Caller::client ? "?key=" + campus.api_key : std::string();
        if (route.caller == Caller::client) {
            EXPECT_EQ(call(id, "", {{"Authorization", "Bearer owner"}}).error(), "INVALID_API_KEY");
        } else {
            EXPECT_EQ(call("no-such-project", "", {{"Authorization", "Bearer owner"}}).error(),
                      "PROJECT_NOT_FOUND");
            EXPECT_EQ(call(id, "", {{"Authorization", "Bearer owner"}, {"Host", "evil.example"}}).status,
                      403);
        }
        if (route.caller == Caller::admin) {
            EXPECT_EQ(call(id, "?key=" + campus.api_key, {}).status, 401);
            EXPECT_EQ(call(id, "", {{"Authorization", "Bearer other"}}).status, 401);
        }
        http::Headers owner{{"Authorization", "Bearer owner"}};
        EXPECT_EQ(call(id, good_query, owner, "{\"a\":").error().rfind("Invalid JSON payload received. ", 0),
                  0u);
        EXPECT_EQ(call(id, good_query, owner, R"({"tenantId":"t1"})").error(), "TENANT_NOT_FOUND");
        auto large = call(id, good_query, owner, std::string(route.max_body_bytes + 1, ' '));
        EXPECT_EQ(large.status, 413);
        EXPECT_TRUE(large.body.contains("error")) << "errors of the transport have the same shape";
    }
}

TEST_F(AuthTest, RefusesAdminRoutesForForeignSites) {
    auto response = send({.method = http::Method::get,
                          .target = "/emulator/v1/projects/" + campus.id.text + "/oobCodes",
                          .headers = {{"Origin", "https://evil.example"}}});
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.at("error").find("oobCodes"), std::string::npos);
}

TEST_F(AuthTest, AnUnknownPathNamesTheDocumentation) {
    auto response = client("accounts:fly", {});
    EXPECT_EQ(response.status, 404);
    EXPECT_NE(response.text.find("docs/reference/firebase.md"), std::string::npos);
    EXPECT_EQ(get("/identitytoolkit.googleapis.com/v1/accounts:signUp").status, 405);
    EXPECT_EQ(get("/identitytoolkit.googleapis.com/v1/projects/a/b/accounts:batchGet").status, 404);
}

TEST_F(AuthTest, AnInternalErrorHasItsCauseInTheLogOnly) {
    auto token = sign_up().at("idToken");
    auto transaction = auth->store->write();
    ASSERT_TRUE(transaction->run_script("ALTER TABLE provider_links RENAME TO gone"));
    ASSERT_TRUE(transaction->commit());
    { auto released = std::move(*transaction); }
    auto response = lookup(token);
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(response.error(), "INTERNAL");
    EXPECT_NE(cause.find("provider_links"), std::string::npos) << cause;
}

TEST_F(AuthTest, ReadsAndChangesTheConfig) {
    configure({{"emailPrivacyConfig", {{"enableImprovedEmailPrivacy", false}}}});
    auto response = tool(http::Method::get, "/config");
    EXPECT_EQ(response.body.at("emailPrivacyConfig").at("enableImprovedEmailPrivacy"), false);
    EXPECT_EQ(response.body.at("signIn").at("allowDuplicateEmails"), false);
    EXPECT_TRUE(tool(http::Method::patch, "/config", {{"signIn", {{"allowDuplicateEmails", true}}}})
                    .error()
                    .starts_with("OPERATION_NOT_ALLOWED : "));
    EXPECT_EQ(tool(http::Method::patch, "/config", {{"signIn", 7}}).error(),
              "INVALID_ARGUMENT : signIn must be an object");
}

TEST_F(AuthTest, TheManualListsEveryRoute) {
    std::ifstream file(INTEGREAT_SOURCE_DIR "/docs/reference/firebase.md");
    std::string manual(std::istreambuf_iterator<char>(file), {});
    ASSERT_FALSE(manual.empty());
    for (const auto& route : routes()) {
        auto line = "`" + std::string(http::to_string(route.method)) + " " + std::string(route.pattern) + "`";
        EXPECT_NE(manual.find(line), std::string::npos) << "docs/reference/firebase.md lacks " << line;
    }
}

}  // namespace integreat::firebase
