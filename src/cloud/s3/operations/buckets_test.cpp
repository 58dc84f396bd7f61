// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cloud/s3/operations/table.h"
#include "cloud/s3/store/queries.h"
#include "cloud/s3/testing/s3_fixture.h"

namespace integreat::s3 {
namespace {

class BucketsTest : public S3Test {};

TEST_F(BucketsTest, AreCreatedListedAndDeleted) {
    EXPECT_EQ(put("/b-bucket/").status, 200);
    EXPECT_EQ(put("/b-bucket").status, 200);  // Idempotent, as in us-east-1.
    EXPECT_EQ(all(get("/"), "Name"), (std::vector<std::string>{"a-bucket", "b-bucket"}));
    EXPECT_EQ(head("/b-bucket/").status, 200);
    EXPECT_EQ(head("/b-bucket/").headers.value("x-amz-bucket-region"), "us-east-1");
    put("/b-bucket/k", "x");
    EXPECT_EQ(error_of(del("/b-bucket")), "BucketNotEmpty 409");
    del("/b-bucket/k");
    EXPECT_EQ(del("/b-bucket").status, 204);
    EXPECT_EQ(head("/b-bucket/").status, 404);
    EXPECT_EQ(error_of(del("/b-bucket")), "NoSuchBucket 404");
    EXPECT_EQ(get("/a-bucket?location").text("LocationConstraint"), "");
}

TEST_F(BucketsTest, AreLimitedToTenThousand) {
    auto created = commit(*s3->storage, [&](WriteBatch& batch) -> Result<> {
        for (int i = 1; i < 10'000; ++i)
            TRY(insert_bucket(batch, {.name = "bucket-" + std::to_string(i), .region = "us-east-1"}));
        return {};
    });
    ASSERT_TRUE(created);
    auto refused = put("/one-more");
    EXPECT_EQ(error_of(refused), "TooManyBuckets 400");
    EXPECT_EQ(refused.text("Message"), "You have attempted to create more buckets than allowed");
    EXPECT_EQ(put("/bucket-1").status, 200) << "exists already";
    EXPECT_EQ(del("/bucket-1").status, 204);
    EXPECT_EQ(put("/one-more").status, 200);
}

TEST_F(BucketsTest, EnforceTheNamingRules) {
    for (const char* name : {"ab", "Upper", "under_score", "-a-b", "a-b-", "a..b", "192.168.0.1", "xn--abc"})
        EXPECT_EQ(error_of(put(std::string("/") + name)), "InvalidBucketName 400") << name;
    EXPECT_EQ(put("/a.good-name.1").status, 200);
}

TEST_F(BucketsTest, CheckTheLocationConstraint) {
    auto at = [](const std::string& region) {
        return "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
               "<LocationConstraint>" +
               region + "</LocationConstraint></CreateBucketConfiguration>";
    };
    EXPECT_EQ(error_of(put("/b-bucket", at("eu-west-1"))), "IllegalLocationConstraintException 400");
    EXPECT_EQ(error_of(put("/b-bucket", at("us-east-1"))), "InvalidLocationConstraint 400");
    s3->region = "eu-west-1";
    EXPECT_EQ(error_of(put("/b-bucket")), "IllegalLocationConstraintException 400");
    EXPECT_EQ(put("/b-bucket", at("eu-west-1")).status, 200);
    EXPECT_EQ(get("/b-bucket?location").text("LocationConstraint"), "");
    EXPECT_TRUE(get("/b-bucket?location").contains(">eu-west-1</LocationConstraint>"));
    EXPECT_EQ(error_of(put("/b-bucket", at("eu-west-1"))), "BucketAlreadyOwnedByYou 409");
}

TEST_F(BucketsTest, AreListedByBothVersionsOfTheOperation) {
    for (const char* key : {"a", "b/1", "b/2", "c", "d"})
        put(std::string("/a-bucket/") + key, "x");
    auto page = get("/a-bucket?list-type=2&delimiter=%2F&max-keys=2&fetch-owner=true");
    EXPECT_EQ(all(page, "Key"), (std::vector<std::string>{"a"}));
    EXPECT_EQ(page.text("CommonPrefixes"), "<Prefix>b/</Prefix>");
    EXPECT_EQ(page.text("KeyCount"), "2");
    EXPECT_EQ(page.text("IsTruncated"), "true");
    EXPECT_EQ(page.text("ETag"), "&quot;9dd4e461268c8034f5c8564e155c67a6&quot;");
    EXPECT_EQ(page.text("LastModified"), "2026-11-18T11:06:40.000Z");
    EXPECT_EQ(page.text("StorageClass"), "STANDARD");
    auto token = page.text("NextContinuationToken");
    auto rest = get("/a-bucket?list-type=2&delimiter=%2F&continuation-token=" + token);
    EXPECT_EQ(all(rest, "Key"), (std::vector<std::string>{"c", "d"}));
    EXPECT_EQ(rest.text("IsTruncated"), "false");
    EXPECT_EQ(all(get("/a-bucket?list-type=2&start-after=b%2F1"), "Key"),
              (std::vector<std::string>{"b/2", "c", "d"}));
    auto first = get("/a-bucket?delimiter=%2F&max-keys=2");
    EXPECT_EQ(first.text("NextMarker"), "b/");
    EXPECT_EQ(all(get("/a-bucket?delimiter=%2F&marker=b%2F"), "Key"), (std::vector<std::string>{"c", "d"}));
    EXPECT_EQ(error_of(get("/a-bucket?list-type=2&continuation-token=x")), "InvalidArgument 400");
    EXPECT_EQ(error_of(get("/a-bucket?max-keys=-1")), "InvalidArgument 400");
    EXPECT_EQ(error_of(get("/a-bucket?max-keys=many")), "InvalidArgument 400");
    EXPECT_EQ(error_of(get("/a-bucket?encoding-type=base64")), "InvalidArgument 400");
    EXPECT_EQ(get("/a-bucket?max-keys=5000").text("MaxKeys"), "1000");
}

TEST_F(BucketsTest, KeepVersionsAndDeleteMarkersOnceEnabled) {
    enable_versioning();
    EXPECT_EQ(get("/a-bucket?versioning").text("Status"), "Enabled");
    auto first = std::string(put("/a-bucket/k", "1").headers.value("x-amz-version-id"));
    auto second = std::string(put("/a-bucket/k", "22").headers.value("x-amz-version-id"));
    EXPECT_EQ(get("/a-bucket/k?versionId=" + first).body, "1");
    EXPECT_EQ(get("/a-bucket/k").headers.value("x-amz-version-id"), second);
    auto deleted = del("/a-bucket/k");
    EXPECT_EQ(deleted.headers.value("x-amz-delete-marker"), "true");
    auto marker = std::string(deleted.headers.value("x-amz-version-id"));
    auto gone = get("/a-bucket/k");
    EXPECT_EQ(error_of(gone), "NoSuchKey 404");
    EXPECT_EQ(gone.headers.value("x-amz-delete-marker"), "true");
    auto refused = get("/a-bucket/k?versionId=" + marker);
    EXPECT_EQ(error_of(refused), "MethodNotAllowed 405");
    EXPECT_EQ(refused.headers.value("x-amz-delete-marker"), "true");
    auto listed = get("/a-bucket?versions");
    EXPECT_EQ(all(listed, "Version").size(), 2u);
    EXPECT_EQ(all(listed, "DeleteMarker").size(), 1u);
    EXPECT_EQ(all(listed, "IsLatest"), (std::vector<std::string>{"true", "false", "false"}));
    EXPECT_EQ(error_of(del("/a-bucket")), "BucketNotEmpty 409");
    EXPECT_EQ(del("/a-bucket/k?versionId=" + marker).headers.value("x-amz-delete-marker"), "true");
    EXPECT_EQ(get("/a-bucket/k").body, "22");
    auto copy = put("/a-bucket/copy", "", {{"x-amz-copy-source", "a-bucket/k?versionId=" + first}});
    EXPECT_EQ(copy.headers.value("x-amz-copy-source-version-id"), first);
    EXPECT_EQ(get("/a-bucket/copy").body, "1");
    auto page = get("/a-bucket?versions&max-keys=1");
    EXPECT_EQ(page.text("NextKeyMarker"), "copy");
    auto next =
        get("/a-bucket?versions&key-marker=copy&version-id-marker=" + page.text("NextVersionIdMarker"));
    EXPECT_EQ(all(next, "VersionId"), (std::vector<std::string>{second, first}));
    EXPECT_EQ(error_of(get("/a-bucket?versions&version-id-marker=x")), "InvalidArgument 400");
}

struct SettingCase {
    const char* query;
    const char* document;
    const char* missing;  // The error of GET if there is none.
    const char* malformed;
};
constexpr SettingCase setting_cases[] = {
    {"cors",
     "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
     "</CORSRule></CORSConfiguration>",
     "NoSuchCORSConfiguration 404", "<CORSConfiguration/>"},
    {"publicAccessBlock",
     "<PublicAccessBlockConfiguration><BlockPublicPolicy>false</BlockPublicPolicy>"
     "</PublicAccessBlockConfiguration>",
     "NoSuchPublicAccessBlockConfiguration 404",
     "<PublicAccessBlockConfiguration><BlockAll>true</BlockAll></PublicAccessBlockConfiguration>"},
    {"encryption",
     "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms"
     "</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
     nullptr, "<ServerSideEncryptionConfiguration/>"},
    {"tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>",
     "NoSuchTagSet 404", "<Tagging/>"},
    {"lifecycle",
     "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter/>"
     "<Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
     "NoSuchLifecycleConfiguration 404", "<LifecycleConfiguration/>"},
    {"ownershipControls",
     "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></"
     "OwnershipControls>",
     "OwnershipControlsNotFoundError 404", "<OwnershipControls/>"},
};

TEST_F(BucketsTest, ValidateStoreReturnAndDeleteSettings) {
    for (const auto& setting : setting_cases) {
        auto target = std::string("/a-bucket?") + setting.query;
        EXPECT_EQ(error_of(put(target, setting.malformed)), "MalformedXML 400") << setting.query;
        EXPECT_EQ(error_of(put(target, "<not xml")), "MalformedXML 400") << setting.query;
        EXPECT_LT(put(target, setting.document).status, 300) << setting.query;
        auto got = get(target);
        EXPECT_EQ(got.status, 200) << setting.query;
        auto inner = std::string(setting.document);
        inner = inner.substr(inner.find('>') + 1);
        EXPECT_TRUE(got.contains(inner)) << got.body;
        EXPECT_EQ(del(target).status, 204);
        if (setting.missing) {
            EXPECT_EQ(error_of(get(target)), setting.missing);
        }
    }
    EXPECT_EQ(get("/a-bucket?encryption").text("SSEAlgorithm"), "AES256");
    ASSERT_EQ(put("/b-bucket").status, 200);
    EXPECT_EQ(get("/b-bucket?publicAccessBlock").text("RestrictPublicBuckets"), "true");
    EXPECT_EQ(get("/b-bucket?ownershipControls").text("ObjectOwnership"), "BucketOwnerEnforced");
}

TEST_F(BucketsTest, ValidateEnforceAndReturnPolicies) {
    EXPECT_EQ(error_of(get("/a-bucket?policy")), "NoSuchBucketPolicy 404");
    EXPECT_EQ(error_of(put("/a-bucket?policy", "{")), "MalformedPolicy 400");
    put("/a-bucket/k", "x");
    std::string policy =
        R"({"Version":"2012-10-17","Statement":[{"Sid":"NoReads","Effect":"Deny","Principal":"*",)"
        R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::a-bucket/*"},)"
        R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/ann"},)"
        R"("Action":"s3:PutObject","Resource":"arn:aws:s3:::a-bucket/ann/*"}]})";
    EXPECT_EQ(put("/a-bucket?policy", policy).status, 204) << cause;
    EXPECT_EQ(get("/a-bucket?policy").body, policy);
    EXPECT_EQ(get("/a-bucket?policyStatus").text("IsPublic"), "false");
    EXPECT_EQ(error_of(get("/a-bucket/k")), "AccessDenied 403");
    access_key_id = "AKIAANN";
    EXPECT_EQ(put("/a-bucket/ann/k", "x").status, 200);
    EXPECT_EQ(error_of(put("/a-bucket/k", "x")), "AccessDenied 403");
    access_key_id = "AKIAROOT";
    EXPECT_EQ(del("/a-bucket?policy").status, 204);
    EXPECT_EQ(get("/a-bucket/k").status, 200);
}

TEST_F(BucketsTest, AllowPublicPoliciesOnlyWithoutPublicAccessBlock) {
    put("/a-bucket/k", "x");
    std::string policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",)"
                         R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::a-bucket/*"}]})";
    EXPECT_EQ(error_of(put("/a-bucket?policy", policy)), "AccessDenied 403");
    auto block = [&](const char* policies, const char* restrict) {
        put("/a-bucket?publicAccessBlock",
            std::string("<PublicAccessBlockConfiguration><BlockPublicPolicy>") + policies +
                "</BlockPublicPolicy><RestrictPublicBuckets>" + restrict +
                "</RestrictPublicBuckets></PublicAccessBlockConfiguration>");
    };
    block("false", "true");
    EXPECT_EQ(put("/a-bucket?policy", policy).status, 204);
    EXPECT_EQ(get("/a-bucket?policyStatus").text("IsPublic"), "true");
    access_key_id = "";
    EXPECT_EQ(error_of(get("/a-bucket/k")), "AccessDenied 403");
    access_key_id = "AKIAROOT";
    block("false", "false");
    access_key_id = "";
    EXPECT_EQ(get("/a-bucket/k").body, "x");
    EXPECT_EQ(error_of(put("/a-bucket/k", "y")), "AccessDenied 403");
    EXPECT_EQ(error_of(get("/a-bucket/k?response-content-type=a")), "InvalidRequest 400");
}

TEST_F(BucketsTest, RefuseAnonymousAndUnauthorizedCallersInEveryOperation) {
    put("/a-bucket/k", "x");
    struct Case {
        http::Method method;
        const char* target;
    };
    using http::Method;
    const Case cases[] = {{Method::get, "/"},
                          {Method::put, "/c-bucket"},
                          {Method::del, "/a-bucket"},
                          {Method::head, "/a-bucket"},
                          {Method::get, "/a-bucket"},
                          {Method::get, "/a-bucket?list-type=2"},
                          {Method::get, "/a-bucket?versions"},
                          {Method::get, "/a-bucket?uploads"},
                          {Method::get, "/a-bucket?location"},
                          {Method::get, "/a-bucket?acl"},
                          {Method::get, "/a-bucket?policyStatus"},
                          {Method::get, "/a-bucket/k"},
                          {Method::head, "/a-bucket/k"},
                          {Method::put, "/a-bucket/k"},
                          {Method::del, "/a-bucket/k"},
                          {Method::get, "/a-bucket/k?tagging"},
                          {Method::put, "/a-bucket/k?tagging"},
                          {Method::del, "/a-bucket/k?tagging"},
                          {Method::get, "/a-bucket/k?acl"},
                          {Method::get, "/a-bucket/k?attributes"},
                          {Method::post, "/a-bucket/k?uploads"},
                          {Method::put, "/a-bucket/k?partNumber=1&uploadId=u"},
                          {Method::get, "/a-bucket/k?uploadId=u"},
                          {Method::post, "/a-bucket/k?uploadId=u"},
                          {Method::del, "/a-bucket/k?uploadId=u"},
                          {Method::get, "/a-bucket/none"},
                          {Method::get, "/a-bucket/k?versionId=null"},
                          {Method::del, "/a-bucket/k?versionId=null"}};
    for (const char* caller : {"", "AKIAANN"}) {
        access_key_id = caller;
        for (const auto& one_case : cases)
            EXPECT_EQ(call(one_case.method, one_case.target).status, 403)
                << one_case.target << " by " << caller;
        for (const char* setting : {"versioning", "cors", "policy", "publicAccessBlock", "encryption",
                                    "tagging", "lifecycle", "ownershipControls"}) {
            auto target = std::string("/a-bucket?") + setting;
            EXPECT_EQ(get(target).status, 403) << setting;
            EXPECT_EQ(put(target, "<a/>").status, 403) << setting;
            if (std::string(setting) == "versioning") continue;
            EXPECT_EQ(del(target).status, 403) << setting;
        }
        auto many = post("/a-bucket?delete", "<Delete><Object><Key>k</Key></Object></Delete>",
                         {{"Content-MD5", "i9e0G8JGhAPTIO9fqGtldQ=="}});
        EXPECT_TRUE(many.contains("AccessDenied") || many.contains("BadDigest")) << many.body;
    }
    access_key_id = "AKIAROOT";
    EXPECT_EQ(get("/a-bucket/k").body, "x");
}

TEST_F(BucketsTest, ReportMissingKeysOnlyToCallersWhoMayList) {
    access_key_id = "AKIAANN";
    anns_policy = R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a-bucket/*"}]})";
    EXPECT_EQ(error_of(get("/a-bucket/none")), "AccessDenied 403");
    anns_policy = R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a-bucket/*"},
        {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::a-bucket",
         "Condition":{"StringLike":{"s3:prefix":"mine/*"}}}]})";
    EXPECT_EQ(get("/a-bucket?list-type=2&prefix=mine%2Fa").status, 200);
    EXPECT_EQ(get("/a-bucket?list-type=2&prefix=yours%2Fa").status, 403);
    EXPECT_EQ(get("/a-bucket?list-type=2").status, 403);
}

TEST_F(BucketsTest, ConditionsOfPoliciesSeeTagsAndHeaders) {
    put("/a-bucket/public", "x", {{"x-amz-tagging", "level=public"}});
    put("/a-bucket/secret", "x", {{"x-amz-tagging", "level=secret"}});
    access_key_id = "AKIAANN";
    anns_policy = R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a-bucket/*",
         "Condition":{"StringEquals":{"s3:ExistingObjectTag/level":"public"}}},
        {"Effect":"Allow","Action":["s3:PutObject","s3:PutObjectTagging"],
         "Resource":"arn:aws:s3:::a-bucket/*",
         "Condition":{"StringEquals":{"s3:RequestObjectTag/level":"public"}}}]})";
    EXPECT_EQ(get("/a-bucket/public").status, 200);
    EXPECT_EQ(get("/a-bucket/secret").status, 403);
    EXPECT_EQ(put("/a-bucket/new", "x", {{"x-amz-tagging", "level=public"}}).status, 200);
    EXPECT_EQ(put("/a-bucket/new", "x", {{"x-amz-tagging", "level=secret"}}).status, 403);
    EXPECT_EQ(put("/a-bucket/new", "x").status, 403);
}

}  // namespace
}  // namespace integreat::s3
