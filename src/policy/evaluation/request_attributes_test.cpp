// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluation/request_attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace integreat::policy {
namespace {

using ::testing::ElementsAre;

std::string value(const Context& context, std::string_view key) {
    const auto* values = find(context, key);
    return values && values->size() == 1 ? values->front() : "(none)";
}

// The table "Principal key values" of the IAM user guide.
TEST(RequestAttributes, DescribeThePrincipalLikeAws) {
    struct Row {
        Caller caller;
        const char *type, *id, *name, *arn, *account;
    };
    auto ann = user("arn:aws:iam::111122223333:user/staff/ann", "AIDAANN");
    for (const auto& row : {
             Row{root("111122223333"), "Account", "111122223333", "(none)", "arn:aws:iam::111122223333:root",
                 "111122223333"},
             Row{ann, "User", "AIDAANN", "ann", "arn:aws:iam::111122223333:user/staff/ann", "111122223333"},
             Row{role_session("arn:aws:iam::111122223333:role/app/writer", "AROAW", "s1"), "AssumedRole",
                 "AROAW:s1", "(none)", "arn:aws:iam::111122223333:role/app/writer", "111122223333"},
             Row{federated_user(ann.arn, "guest"), "FederatedUser", "111122223333:guest", "(none)",
                 "arn:aws:sts::111122223333:federated-user/guest", "111122223333"},
             Row{Caller{}, "Anonymous", "anonymous", "(none)", "(none)", "(none)"},
             Row{web_identity("cognito-identity.amazonaws.com"), "(none)", "(none)", "(none)", "(none)",
                 "(none)"},
         }) {
        auto context = make_context(row.caller, {});
        EXPECT_EQ(value(context, "aws:principaltype"), row.type);
        EXPECT_EQ(value(context, "aws:userid"), row.id);
        EXPECT_EQ(value(context, "aws:username"), row.name);
        EXPECT_EQ(value(context, "aws:principalarn"), row.arn);
        EXPECT_EQ(value(context, "aws:principalaccount"), row.account);
    }
    EXPECT_EQ(value(make_context(service("lambda.amazonaws.com"), {}), "aws:principalservicename"),
              "lambda.amazonaws.com");
    EXPECT_EQ(value(make_context(service("lambda.amazonaws.com"), {}), "aws:principalisawsservice"), "true");
}

TEST(RequestAttributes, BecomeKeysOnlyIfKnown) {
    auto bare = make_context({}, {.now = from_unix_seconds(1'795'335'300)});
    EXPECT_EQ(value(bare, "aws:currenttime"), "2026-11-22T08:15:00Z");
    EXPECT_EQ(value(bare, "aws:epochtime"), "1795335300");
    EXPECT_EQ(value(bare, "aws:securetransport"), "false");
    EXPECT_EQ(value(bare, "aws:viaawsservice"), "false");
    EXPECT_EQ(value(bare, "aws:principalisawsservice"), "false");
    for (auto key :
         {"aws:sourceip", "aws:useragent", "aws:referer", "aws:requestedregion", "aws:tagkeys",
          "aws:tokenissuetime", "aws:multifactorauthpresent", "aws:federatedprovider", "aws:resourceaccount"})
        EXPECT_EQ(find(bare, key), nullptr) << key;

    RequestAttributes facts{.now = from_unix_seconds(0),
                            .secure_transport = true,
                            .source_ip = "::1",
                            .user_agent = "curl",
                            .referer = "http://x/",
                            .requested_region = "eu-central-1"};
    facts.token_issued = from_unix_seconds(60);
    facts.mfa_present = false;
    facts.federated_provider = "cognito-identity.amazonaws.com";
    facts.web_identity =
        WebIdentity{"cognito-identity.amazonaws.com", "pool", "identity", {"authenticated", "x"}};
    facts.request_tags = {{"Team", "red"}, {"Cost", "7"}};
    facts.resource_tags = {{"Team", "blue"}};
    facts.resource_account = "111122223333";
    auto caller = root("111122223333");
    caller.tags = {{"Team", "green"}};
    auto full = make_context(caller, facts);
    EXPECT_EQ(value(full, "aws:securetransport"), "true");
    EXPECT_EQ(value(full, "aws:sourceip"), "::1");
    EXPECT_EQ(value(full, "aws:useragent"), "curl");
    EXPECT_EQ(value(full, "aws:referer"), "http://x/");
    EXPECT_EQ(value(full, "aws:requestedregion"), "eu-central-1");
    EXPECT_EQ(value(full, "aws:tokenissuetime"), "1970-01-01T00:01:00Z");
    EXPECT_EQ(value(full, "aws:multifactorauthpresent"), "false");
    EXPECT_EQ(value(full, "aws:federatedprovider"), "cognito-identity.amazonaws.com");
    EXPECT_EQ(value(full, "cognito-identity.amazonaws.com:aud"), "pool");
    EXPECT_EQ(value(full, "cognito-identity.amazonaws.com:sub"), "identity");
    EXPECT_THAT(*find(full, "cognito-identity.amazonaws.com:amr"), ElementsAre("authenticated", "x"));
    EXPECT_EQ(value(full, "aws:requesttag/team"), "red");
    EXPECT_EQ(value(full, "aws:resourcetag/team"), "blue");
    EXPECT_EQ(value(full, "aws:principaltag/team"), "green");
    EXPECT_THAT(*find(full, "aws:tagkeys"), ElementsAre("Cost", "Team"));
    EXPECT_EQ(value(full, "aws:resourceaccount"), "111122223333");
}

}  // namespace
}  // namespace integreat::policy
