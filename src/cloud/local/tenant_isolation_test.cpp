// SPDX-License-Identifier: Apache-2.0
// Tenant isolation: credentials of one tenant on the bucket of another, for every operation of S3's table.
#include <set>

#include "cloud/local/testing/local_cloud_fixture.h"
#include "cloud/s3/operations/table.h"
#include "crypto/hash.h"

namespace integreat::cloud {
namespace {

using namespace testing;
using http::Method;

struct Attempt {
    const char* operation;
    Method method;
    const char* target;    // B stands for the other tenant's bucket, M for the caller's own.
    const char* action;    // The denied action.
    const char* resource;  // B or B/a.
    std::vector<std::pair<std::string, std::string>> headers = {};
};

const std::vector<std::pair<std::string, std::string>> copy_from_own{
    {"x-amz-copy-source", "/M/users/ann/mine"}};
const std::vector<std::pair<std::string, std::string>> copy_from_other{{"x-amz-copy-source", "/B/a"}};

const Attempt attempts[] = {
    {"ListBuckets", Method::get, "/", "ListAllMyBuckets", "*"},
    {"CreateBucket", Method::put, "/B", "CreateBucket", "B"},
    {"DeleteBucket", Method::del, "/B", "DeleteBucket", "B"},
    {"GetBucketLocation", Method::get, "/B?location", "GetBucketLocation", "B"},
    {"GetBucketVersioning", Method::get, "/B?versioning", "GetBucketVersioning", "B"},
    {"PutBucketVersioning", Method::put, "/B?versioning", "PutBucketVersioning", "B"},
    {"GetBucketCors", Method::get, "/B?cors", "GetBucketCORS", "B"},
    {"PutBucketCors", Method::put, "/B?cors", "PutBucketCORS", "B"},
    {"DeleteBucketCors", Method::del, "/B?cors", "PutBucketCORS", "B"},
    {"GetBucketPolicy", Method::get, "/B?policy", "GetBucketPolicy", "B"},
    {"GetBucketPolicyStatus", Method::get, "/B?policyStatus", "GetBucketPolicyStatus", "B"},
    {"PutBucketPolicy", Method::put, "/B?policy", "PutBucketPolicy", "B"},
    {"DeleteBucketPolicy", Method::del, "/B?policy", "DeleteBucketPolicy", "B"},
    {"GetPublicAccessBlock", Method::get, "/B?publicAccessBlock", "GetBucketPublicAccessBlock", "B"},
    {"PutPublicAccessBlock", Method::put, "/B?publicAccessBlock", "PutBucketPublicAccessBlock", "B"},
    {"DeletePublicAccessBlock", Method::del, "/B?publicAccessBlock", "PutBucketPublicAccessBlock", "B"},
    {"GetBucketEncryption", Method::get, "/B?encryption", "GetEncryptionConfiguration", "B"},
    {"PutBucketEncryption", Method::put, "/B?encryption", "PutEncryptionConfiguration", "B"},
    {"DeleteBucketEncryption", Method::del, "/B?encryption", "PutEncryptionConfiguration", "B"},
    {"GetBucketTagging", Method::get, "/B?tagging", "GetBucketTagging", "B"},
    {"PutBucketTagging", Method::put, "/B?tagging", "PutBucketTagging", "B"},
    {"DeleteBucketTagging", Method::del, "/B?tagging", "PutBucketTagging", "B"},
    {"GetBucketLifecycleConfiguration", Method::get, "/B?lifecycle", "GetLifecycleConfiguration", "B"},
    {"PutBucketLifecycleConfiguration", Method::put, "/B?lifecycle", "PutLifecycleConfiguration", "B"},
    {"DeleteBucketLifecycle", Method::del, "/B?lifecycle", "PutLifecycleConfiguration", "B"},
    {"GetBucketOwnershipControls", Method::get, "/B?ownershipControls", "GetBucketOwnershipControls", "B"},
    {"PutBucketOwnershipControls", Method::put, "/B?ownershipControls", "PutBucketOwnershipControls", "B"},
    {"DeleteBucketOwnershipControls", Method::del, "/B?ownershipControls", "PutBucketOwnershipControls", "B"},
    {"GetBucketAcl", Method::get, "/B?acl", "GetBucketAcl", "B"},
    {"ListObjects", Method::get, "/B", "ListBucket", "B"},
    {"ListObjectsV2", Method::get, "/B?list-type=2", "ListBucket", "B"},
    {"ListObjectVersions", Method::get, "/B?versions", "ListBucketVersions", "B"},
    {"ListMultipartUploads", Method::get, "/B?uploads", "ListBucketMultipartUploads", "B"},
    {"GetObject", Method::get, "/B/a", "GetObject", "B/a"},
    {"GetObject", Method::get, "/B/not-there", "GetObject", "B/not-there"},
    {"GetObject", Method::get, "/B/a?versionId=null", "GetObjectVersion", "B/a"},
    {"GetObjectAttributes", Method::get, "/B/a?attributes", "GetObjectAttributes", "B/a"},
    {"GetObjectAcl", Method::get, "/B/a?acl", "GetObjectAcl", "B/a"},
    {"PutObject", Method::put, "/B/a", "PutObject", "B/a"},
    {"CopyObject", Method::put, "/B/b", "PutObject", "B/b", copy_from_own},
    {"CopyObject", Method::put, "/M/b", "GetObject", "B/a", copy_from_other},
    {"DeleteObject", Method::del, "/B/a", "DeleteObject", "B/a"},
    {"DeleteObject", Method::del, "/B/a?versionId=null", "DeleteObjectVersion", "B/a"},
    {"GetObjectTagging", Method::get, "/B/a?tagging", "GetObjectTagging", "B/a"},
    {"PutObjectTagging", Method::put, "/B/a?tagging", "PutObjectTagging", "B/a"},
    {"DeleteObjectTagging", Method::del, "/B/a?tagging", "DeleteObjectTagging", "B/a"},
    {"CreateMultipartUpload", Method::post, "/B/a?uploads", "PutObject", "B/a"},
    {"UploadPart", Method::put, "/B/a?partNumber=1&uploadId=U", "PutObject", "B/a"},
    {"UploadPartCopy", Method::put, "/B/a?partNumber=1&uploadId=U", "PutObject", "B/a", copy_from_own},
    {"ListParts", Method::get, "/B/a?uploadId=U", "ListMultipartUploadParts", "B/a"},
    {"CompleteMultipartUpload", Method::post, "/B/a?uploadId=U", "PutObject", "B/a"},
    {"AbortMultipartUpload", Method::del, "/B/a?uploadId=U", "AbortMultipartUpload", "B/a"},
};
// Operations without a single error document; each has a test below.
const std::set<std::string_view> tested_separately{"HeadBucket", "HeadObject", "DeleteObjects", "PostObject"};

class TenantIsolationTest : public LocalCloudTest {
protected:
    TenantIsolationTest() {
        key = credentials(campus, campus_project);
        EXPECT_EQ(create("/" + campus.bucket + "/users/ann/mine", key, "mine").status, 200);
        EXPECT_EQ(s3(Method::put, "/" + evntgarde.bucket + "/a", root(), "theirs").status, 200);
        auto created = s3(Method::post, "/" + evntgarde.bucket + "/a?uploads", root());
        upload = created.text("UploadId");
        EXPECT_FALSE(upload.empty()) << created.body;
    }
    // Replaces the placeholders by the names of the buckets and the upload.
    std::string substitute_names(std::string text) const {
        auto replace = [&](const std::string& from, const std::string& to) {
            if (auto at = text.find(from); at != std::string::npos) text.replace(at + 1, from.size() - 1, to);
        };
        if (text.starts_with("B")) return evntgarde.bucket + text.substr(1);
        replace("/B", evntgarde.bucket);
        replace("/M", campus.bucket);
        replace("=U", upload);
        return text;
    }
    ReceivedResponse send(const Attempt& attempt) {
        RequestSpec spec{
            .method = attempt.method, .target = substitute_names(attempt.target), .service = "s3"};
        for (const auto& [name, value] : attempt.headers)
            spec.headers.emplace_back(name, substitute_names(value));
        return send_request(cloud->application, signed_request(spec, key, clock.now()));
    }
    std::string denied_message(const std::string& action, const std::string& resource) const {
        return "User: arn:aws:sts::000000000000:assumed-role/campus-student-lifecycle-TenantUserRole/"
               "CognitoIdentityCredentials is not authorized to perform: s3:" +
               action + " on resource: \"arn:aws:s3:::" + resource +
               "\" because no identity-based policy allows the s3:" + action + " action";
    }
    // Expects the other tenant's data to be unchanged.
    void expect_unchanged() {
        auto bucket = "/" + evntgarde.bucket;
        EXPECT_EQ(s3(Method::get, bucket + "/a", root()).body, "theirs");
        auto listed = s3(Method::get, bucket + "?list-type=2", root());
        EXPECT_EQ(listed.text("KeyCount"), "1") << listed.body;
        EXPECT_EQ(s3(Method::get, bucket + "?policy", root()).text("Code"), "NoSuchBucketPolicy");
        EXPECT_EQ(s3(Method::get, bucket + "?tagging", root()).text("Code"), "NoSuchTagSet");
        EXPECT_TRUE(s3(Method::get, bucket + "?cors", root()).contains("<AllowedOrigin>"));
        EXPECT_TRUE(s3(Method::get, bucket + "?uploads", root()).contains(upload));
        EXPECT_EQ(s3(Method::get, "/" + campus.bucket + "/b", root()).text("Code"), "NoSuchKey");
    }

