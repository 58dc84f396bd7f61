// SPDX-License-Identifier: Apache-2.0
// Provisioning again and after an interruption, and the client that it uses against the real services.
#include "cloud/local/provision.h"

#include "cloud/aws/dispatch/decision_log.h"
#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud {
namespace {

using namespace testing;
using http::Method;

class ProvisionTest : public LocalCloudTest {
protected:
    std::string allowed_origins(const TenantResources& resources) {
        auto response = root_client().call_rest({.path = "/" + resources.bucket, .query = {{"cors", ""}}});
        EXPECT_TRUE(response) << response.error().message;
        std::string origins;
        auto rules = formats::parse_xml(response ? response->body : "<a/>");
        for (const auto& element : rules->child("CORSRule")->children)
            if (element.name == "AllowedOrigin") origins += element.text + " ";
        return origins;
    }
    void put_policy_that_denies_everything(const std::string& bucket) {
        auto policy =
            R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*",)"
            R"("Resource":"arn:aws:s3:::)" +
            bucket + R"("}]})";
        auto response = root_client().call_rest(
            {.method = Method::put, .path = "/" + bucket, .query = {{"policy", ""}}, .body = policy});
        EXPECT_TRUE(response) << response.error().message;
    }
};

TEST_F(ProvisionTest, ChangesNothingTheSecondTime) {
    auto again = tenant(campus_project);
    EXPECT_EQ(again.identity_pool, campus.identity_pool);
    EXPECT_EQ(again.role, campus.role);
    EXPECT_EQ(cloud->iam->directory()->roles.size(), 4u);
}

TEST_F(ProvisionTest, CompletesAnInterruptedRun) {
    call_iam("DeleteRolePolicy", {{"RoleName", "campus-student-lifecycle-TenantUserRole"},
                                  {"PolicyName", "TenantUserRoleDefaultPolicy"}});
    auto key = credentials(campus, campus_project);
    auto object = "/" + campus.bucket + "/users/ann/a";
    EXPECT_EQ(create(object, key, "x").status, 403);
    tenant(campus_project);
    EXPECT_EQ(create(object, key, "x").status, 200);
}

// A tenant as earlier versions made it: the whole bucket for every user, no versions, no session tags.
TEST_F(ProvisionTest, NarrowsTheRoleOfAnEarlierVersion) {
    auto role = campus_project + "-TenantUserRole";
    auto put_old = [&](const std::string& action, const std::string& resource) {
        call_iam("PutRolePolicy",
                 {{"RoleName", role},
                  {"PolicyName", "TenantUserRoleDefaultPolicy"},
                  {"PolicyDocument", R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":")" +
                                         action + R"(","Resource":")" + resource + R"("}]})"}});
    };
    auto arn = "arn:aws:s3:::" + campus.bucket;
    put_old("s3:*Object", arn + "/*");
    auto bob = credentials(campus, campus_project, "bob");
    ASSERT_EQ(create("/" + campus.bucket + "/applicants/bob.pdf", bob, "x").status, 200);
    tenant(campus_project);
    auto ann = credentials(campus, campus_project, "ann");
    EXPECT_EQ(s3(Method::get, "/" + campus.bucket + "/applicants/bob.pdf", ann).status, 403);
    EXPECT_EQ(s3(Method::get, "/" + campus.bucket + "/applicants/bob.pdf", bob).status, 403)
        << "sessions made before have the new policy at once";
}

