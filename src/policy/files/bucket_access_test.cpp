// SPDX-License-Identifier: Apache-2.0
// The policy of a tenant's users against the requests that it must allow and refuse.
#include "policy/files/bucket_access.h"

#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "policy/document/document.h"
#include "policy/evaluation/evaluate.h"

namespace integreat::policy {
namespace {

constexpr std::string_view test_bucket = "campus-tenant-bucket";

class BucketAccessTest : public ::testing::Test {
protected:
    using Keys = std::map<std::string, std::string>;

    bool is_allowed(const Keys& tags, const std::string& action, const std::string& key, Keys keys = {}) {
        auto text = make_bucket_access_policy(test_bucket, opened);
        auto validated =
            validate_document(text, DocumentKind::identity, {.max_bytes = role_policies_bytes_max});
        EXPECT_TRUE(validated.good()) << text;
        Request request{
            .caller = {.kind = CallerKind::role_session,
                       .account = "000000000000",
                       .arn = "arn:aws:sts::000000000000:assumed-role/r/s"},
            .action = action,
            .resource = "arn:aws:s3:::" + std::string(test_bucket) + (key.empty() ? "" : "/" + key),
            .resource_account = "000000000000",
            .context = {}};
        for (const auto& [name, value] : tags)
            set(request.context, "aws:PrincipalTag/" + name, value);
        for (const auto& [name, value] : keys)
            set(request.context, name, value);
        auto document = std::make_shared<const Document>(std::move(validated.document));
        std::vector<AttachedPolicy> identity{{.name = "files", .document = std::move(document)}};
        return evaluate(request, {.identity = identity, .resource = {}, .session = {}, .boundary = {}})
            .allowed;
    }
    bool may_put(const Keys& tags, const std::string& key) {
        return is_allowed(tags, "s3:PutObject", key,
                          {{"s3:if-none-match", "*"}, {"s3:ObjectCreationOperation", "true"}});
    }
    bool may_list(const Keys& tags, const std::string& prefix) {
        return is_allowed(tags, "s3:ListBucket", "", {{"s3:prefix", prefix}});
    }

