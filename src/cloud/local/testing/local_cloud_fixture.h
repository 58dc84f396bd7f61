// SPDX-License-Identifier: Apache-2.0
// Test fixture of the whole local cloud: two tenants, an issuer of login tokens whose keys are fetched over a
// fake network, and requests signed as SDKs sign them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "aws/sigv4.h"
#include "cloud/aws/client/client.h"
#include "cloud/aws/testing/frontend_fixture.h"
#include "cloud/local/local_cloud.h"
#include "cloud/local/provision.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/jwt.h"
#include "crypto/rsa.h"
#include "json/value/parse.h"

namespace integreat::cloud::testing {

namespace json = boost::json;

inline const crypto::RsaPrivateKey& issuer_key() {
    static const auto key = *crypto::RsaPrivateKey::generate();
    return key;
}

// A fake HTTP client that responds to every URL with the issuer's keys.
class FakeKeyServer final : public http::HttpClient {
public:
    Result<http::FullResponse> fetch(const http::ClientRequest&) override {
        ++fetches;
        auto key = issuer_key().public_key();
        json::object jwk{{"kty", "RSA"},
                         {"use", "sig"},
                         {"alg", "RS256"},
                         {"kid", "key-1"},
                         {"n", crypto::base64url_encode(key.modulus())},
                         {"e", crypto::base64url_encode(key.exponent())}};
        return http::FullResponse{.status = 200,
                                  .headers = {{"Cache-Control", "max-age=3600"}},
                                  .body = json::serialize(json::object{{"keys", json::array{jwk}}})};
    }
    int fetches = 0;
};

class LocalCloudTest : public ::testing::Test {
protected:
    LocalCloudTest() {
        open();
        campus = tenant("campus-student-lifecycle");
        evntgarde = tenant("evntgarde-event-management");
    }
    ~LocalCloudTest() override {
        cloud.reset();
        std::filesystem::remove_all(folder);
    }

    void open() {
        cloud.reset();
        auto opened = open_local_cloud({.folder = folder, .frontend = {}, .logins = {}},
                                       {.clock = clock, .random = random, .http_client = keys});
        ASSERT_TRUE(opened) << opened.error().message << opened.error().cause;
        cloud = *std::move(opened);
    }
    TenantResources tenant(const std::string& project) {
        auto resources = provision_tenant(*cloud, {.project = project, .origins = {"http://localhost:3000"}});
        EXPECT_TRUE(resources) << resources.error().message << resources.error().cause;
        return resources ? *resources : TenantResources();
    }

    // Returns the claims of a valid login token of the project.
    json::object claims(const std::string& project, const std::string& subject = "ann") {
        auto now = unix_seconds(clock.now());
        return {{"iss", "https://securetoken.google.com/" + project},
                {"aud", project},
                {"sub", subject},
                {"iat", now},
                {"auth_time", now},
                {"exp", now + 3'600}};
    }
    static std::string sign(const json::object& claims, const std::string& key_id = "key-1") {
        return crypto::sign_jwt(claims, key_id, issuer_key());
    }

    ReceivedResponse cognito(const std::string& operation, const json::object& body) {
        return send_request(
            cloud->application,
            unsigned_request({.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                                          {"X-Amz-Target", "AWSCognitoIdentityService." + operation}},
                              .body = json::serialize(body)}));
    }
    ReceivedResponse get_id(const TenantResources& tenant_resources, const std::string& project,
                            const std::string& token) {
        return cognito("GetId", {{"IdentityPoolId", tenant_resources.identity_pool},
                                 {"Logins", {{"securetoken.google.com/" + project, token}}}});
    }
    ReceivedResponse get_credentials(const std::string& identity, const std::string& project,
                                     const std::string& token) {
        return cognito(
            "GetCredentialsForIdentity",
            {{"IdentityId", identity}, {"Logins", {{"securetoken.google.com/" + project, token}}}});
    }
    static std::string get_text(const ReceivedResponse& received, const char* name) {
        auto body = integreat::json::parse_object(received.body);
        const auto* value = body ? body->if_contains(name) : nullptr;
        return value && value->is_string() ? std::string(value->get_string()) : std::string();
    }
    static std::string error_of(const ReceivedResponse& received) {
        return get_text(received, "__type") + ": " + get_text(received, "message");
    }
    // Exchanges a login token for credentials.
    Key credentials(const TenantResources& tenant_resources, const std::string& project,
                    const std::string& subject = "ann") {
        auto token = sign(claims(project, subject));
        auto response =
            get_credentials(get_text(get_id(tenant_resources, project, token), "IdentityId"), project, token);
        auto body = integreat::json::parse_object(response.body);
        EXPECT_TRUE(body && body->contains("Credentials")) << response.body;
        if (!body || !body->contains("Credentials")) return {};
        const auto& issued = body->at("Credentials").as_object();
        return {std::string(issued.at("AccessKeyId").as_string()),
                std::string(issued.at("SecretKey").as_string()),
                std::string(issued.at("SessionToken").as_string())};
    }
    Key root() const {
        auto key = cloud->iam->root_key();
        return {key->id, key->secret.reveal()};
    }
    Client root_client() const { return {cloud->frontend, make_root_credentials(*cloud)}; }
    // Calls IAM as the root of the account and expects success.
    formats::XmlElement call_iam(std::string_view action, const Parameters& parameters) const {
        auto result = root_client().call_query("iam", action, parameters);
        EXPECT_TRUE(result) << action << ": " << result.error().message;
        return result ? *std::move(result) : formats::XmlElement();
    }
    // Creates a user with an access key.
    Key make_user(const std::string& name) const {
        call_iam("CreateUser", {{"UserName", name}});
        auto created = call_iam("CreateAccessKey", {{"UserName", name}});
        return {std::string(created.value("AccessKey/AccessKeyId")),
                std::string(created.value("AccessKey/SecretAccessKey"))};
    }
    ReceivedResponse s3(http::Method method, const std::string& target, const Key& key,
                        const std::string& body = {},
                        std::vector<std::pair<std::string, std::string>> headers = {}) {
        return send_request(cloud->application, signed_request({.method = method,
                                                                .target = target,
                                                                .service = "s3",
                                                                .headers = std::move(headers),
                                                                .body = body},
                                                               key, clock.now()));
    }
    // Creates an object as a user must: with If-None-Match, so that none is replaced.
    ReceivedResponse create(const std::string& target, const Key& key, const std::string& body) {
        return s3(http::Method::put, target, key, body, {{"If-None-Match", "*"}});
    }
    ReceivedResponse form(const std::string& service, const std::string& body, const Key& key) {
        return send_request(
            cloud->application,
            signed_request({.service = service,
                            .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                            .body = body},
                           key, clock.now()));
    }

    const std::string campus_project = "campus-student-lifecycle";
    FixedClock clock;
    FixedRandom random;
    FakeKeyServer keys;
    std::string folder = ::testing::TempDir() + "local_cloud_test." + std::to_string(::getpid());
    std::unique_ptr<LocalCloud> cloud;
    TenantResources campus;
    TenantResources evntgarde;
};

}  // namespace integreat::cloud::testing
