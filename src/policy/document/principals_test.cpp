// SPDX-License-Identifier: Apache-2.0
#include "policy/document/principals.h"

#include <gtest/gtest.h>

#include "policy/testing/policy_matchers.h"

namespace integreat::policy {
namespace {

using testing::user_ann;
using testing::writer_session;

Principals those(std::initializer_list<const char*> texts, bool is_not = false) {
    Principals principals{.is_not = is_not, .entries = {}};
    for (const auto* text : texts) {
        auto principal = parse_principal(PrincipalKind::aws, text);
        EXPECT_TRUE(principal) << text;
        principals.entries.push_back(*principal);
    }
    return principals;
}

TEST(Principals, NameAccountsRolesUsersAndSessions) {
    EXPECT_EQ(match_principals(those({"111122223333"}), user_ann), PrincipalMatch::account);
    EXPECT_EQ(match_principals(those({"arn:aws:iam::111122223333:root"}), writer_session),
              PrincipalMatch::account);
    EXPECT_EQ(match_principals(those({"arn:aws:iam::111122223333:user/staff/ann"}), user_ann),
              PrincipalMatch::exact);
    EXPECT_EQ(match_principals(those({"arn:aws:iam::111122223333:user/ann"}), user_ann),
              PrincipalMatch::none);
    EXPECT_EQ(match_principals(those({"arn:aws:iam::111122223333:user/staff/Ann"}), user_ann),
              PrincipalMatch::none);
    EXPECT_EQ(match_principals(those({"arn:aws:iam::111122223333:role/app/writer"}), writer_session),
              PrincipalMatch::source);
    EXPECT_EQ(match_principals(those({"arn:aws:sts::111122223333:assumed-role/writer/s1"}), writer_session),
              PrincipalMatch::exact);
    EXPECT_EQ(match_principals(those({"arn:aws:sts::111122223333:assumed-role/writer/s2"}), writer_session),
              PrincipalMatch::none);
    EXPECT_EQ(match_principals(those({"AIDAANNANNANNANNANNAN"}), user_ann), PrincipalMatch::exact);
    EXPECT_EQ(match_principals(those({"AROAWRITERWRITERWRITE"}), writer_session), PrincipalMatch::source);
    EXPECT_EQ(match_principals(those({"444455556666", "arn:aws:iam::111122223333:root"}), user_ann),
              PrincipalMatch::account);
    EXPECT_EQ(match_principals(those({"*"}), {}), PrincipalMatch::exact);
    EXPECT_EQ(match_principals(those({"444455556666"}), {}), PrincipalMatch::none);
    EXPECT_EQ(match_principals(those({}), user_ann), PrincipalMatch::none);
}

TEST(Principals, NameProvidersAndServicesExactly) {
    auto cognito = web_identity("cognito-identity.amazonaws.com");
    Principals federated{.is_not = false,
                         .entries = {*parse_principal(PrincipalKind::federated, cognito.provider)}};
    EXPECT_EQ(match_principals(federated, cognito), PrincipalMatch::exact);
    EXPECT_EQ(match_principals(federated, web_identity("accounts.google.com")), PrincipalMatch::none);
    EXPECT_EQ(match_principals(federated, service("cognito-identity.amazonaws.com")), PrincipalMatch::none);
    EXPECT_EQ(match_principals(federated, writer_session), PrincipalMatch::none);
}

// "When you use NotPrincipal with Deny, you must also specify the account ARN of the not-denied principal",
// and for a session the role as well.
TEST(Principals, NotPrincipalExcludesFullyNamedCallers) {
    EXPECT_EQ(match_principals(those({"arn:aws:iam::111122223333:user/staff/ann"}, true), user_ann),
              PrincipalMatch::exact);
    EXPECT_EQ(match_principals(those({"111122223333"}, true), user_ann), PrincipalMatch::exact);
    EXPECT_EQ(
        match_principals(those({"arn:aws:iam::111122223333:user/staff/ann", "111122223333"}, true), user_ann),
        PrincipalMatch::none);
    EXPECT_EQ(match_principals(those({"arn:aws:iam::111122223333:role/app/writer", "111122223333"}, true),
                               writer_session),
              PrincipalMatch::exact);
    EXPECT_EQ(match_principals(those({"arn:aws:sts::111122223333:assumed-role/writer/s1",
                                      "arn:aws:iam::111122223333:role/app/writer", "111122223333"},
                                     true),
                               writer_session),
              PrincipalMatch::none);
    EXPECT_EQ(match_principals(those({"111122223333"}, true), root("111122223333")), PrincipalMatch::none);
    EXPECT_EQ(match_principals(those({"111122223333"}, true), {}), PrincipalMatch::exact);
    EXPECT_EQ(match_principals(those({"*"}, true), {}), PrincipalMatch::none);
}

TEST(Principals, RejectInvalidPrincipals) {
    for (const auto* text :
         {"", "bob", "11112222333", "1111222233334", "arn:aws:iam::111122223333:user/", "arn:aws:iam::1:root",
          "arn:aws:iam::111122223333:group/staff", "arn:aws:iam::111122223333:user/*",
          "arn:aws:iam::111122223333:role/r?", "arn:aws:sts::111122223333:assumed-role/writer",
          "arn:aws:sts::111122223333:assumed-role/writer/*", "arn:aws:iam:eu-central-1:111122223333:root",
          "arn:aws:s3:::bucket", "**", "aidaannannannannannan", "AIDA"}) {
        EXPECT_FALSE(parse_principal(PrincipalKind::aws, text)) << text;
    }
    EXPECT_TRUE(parse_principal(PrincipalKind::aws,
                                "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"));
    EXPECT_TRUE(parse_principal(PrincipalKind::aws, "arn:aws-cn:sts::111122223333:federated-user/guest"));
    for (const auto* text : {"", "*", "lambda.*", "a b"})
        EXPECT_FALSE(parse_principal(PrincipalKind::service, text)) << text;
}

TEST(Caller, IsMadeFromArns) {
    EXPECT_EQ(user_ann.name, "ann");
    EXPECT_EQ(user_ann.account, "111122223333");
    EXPECT_EQ(writer_session.arn, "arn:aws:sts::111122223333:assumed-role/writer/s1");
    EXPECT_EQ(writer_session.id, "AROAWRITERWRITERWRITE:s1");
    EXPECT_EQ(writer_session.account, "111122223333");
    auto guest = federated_user(user_ann.arn, "guest");
    EXPECT_EQ(guest.arn, "arn:aws:sts::111122223333:federated-user/guest");
    EXPECT_EQ(guest.id, "111122223333:guest");
    EXPECT_EQ(root("111122223333").arn, "arn:aws:iam::111122223333:root");
}

}  // namespace
}  // namespace integreat::policy