    Key key;
    std::string upload;
};

TEST_F(TenantIsolationTest, RefusesEveryOperationWithTheAwsMessage) {
    for (const auto& attempt : attempts) {
        auto response = send(attempt);
        EXPECT_EQ(response.status, 403) << attempt.operation << " " << response.body;
        EXPECT_EQ(response.text("Code"), "AccessDenied") << attempt.operation;
        auto message = denied_message(attempt.action, substitute_names(attempt.resource));
        std::string quoted;
        for (char c : message)
            quoted += c == '"' ? std::string("&quot;") : std::string(1, c);
        EXPECT_EQ(response.text("Message"), quoted) << attempt.operation;
    }
    expect_unchanged();
}

TEST_F(TenantIsolationTest, CoversEveryOperationOfTheTable) {
    std::set<std::string_view> tested = tested_separately;
    for (const auto& attempt : attempts)
        tested.insert(attempt.operation);
    s3::S3 no_storage;
    for (const auto& operation : s3::api(no_storage).operations)
        EXPECT_EQ(tested.erase(operation.doc.name), 1u) << operation.doc.name;
    EXPECT_TRUE(tested.empty()) << *tested.begin();
}

TEST_F(TenantIsolationTest, HeadResponsesRevealNothing) {
    for (auto target : {"", "/a", "/not-there"}) {
        auto response = s3(Method::head, "/" + evntgarde.bucket + target, key);
        EXPECT_EQ(response.status, 403) << target;
        EXPECT_TRUE(response.headers.value("ETag").empty());
    }
}

TEST_F(TenantIsolationTest, RefusesABatchDeleteKeyByKey) {
    std::string body = "<Delete><Object><Key>a</Key></Object><Object><Key>not-there</Key></Object></Delete>";
    RequestSpec spec{
        .target = "/" + evntgarde.bucket + "?delete",
        .service = "s3",
        .headers = {{"Content-MD5", crypto::base64_encode(crypto::hash(crypto::HashAlgorithm::md5, body))}},
        .body = body};
    auto response = send_request(cloud->application, signed_request(spec, key, clock.now()));
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_FALSE(response.contains("<Deleted>"));
    EXPECT_TRUE(response.contains("<Error><Key>a</Key><Code>AccessDenied</Code>")) << response.body;
    EXPECT_TRUE(response.contains("<Error><Key>not-there</Key><Code>AccessDenied</Code>")) << response.body;
    expect_unchanged();
}

TEST_F(TenantIsolationTest, RefusesAFormSignedForTheOtherBucket) {
    auto hash = [](std::string_view secret, std::string_view text) {
        return std::string(crypto::as_view(crypto::hmac_sha256(secret, text)));
    };
    auto date = aws::format_sigv4_time(clock.now());
    auto scope = date.substr(0, 8) + "/us-east-1/s3/aws4_request";
    json::array conditions{json::object{{"bucket", evntgarde.bucket}}};
    for (const char* field :
         {"$key", "$x-amz-algorithm", "$x-amz-credential", "$x-amz-date", "$x-amz-security-token"})
        conditions.push_back(json::array{"starts-with", field, ""});
    auto policy = crypto::base64_encode(json::serialize(json::object{
        {"expiration", format_rfc3339(clock.now() + std::chrono::hours(1))}, {"conditions", conditions}}));
    auto signing =
        hash(hash(hash(hash("AWS4" + key.secret, date.substr(0, 8)), "us-east-1"), "s3"), "aws4_request");
    std::string body;
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"key", "a"},
             {"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
             {"X-Amz-Credential", key.id + "/" + scope},
             {"X-Amz-Date", date},
             {"X-Amz-Security-Token", key.token},
             {"Policy", policy},
             {"X-Amz-Signature", crypto::hex_encode(hash(signing, policy))}}) {
        body += "--bound\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }
    body +=
        "--bound\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nmine\r\n--bound--";
    auto response =
        send_request(cloud->application,
                     unsigned_request({.target = "/" + evntgarde.bucket,
                                       .headers = {{"Content-Type", "multipart/form-data; boundary=bound"}},
                                       .body = body}));
    EXPECT_EQ(response.status, 403) << response.body;
    EXPECT_TRUE(response.contains("is not authorized to perform: s3:PutObject")) << response.body;
    expect_unchanged();
}

}  // namespace
}  // namespace integreat::cloud