TEST_F(ProvisionTest, TheGatewayReadsFilesAsARoleOfTheirTenantOnly) {
    for (const auto& bucket : {campus.bucket, evntgarde.bucket})
        ASSERT_EQ(s3(Method::put, "/" + bucket + "/a", root(), "x").status, 200);
    auto created = provision_gateway_user(*cloud);
    ASSERT_TRUE(created) << created.error().cause;
    Client gateway(cloud->frontend, *created);
    EXPECT_EQ(gateway.call_rest({.path = "/" + campus.bucket + "/a"}).error().code, "AccessDenied");
    auto assume = [](const Client& client, const std::string& role) {
        return client.call_query("sts", "AssumeRole",
                                 {{"RoleArn", "arn:aws:iam::000000000000:role/" + role},
                                  {"RoleSessionName", "integreat-gateway"}});
    };
    EXPECT_EQ(assume(gateway, campus_project + "-TenantUserRole").error().code, "AccessDenied");
    auto session = assume(gateway, campus_project + "-RecordFilesRole");
    ASSERT_TRUE(session) << session.error().message;
    Client reader(cloud->frontend,
                  {.access_key_id = std::string(session->value("Credentials/AccessKeyId")),
                   .secret_key = Secret(std::string(session->value("Credentials/SecretAccessKey"))),
                   .session_token = std::string(session->value("Credentials/SessionToken"))});
    EXPECT_TRUE(reader.call_rest({.path = "/" + campus.bucket + "/a"}));
    EXPECT_EQ(reader.call_rest({.path = "/" + evntgarde.bucket + "/a"}).error().code, "AccessDenied");
    for (auto method : {Method::put, Method::del}) {
        auto path = "/" + campus.bucket + "/a";
        EXPECT_EQ(reader.call_rest({.method = method, .path = path}).error().code, "AccessDenied");
    }
    Client user(cloud->frontend, to_credentials(credentials(campus, campus_project)));
    EXPECT_EQ(assume(user, campus_project + "-RecordFilesRole").error().code, "AccessDenied");
    ASSERT_TRUE(provision_gateway_user(*cloud));
    EXPECT_FALSE(assume(gateway, campus_project + "-RecordFilesRole")) << "an earlier key ends";
}

TEST_F(ProvisionTest, AllowsTheNewOriginsOfATenant) {
    EXPECT_EQ(allowed_origins(campus), "http://localhost:3000 ");
    auto again = provision_tenant(
        *cloud, {.project = campus_project, .origins = {"http://localhost:4000", "http://a.example"}});
    ASSERT_TRUE(again) << again.error().cause;
    EXPECT_EQ(allowed_origins(campus), "http://localhost:4000 http://a.example ");
}

TEST_F(ProvisionTest, RestoresADeletedPublicAccessBlock) {
    RestCall call{.path = "/" + campus.bucket, .query = {{"publicAccessBlock", ""}}};
    call.method = Method::del;
    ASSERT_TRUE(root_client().call_rest(call));
    call.method = Method::get;
    EXPECT_EQ(root_client().call_rest(call).error().code, "NoSuchPublicAccessBlockConfiguration");
    tenant(campus_project);
    auto response = root_client().call_rest(call);
    ASSERT_TRUE(response);
    EXPECT_EQ(formats::parse_xml(response->body)->value("RestrictPublicBuckets"), "true");
}

TEST_F(ProvisionTest, CallsNothingIfEverythingIsThere) {
    put_policy_that_denies_everything(campus.bucket);
    auto refusals = cloud->frontend.decisions->size();
    tenant(campus_project);
    EXPECT_EQ(cloud->frontend.decisions->size(), refusals);
}

TEST_F(ProvisionTest, SaysWhichCallFailed) {
    put_policy_that_denies_everything(campus.bucket);
    auto failed = provision_tenant(*cloud, {.project = campus_project, .origins = {"http://a.example"}});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message,
              "provisioning of a tenant failed at PUT /campus-student-lifecycle-tenant-bucket?cors");
    EXPECT_TRUE(failed.error().cause.starts_with("AccessDenied: ")) << failed.error().cause;
}

