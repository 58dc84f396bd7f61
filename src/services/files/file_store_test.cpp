// SPDX-License-Identifier: Apache-2.0
#include "services/files/file_store.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace integreat::files {
namespace {

using namespace std::chrono_literals;

class FakeAws final : public http::HttpClient {
public:
    Result<http::FullResponse> fetch(const http::ClientRequest& request) override {
        requests.push_back(request);
        if (request.method == http::Method::post) {
            return http::FullResponse{
                .status = sts_status,
                .headers = {},
                .body = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA" +
                        std::to_string(requests.size()) +
                        "</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token"
                        "</SessionToken></Credentials></AssumeRoleResult></AssumeRoleResponse>"};
        }
        return head;
    }
    std::vector<http::ClientRequest> requests;
    int sts_status = 200;
    http::FullResponse head{.status = 200,
                            .headers = {{"x-amz-version-id", "v1"},
                                        {"Content-Type", "image/png"},
                                        {"Content-Length", "12"},
                                        {"x-amz-checksum-sha256", "abc="}},
                            .body = {}};
};

class FileStoreTest : public ::testing::Test {
protected:
    FileStoreSettings settings{.endpoint = "",
                               .region = "us-east-1",
                               .account = "123456789012",
                               .access_key_id = "AKIA",
                               .secret_access_key = Secret("secret")};
    FakeAws aws;
    FixedClock clock;
    FileStore store{settings, aws, clock};
};

TEST_F(FileStoreTest, FindsTheVersionAsTheRoleOfTheTenant) {
    auto found = store.find_version("campus", "users/ann/a b.png");
    ASSERT_TRUE(found) << found.error().cause;
    EXPECT_EQ(found->version_id, "v1");
    EXPECT_EQ(found->content_type, "image/png");
    EXPECT_EQ(found->bytes, 12);
    EXPECT_EQ(found->sha256, "abc=");
    ASSERT_EQ(aws.requests.size(), 2u);
    EXPECT_EQ(aws.requests[0].url, "https://sts.us-east-1.amazonaws.com/");
    EXPECT_TRUE(aws.requests[0].body.ends_with(
        "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fcampus-RecordFilesRole"))
        << aws.requests[0].body;
    EXPECT_EQ(aws.requests[1].url,
              "https://campus-tenant-bucket.s3.us-east-1.amazonaws.com/users/ann/a%20b.png");
    EXPECT_TRUE(aws.requests[1].headers.value("Authorization").find("Credential=ASIA1/") !=
                std::string_view::npos);
    EXPECT_EQ(aws.requests[1].headers.value("X-Amz-Security-Token"), "token");
}

TEST_F(FileStoreTest, CredentialsServeUntilALinkWouldOutliveThem) {
    ASSERT_TRUE(store.make_link("campus", {.key = "a", .version_id = "v", .name = "", .content_type = ""}));
    ASSERT_TRUE(store.find_version("campus", "a"));
    EXPECT_EQ(aws.requests.size(), 2u);
    ASSERT_TRUE(store.make_link("teleo", {.key = "a", .version_id = "v", .name = "", .content_type = ""}));
    EXPECT_EQ(aws.requests.size(), 3u) << "each tenant has a role of its own";
    clock.advance(3'600s - 360s);
    ASSERT_TRUE(store.find_version("campus", "a"));
    EXPECT_EQ(aws.requests.size(), 5u);
}

TEST_F(FileStoreTest, ALinkNamesOneVersion) {
    auto link = store.make_link(
        "campus",
        {.key = "users/ann/a.pdf", .version_id = "v+1", .name = "a.pdf", .content_type = "text/html"});
    ASSERT_TRUE(link) << link.error().cause;
    EXPECT_TRUE(
        link->url.starts_with("https://campus-tenant-bucket.s3.us-east-1.amazonaws.com/users/ann/"
                              "a.pdf?response-content-disposition="
                              "attachment%3B%20filename%3D%22a.pdf%22&versionId=v%2B1&X-Amz-Algorithm="))
        << link->url;
    EXPECT_EQ(link->expires, clock.now() + 300s);
}

TEST_F(FileStoreTest, ReportsWhatFailed) {
    aws.head.status = 404;
    EXPECT_EQ(store.find_version("campus", "a").error().fault, Fault::not_found);
    aws.head = {.status = 200, .headers = {{"Content-Length", "1"}}, .body = {}};
    EXPECT_EQ(store.find_version("campus", "a").error().cause,
              "HEAD a: the bucket keeps no versions: status 200 ");
    aws.sts_status = 403;
    auto refused = store.find_version("teleo", "a").error();
    EXPECT_EQ(refused.fault, Fault::unavailable);
    EXPECT_TRUE(refused.cause.starts_with(
        "AssumeRole of arn:aws:iam::123456789012:role/teleo-RecordFilesRole: status 403"))
        << refused.cause;
}

TEST(ContentDisposition, ShowsOnlyTypesThatRunNothing) {
    EXPECT_EQ(make_content_disposition("", "image/png"), "inline");
    EXPECT_EQ(make_content_disposition("a\"\r\n.png", "IMAGE/PNG; a=b"), "inline; filename=\"a___.png\"");
    for (const char* type : {"text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "", "x"})
        EXPECT_EQ(make_content_disposition("", type), "attachment") << type;
}

}  // namespace
}  // namespace integreat::files