    std::vector<OpenedPrefix> opened{
        {.prefix = "announcements/", .read = {.roles = {"member", "pastor"}}, .write = {.roles = {"pastor"}}},
        {.prefix = "pictures/", .read = {.signed_in = true}, .write = {}}};
};

TEST_F(BucketAccessTest, AUserHasOnePrefix) {
    Keys ann{{"uid", "ann"}};
    EXPECT_TRUE(may_put(ann, "users/ann/a.txt"));
    EXPECT_TRUE(is_allowed(ann, "s3:GetObject", "users/ann/a.txt"));
    EXPECT_TRUE(is_allowed(ann, "s3:DeleteObject", "users/ann/a.txt"));
    EXPECT_TRUE(may_list(ann, "users/ann/"));
    EXPECT_TRUE(may_list(ann, "users/ann/a"));
    for (const char* key : {"users/bob/a.txt", "users/annie/a.txt", "users/ann", "users/", "a.txt"}) {
        EXPECT_FALSE(may_put(ann, key)) << key;
        EXPECT_FALSE(is_allowed(ann, "s3:GetObject", key)) << key;
        EXPECT_FALSE(is_allowed(ann, "s3:DeleteObject", key)) << key;
    }
    for (const char* prefix : {"", "users/", "users/bob/", "users/an", "users/ann"})
        EXPECT_FALSE(may_list(ann, prefix)) << prefix;
    EXPECT_FALSE(is_allowed(ann, "s3:ListBucket", "")) << "without a prefix";
    for (const char* action : {"s3:DeleteObjectVersion", "s3:GetObjectVersion", "s3:PutObjectAcl",
                               "s3:PutObjectTagging", "s3:GetObjectTagging"})
        EXPECT_FALSE(is_allowed(ann, action, "users/ann/a.txt")) << action;
}

TEST_F(BucketAccessTest, NoPrefixWithoutAUsableUid) {
    EXPECT_FALSE(may_put({}, "users//a"));
    EXPECT_FALSE(may_put({{"uid", ""}}, "users//a"));
    EXPECT_FALSE(may_list({{"uid", ""}}, "users//"));
    EXPECT_FALSE(may_put({{"uid", "ann/x"}}, "users/ann/x/a"));
    EXPECT_FALSE(may_list({{"uid", "ann/x"}}, "users/ann/x/"));
    EXPECT_FALSE(may_put({{"uid", "*"}}, "users/ann/a")) << "the value of a variable is plain text";
}

TEST_F(BucketAccessTest, ARequestThatCouldReplaceIsRefused) {
    Keys ann{{"uid", "ann"}};
    EXPECT_FALSE(is_allowed(ann, "s3:PutObject", "users/ann/a", {{"s3:ObjectCreationOperation", "true"}}));
    EXPECT_TRUE(is_allowed(ann, "s3:PutObject", "users/ann/a", {{"s3:ObjectCreationOperation", "false"}}))
        << "the parts of an upload, which take no condition";
}

TEST_F(BucketAccessTest, ARoleHasTheOpenedPrefixes) {
    Keys member{{"uid", "ann"}, {"role", "member"}}, pastor{{"uid", "bob"}, {"role", "pastor"}};
    EXPECT_TRUE(is_allowed(member, "s3:GetObject", "announcements/a.pdf"));
    EXPECT_TRUE(may_list(member, "announcements/"));
    EXPECT_FALSE(may_put(member, "announcements/a.pdf"));
    EXPECT_FALSE(is_allowed(member, "s3:DeleteObject", "announcements/a.pdf"));
    EXPECT_TRUE(may_put(pastor, "announcements/a.pdf"));
    EXPECT_TRUE(is_allowed(pastor, "s3:DeleteObject", "announcements/a.pdf"));
    EXPECT_FALSE(is_allowed(pastor, "s3:DeleteObjectVersion", "announcements/a.pdf"));
    EXPECT_FALSE(is_allowed(pastor, "s3:GetObject", "users/ann/a"));
    EXPECT_FALSE(may_list(pastor, "a"));
    EXPECT_FALSE(is_allowed({{"uid", "eve"}}, "s3:GetObject", "announcements/a.pdf"));
    EXPECT_FALSE(is_allowed({{"uid", "eve"}, {"role", "memb"}}, "s3:GetObject", "announcements/a.pdf"));
}

TEST_F(BucketAccessTest, EveryUserHasWhatIsOpenedToSignedInUsers) {
    EXPECT_TRUE(is_allowed({{"uid", "eve"}}, "s3:GetObject", "pictures/a.png"));
    EXPECT_TRUE(may_list({{"uid", "eve"}}, "pictures/"));
    EXPECT_FALSE(may_put({{"uid", "eve"}, {"role", "pastor"}}, "pictures/a.png"));
    EXPECT_FALSE(is_allowed({}, "s3:GetObject", "pictures/a.png"));
}

TEST_F(BucketAccessTest, EarlierFilesStayTheirUsers) {
    Keys identity{{"cognito-identity.amazonaws.com:sub", "us-east-1:1"}};
    EXPECT_TRUE(is_allowed({}, "s3:GetObject", "users/us-east-1:1/a", identity));
    EXPECT_FALSE(is_allowed({}, "s3:GetObject", "users/us-east-1:2/a", identity));
    EXPECT_TRUE(is_allowed({}, "s3:DeleteObject", "users/us-east-1:1/a", identity));
    identity["s3:if-none-match"] = "*";
    EXPECT_TRUE(is_allowed({}, "s3:PutObject", "users/us-east-1:1/a", identity));
    EXPECT_FALSE(is_allowed({}, "s3:PutObject", "users/us-east-1:2/a", identity));
}

TEST(PolicySize, IsCountedWithoutWhiteSpace) {
    EXPECT_EQ(count_policy_bytes("{ \"a\":\n\t[1, 2]\r\n}"), 11u);
    EXPECT_LT(count_policy_bytes(make_bucket_access_policy(std::string(63, 'b'), {})), 2'048u);
}

}  // namespace
}  // namespace integreat::policy
