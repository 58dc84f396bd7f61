// SPDX-License-Identifier: Apache-2.0
// Users of one tenant against each other's files: callers × prefixes × every operation of S3's table. An
// operation that is not in the table of its rights is refused.
#include <map>
#include <set>

#include "aws/sigv4_canonical.h"
#include "cloud/local/testing/local_cloud_fixture.h"
#include "cloud/s3/operations/table.h"

namespace integreat::cloud {
namespace {

using namespace testing;
using http::Method;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct FileRequest {
    const char* operation;
    Method method;
    const char* target;  // P stands for the prefix, B for the bucket.
    Headers headers = {};
    const char* body = "";
};

const Headers create_only{{"If-None-Match", "*"}};

// Every operation of S3 on the bucket or on an object of the prefix. P/a exists and has an upload.
const FileRequest file_requests[] = {
    {"ListBuckets", Method::get, "/"},
    {"CreateBucket", Method::put, "/B"},
    {"DeleteBucket", Method::del, "/B"},
    {"HeadBucket", Method::head, "/B"},
    {"GetBucketLocation", Method::get, "/B?location"},
    {"GetBucketVersioning", Method::get, "/B?versioning"},
    {"PutBucketVersioning", Method::put, "/B?versioning"},
    {"GetBucketCors", Method::get, "/B?cors"},
    {"PutBucketCors", Method::put, "/B?cors"},
    {"DeleteBucketCors", Method::del, "/B?cors"},
    {"GetBucketPolicy", Method::get, "/B?policy"},
    {"GetBucketPolicyStatus", Method::get, "/B?policyStatus"},
    {"PutBucketPolicy", Method::put, "/B?policy"},
    {"DeleteBucketPolicy", Method::del, "/B?policy"},
    {"GetPublicAccessBlock", Method::get, "/B?publicAccessBlock"},
    {"PutPublicAccessBlock", Method::put, "/B?publicAccessBlock"},
    {"DeletePublicAccessBlock", Method::del, "/B?publicAccessBlock"},
    {"GetBucketEncryption", Method::get, "/B?encryption"},
    {"PutBucketEncryption", Method::put, "/B?encryption"},
    {"DeleteBucketEncryption", Method::del, "/B?encryption"},
    {"GetBucketTagging", Method::get, "/B?tagging"},
    {"PutBucketTagging", Method::put, "/B?tagging"},
    {"DeleteBucketTagging", Method::del, "/B?tagging"},
    {"GetBucketLifecycleConfiguration", Method::get, "/B?lifecycle"},
    {"PutBucketLifecycleConfiguration", Method::put, "/B?lifecycle"},
    {"DeleteBucketLifecycle", Method::del, "/B?lifecycle"},
    {"GetBucketOwnershipControls", Method::get, "/B?ownershipControls"},
    {"PutBucketOwnershipControls", Method::put, "/B?ownershipControls"},
    {"DeleteBucketOwnershipControls", Method::del, "/B?ownershipControls"},
    {"GetBucketAcl", Method::get, "/B?acl"},
    {"ListObjects", Method::get, "/B?prefix=P"},
    {"ListObjectsV2", Method::get, "/B?list-type=2&prefix=P"},
    {"ListObjects", Method::get, "/B"},
    {"ListObjectsV2", Method::get, "/B?list-type=2"},
    {"ListObjectsV2", Method::get, "/B?list-type=2&prefix=users%2F"},
    {"ListObjectVersions", Method::get, "/B?versions&prefix=P"},
    {"ListMultipartUploads", Method::get, "/B?uploads&prefix=P"},
    {"HeadObject", Method::head, "/B/Pa"},
    {"GetObject", Method::get, "/B/Pa"},
    {"GetObject", Method::get, "/B/Pa?versionId=V"},
    {"GetObjectAttributes", Method::get, "/B/Pa?attributes", {{"x-amz-object-attributes", "ETag"}}},
    {"GetObjectAcl", Method::get, "/B/Pa?acl"},
    {"PutObject", Method::put, "/B/Pnew", create_only, "mine"},
    {"PutObject", Method::put, "/B/Pa", {}, "mine"},
    {"PutObject", Method::put, "/B/Pa", {{"If-Match", "*"}}, "mine"},
    {"CopyObject", Method::put, "/B/Pcopy", {{"x-amz-copy-source", "/B/Pa"}}},
    {"DeleteObject", Method::del, "/B/Pnew"},
    {"DeleteObject", Method::del, "/B/Pa?versionId=V"},
    {"GetObjectTagging", Method::get, "/B/Pa?tagging"},
    {"PutObjectTagging", Method::put, "/B/Pa?tagging"},
    {"DeleteObjectTagging", Method::del, "/B/Pa?tagging"},
    {"CreateMultipartUpload", Method::post, "/B/Plarge?uploads"},
    {"UploadPart", Method::put, "/B/Pa?partNumber=1&uploadId=U", {}, "part"},
    {"UploadPartCopy", Method::put, "/B/Pa?partNumber=1&uploadId=U", {{"x-amz-copy-source", "/B/Pa"}}},
    {"ListParts", Method::get, "/B/Pa?uploadId=U"},
    {"CompleteMultipartUpload", Method::post, "/B/Pa?uploadId=U", {}, "<CompleteMultipartUpload/>"},
    {"AbortMultipartUpload", Method::del, "/B/Pa?uploadId=U"},
};
// DeleteObjects answers per key, and a form is signed otherwise; each has a test below.
const std::set<std::string_view> separate_operations{"DeleteObjects", "PostObject"};

// The requests that a reader and a writer of a prefix may send, with the expected status.
const std::map<std::string, int> read_rights{{"ListObjects /B?prefix=P", 200},
                                             {"ListObjectsV2 /B?list-type=2&prefix=P", 200},
                                             {"HeadObject /B/Pa", 200},
                                             {"GetObject /B/Pa", 200}};
const std::map<std::string, int> write_rights{{"PutObject /B/Pnew", 200},
                                              {"DeleteObject /B/Pnew", 204},
                                              {"CreateMultipartUpload /B/Plarge?uploads", 200},
                                              {"UploadPart /B/Pa?partNumber=1&uploadId=U", 200}};

class FileOwnersTest : public LocalCloudTest {
protected:
    FileOwnersTest() {
        auto provisioned = provision_tenant(*cloud, {.project = campus_project,
                                                     .origins = {"http://localhost:3000"},
                                                     .files = {{.prefix = "notices/",
                                                                .read = {.roles = {"student", "registrar"}},
                                                                .write = {.roles = {"registrar"}}}}});
        EXPECT_TRUE(provisioned) << provisioned.error().cause;
        for (const char* prefix : {"users/ann/", "users/bob/", "notices/", "applicants/"}) {
            auto object = "/" + campus.bucket + "/" + prefix + "a";
            auto created = s3(Method::put, object, root(), prefix);
            versions[prefix] = created.headers.value("x-amz-version-id");
            uploads[prefix] = s3(Method::post, object + "?uploads", root()).text("UploadId");
            EXPECT_FALSE(versions[prefix].empty() || uploads[prefix].empty());
        }
    }
    Key sign_in(const std::string& subject, const json::value& role = nullptr) {
        auto token_claims = claims(campus_project, subject);
        if (!role.is_null()) token_claims["role"] = role;
        auto token = sign(token_claims);
        auto identity = get_text(get_id(campus, campus_project, token), "IdentityId");
        auto body = integreat::json::parse_object(get_credentials(identity, campus_project, token).body);
        EXPECT_TRUE(body && body->contains("Credentials"));
        if (!body || !body->contains("Credentials")) return {};
        const auto& issued = body->at("Credentials").as_object();
        return {std::string(issued.at("AccessKeyId").as_string()),
                std::string(issued.at("SecretKey").as_string()),
                std::string(issued.at("SessionToken").as_string())};
    }
    std::string substitute(std::string text, const std::string& prefix) {
        auto replace = [&](std::string_view from, const std::string& to) {
            if (auto at = text.find(from); at != std::string::npos) text.replace(at + 1, 1, to);
        };
        replace("/B", campus.bucket);
        replace("=U", uploads[prefix]);
        replace("=V", versions[prefix]);
        replace("=P", aws::uri_encode(prefix));
        replace("/P", prefix);
        return text;
    }
    // Sends every request of the table and compares the statuses.
    void expect_rights(const Key& key, const std::string& prefix, const std::map<std::string, int>& rights,
                       const std::string& caller) {
        for (const auto& request : file_requests) {
            Headers headers;
            for (const auto& [name, value] : request.headers)
                headers.emplace_back(name, substitute(value, prefix));
            auto response =
                s3(request.method, substitute(request.target, prefix), key, request.body, headers);
            auto right = rights.find(std::string(request.operation) + " " + request.target);
            bool replaces = std::string_view(request.target) == "/B/Pa" && request.method == Method::put;
            int expected = right == rights.end() || replaces ? 403 : right->second;
            EXPECT_EQ(response.status, expected) << caller << ", " << prefix << ": " << request.operation
                                                 << " " << request.target << " " << response.body;
        }
        EXPECT_EQ(s3(Method::get, "/" + campus.bucket + "/" + prefix + "a", root()).body, prefix);
    }

