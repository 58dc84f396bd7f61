// SPDX-License-Identifier: Apache-2.0
#include "policy/document/principals.h"

#include <gtest/gtest.h>

namespace integreat::policy {
namespace {

const Caller ann = user("arn:aws:iam::111122223333:user/staff/ann", "AIDAANNANNANNANNANNAN");
const Caller session =
    role_session("arn:aws:iam::111122223333:role/app/writer", "AROAWRITERWRITERWRITE", "s1");

Principals those(std::initializer_list<const char*> texts, bool is_not = false) {
    Principals principals{.is_not = is_not, .named = {}};
    for (const auto* text : texts) {
        auto named = parse_principal(PrincipalKind::aws, text);
        EXPECT_TRUE(named) << text;
        principals.named.push_back(*named);
    }
    return principals;
}

TEST(Principals, NameAccountsRolesUsersAndSessions) {
    EXPECT_EQ(naming_of(those({"111122223333"}), ann), Naming::account);
    EXPECT_EQ(naming_of(those({"arn:aws:iam::111122223333:root"}), session), Naming::account);
    EXPECT_EQ(naming_of(those({"arn:aws:iam::111122223333:user/staff/ann"}), ann), Naming::exact);
    EXPECT_EQ(naming_of(those({"arn:aws:iam::111122223333:user/ann"}), ann), Naming::none);
    EXPECT_EQ(naming_of(those({"arn:aws:iam::111122223333:user/staff/Ann"}), ann), Naming::none);
    EXPECT_EQ(naming_of(those({"arn:aws:iam::111122223333:role/app/writer"}), session), Naming::source);
    EXPECT_EQ(naming_of(those({"arn:aws:sts::111122223333:assumed-role/writer/s1"}), session), Naming::exact);
    EXPECT_EQ(naming_of(those({"arn:aws:sts::111122223333:assumed-role/writer/s2"}), session), Naming::none);
    EXPECT_EQ(naming_of(those({"AIDAANNANNANNANNANNAN"}), ann), Naming::exact);
    EXPECT_EQ(naming_of(those({"AROAWRITERWRITERWRITE"}), session), Naming::source);
    EXPECT_EQ(naming_of(those({"444455556666", "arn:aws:iam::111122223333:root"}), ann), Naming::account);
    EXPECT_EQ(naming_of(those({"*"}), {}), Naming::exact);
    EXPECT_EQ(naming_of(those({"444455556666"}), {}), Naming::none);
    EXPECT_EQ(naming_of(those({}), ann), Naming::none);
}

TEST(Principals, NameProvidersAndServicesExactly) {
    auto cognito = web_identity("cognito-identity.amazonaws.com");
    Principals federated{.is_not = false,
                         .named = {*parse_principal(PrincipalKind::federated, cognito.provider)}};
    EXPECT_EQ(naming_of(federated, cognito), Naming::exact);
    EXPECT_EQ(naming_of(federated, web_identity("accounts.google.com")), Naming::none);
    EXPECT_EQ(naming_of(federated, service("cognito-identity.amazonaws.com")), Naming::none);
    EXPECT_EQ(naming_of(federated, session), Naming::none);
}

// "When you use NotPrincipal with Deny, you must also specify the account ARN of the not-denied principal",
// and for a session the role as well.
TEST(Principals, NotPrincipalSparesWhoIsNamedInFull) {
    EXPECT_EQ(naming_of(those({"arn:aws:iam::111122223333:user/staff/ann"}, true), ann), Naming::exact);
    EXPECT_EQ(naming_of(those({"111122223333"}, true), ann), Naming::exact);
    EXPECT_EQ(naming_of(those({"arn:aws:iam::111122223333:user/staff/ann", "111122223333"}, true), ann),
              Naming::none);
    EXPECT_EQ(naming_of(those({"arn:aws:iam::111122223333:role/app/writer", "111122223333"}, true), session),
              Naming::exact);
    EXPECT_EQ(naming_of(those({"arn:aws:sts::111122223333:assumed-role/writer/s1",
                               "arn:aws:iam::111122223333:role/app/writer", "111122223333"},
                              true),
                        session),
              Naming::none);
    EXPECT_EQ(naming_of(those({"111122223333"}, true), root("111122223333")), Naming::none);
    EXPECT_EQ(naming_of(those({"111122223333"}, true), {}), Naming::exact);
    EXPECT_EQ(naming_of(those({"*"}, true), {}), Naming::none);
}

TEST(Principals, RefuseWhatCanBeNobody) {
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
    EXPECT_EQ(ann.name, "ann");
    EXPECT_EQ(ann.account, "111122223333");
    EXPECT_EQ(session.arn, "arn:aws:sts::111122223333:assumed-role/writer/s1");
    EXPECT_EQ(session.id, "AROAWRITERWRITERWRITE:s1");
    EXPECT_EQ(session.account, "111122223333");
    auto guest = federated_user(ann.arn, "guest");
    EXPECT_EQ(guest.arn, "arn:aws:sts::111122223333:federated-user/guest");
    EXPECT_EQ(guest.id, "111122223333:guest");
    EXPECT_EQ(root("111122223333").arn, "arn:aws:iam::111122223333:root");
}

}  // namespace
}  // namespace integreat::policy