TEST(Provision, WorksInEveryRegion) {
    auto folder = ::testing::TempDir() + "provision_test." + std::to_string(::getpid());
    FixedClock clock;
    FixedRandom random;
    FakeKeyServer keys;
    for (const char* region : {"us-east-1", "ap-southeast-1"}) {
        auto cloud = *open_local_cloud({.folder = folder, .frontend = {.region = region}, .logins = {}},
                                       {.clock = clock, .random = random, .http_client = keys});
        auto resources = provision_tenant(*cloud, {.project = "campus", .origins = {"http://a.example"}});
        ASSERT_TRUE(resources) << resources.error().message << resources.error().cause;
        EXPECT_TRUE(resources->identity_pool.starts_with(region)) << resources->identity_pool;
        cloud.reset();
        std::filesystem::remove_all(folder);
    }
}

TEST_F(ProvisionTest, TheClientCallsEveryKindOfService) {
    auto client = root_client();
    auto role = client.call_query("iam", "GetRole", {{"RoleName", campus_project + "-TenantUserRole"}});
    ASSERT_TRUE(role) << role.error().message;
    EXPECT_EQ(role->value("Role/Arn"), campus.role);
    EXPECT_EQ(client.call_query("iam", "GetRole", {{"RoleName", "unknown"}}).error().code, "NoSuchEntity");

    ASSERT_TRUE(
        client.call_json("ssm", "PutParameter", {{"Name", "/a/b"}, {"Value", "text"}, {"Type", "String"}}));
    auto parameter = client.call_json("ssm", "GetParameter", {{"Name", "/a/b"}});
    ASSERT_TRUE(parameter) << parameter.error().message;
    EXPECT_EQ(parameter->at("Parameter").at("Value"), "text");
    EXPECT_EQ(client.call_json("ssm", "GetParameter", {{"Name", "/c"}}).error().code, "ParameterNotFound");

    ASSERT_TRUE(client.call_rest({.service = "ses",
                                  .method = Method::post,
                                  .path = "/v2/email/identities",
                                  .body = R"({"EmailIdentity":"ann@school.example"})"}));
    auto identity = client.call_rest({.service = "ses", .path = "/v2/email/identities/ann@school.example"});
    EXPECT_TRUE(identity) << identity.error().message;
    auto unknown = client.call_rest({.service = "ses", .path = "/v2/email/identities/bob@school.example"});
    EXPECT_EQ(unknown.error().code, "NotFoundException");
}

// Large objects are streamed in both directions; HEAD has no body.
TEST_F(ProvisionTest, TheClientStoresLargeObjects) {
    auto client = root_client();
    std::string content(3 * 1024 * 1024, 'x');
    auto path = "/" + campus.bucket + "/a folder/a+b ü";
    auto stored = client.call_rest({.method = Method::put, .path = path, .body = content});
    ASSERT_TRUE(stored) << stored.error().message;
    auto loaded = client.call_rest({.path = path});
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_TRUE(loaded->body == content);
    EXPECT_EQ(loaded->headers.value("ETag"), stored->headers.value("ETag"));
    auto head = client.call_rest({.method = Method::head, .path = path});
    ASSERT_TRUE(head);
    EXPECT_EQ(head->headers.value("Content-Length"), std::to_string(content.size()));
    EXPECT_TRUE(head->body.empty());
    EXPECT_EQ(client.call_rest({.method = Method::head, .path = path + "c"}).error().code, "NoSuchKey");
    EXPECT_EQ(client.call_rest({.path = path, .max_response_bytes = 1'000}).error().status, 400);
}

TEST_F(ProvisionTest, TheClientHasThePermissionsOfItsCredentials) {
    Client user(cloud->frontend, to_credentials(credentials(campus, campus_project)));
    EXPECT_TRUE(user.call_rest({.method = Method::put,
                                .path = "/" + campus.bucket + "/users/ann/a",
                                .headers = {{"If-None-Match", "*"}},
                                .body = "x"}));
    auto refused = user.call_rest({.path = "/" + evntgarde.bucket + "/a"});
    EXPECT_EQ(refused.error().status, 403);
    EXPECT_EQ(refused.error().code, "AccessDenied");
    EXPECT_EQ(user.call_query("iam", "ListUsers").error().code, "AccessDenied");
}

}  // namespace
}  // namespace integreat::cloud