    std::map<std::string, std::string> versions, uploads;
};

TEST_F(FileOwnersTest, EveryCallerHasExactlyItsRights) {
    auto both = read_rights;
    both.insert(write_rights.begin(), write_rights.end());
    both["UploadPartCopy /B/Pa?partNumber=1&uploadId=U"] = 200;
    struct CallerCase {
        std::string name;
        Key key;
        std::map<std::string, std::map<std::string, int>> rights;
    };
    const CallerCase callers[] = {
        {"ann", sign_in("ann"), {{"users/ann/", both}}},
        {"bob, student", sign_in("bob", "student"), {{"users/bob/", both}, {"notices/", read_rights}}},
        {"eve, registrar", sign_in("eve", "registrar"), {{"notices/", both}}},
        {"a subject with a slash", sign_in("ann/a"), {}},
        {"a subject that no tag can have", sign_in("ann*"), {}},
    };
    for (const auto& caller : callers) {
        for (const auto& [prefix, version] : versions) {
            auto rights = caller.rights.find(prefix);
            expect_rights(caller.key, prefix,
                          rights == caller.rights.end() ? std::map<std::string, int>() : rights->second,
                          caller.name);
        }
    }
}

TEST_F(FileOwnersTest, TheTableHasEveryOperation) {
    std::set<std::string_view> tested = separate_operations;
    for (const auto& request : file_requests)
        tested.insert(request.operation);
    s3::S3 no_storage;
    for (const auto& operation : s3::api(no_storage).operations)
        EXPECT_EQ(tested.erase(operation.doc.name), 1u) << operation.doc.name;
    EXPECT_TRUE(tested.empty()) << *tested.begin();
}

TEST_F(FileOwnersTest, ABatchDeletesOwnFilesOnlyAndKeepsTheirVersions) {
    std::string body =
        "<Delete><Object><Key>users/ann/a</Key></Object><Object><Key>users/bob/a</Key></Object><Object>"
        "<Key>users/ann/a</Key><VersionId>" +
        versions["users/ann/"] + "</VersionId></Object></Delete>";
    auto md5 = crypto::base64_encode(crypto::hash(crypto::HashAlgorithm::md5, body));
    auto response =
        s3(Method::post, "/" + campus.bucket + "?delete", sign_in("ann"), body, {{"Content-MD5", md5}});
    EXPECT_TRUE(response.contains("<Deleted><Key>users/ann/a</Key><DeleteMarker>true")) << response.body;
    EXPECT_TRUE(response.contains("<Error><Key>users/bob/a</Key><Code>AccessDenied")) << response.body;
    EXPECT_TRUE(response.contains("<Error><Key>users/ann/a</Key><VersionId>")) << response.body;
    auto version = "/" + campus.bucket + "/users/ann/a?versionId=" + versions["users/ann/"];
    EXPECT_EQ(s3(Method::get, version, root()).body, "users/ann/") << "the content outlives its deletion";
}

TEST_F(FileOwnersTest, AnUploadInPartsCompletesWithItsConditionOnly) {
    auto ann = sign_in("ann");
    auto object = "/" + campus.bucket + "/users/ann/film";
    auto id = s3(Method::post, object + "?uploads", ann).text("UploadId");
    auto upload = object + "?uploadId=" + id;
    auto part = s3(Method::put, object + "?partNumber=1&uploadId=" + id, ann, "part");
    ASSERT_EQ(part.status, 200) << part.body;
    auto list = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" +
                std::string(part.headers.value("ETag")) + "</ETag></Part></CompleteMultipartUpload>";
    auto refused = s3(Method::post, upload, ann, list);
    EXPECT_EQ(refused.status, 403);
    EXPECT_TRUE(refused.text("Message").ends_with("with an explicit deny in an identity-based policy"))
        << refused.text("Message");
    EXPECT_EQ(s3(Method::post, upload, ann, list, create_only).status, 200);
    EXPECT_EQ(create(object, ann, "again").status, 412);
    ASSERT_EQ(s3(Method::del, object, ann).status, 204);
    EXPECT_EQ(create(object, ann, "again").status, 200) << "a deleted file's name is free";
}

}  // namespace
}  // namespace integreat::cloud
