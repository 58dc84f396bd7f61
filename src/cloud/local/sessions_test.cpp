// SPDX-License-Identifier: Apache-2.0
// Sessions beyond the plain exchange: web identities at STS, tags, boundaries, session tokens of users.
#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class SessionsTest : public LocalCloudTest {
protected:
    void call_iam(const std::string& body) {
        auto response = form("iam", body, root());
        EXPECT_EQ(response.status, 200) << response.body;
    }
    static std::string to_parameter(const json::value& value) {
        return aws::uri_encode(json::serialize(value));
    }

    ReceivedResponse assume_role_with(const std::string& token, const std::string& role,
                                      const std::string& more = {}) {
        return send_request(
            cloud->application,
            unsigned_request({.headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                              .body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=" +
                                      aws::uri_encode("arn:aws:iam::000000000000:role/" + role) +
                                      "&RoleSessionName=web&WebIdentityToken=" + token + more}));
    }
    static Key credentials_in(const ReceivedResponse& response) {
        return {response.text("AccessKeyId"), response.text("SecretAccessKey"),
                response.text("SessionToken")};
    }
    // Creates a role that trusts campus's Firebase project directly.
    void make_web_role(const json::object& condition) {
        json::object statement{
            {"Effect", "Allow"},
            {"Action", "sts:AssumeRoleWithWebIdentity"},
            {"Principal",
             {{"Federated",
               "arn:aws:iam::000000000000:oidc-provider/securetoken.google.com/campus-student-lifecycle"}}},
            {"Condition", condition}};
        call_iam("Action=CreateRole&RoleName=web&AssumeRolePolicyDocument=" +
                 to_parameter({{"Version", "2012-10-17"}, {"Statement", json::array{statement}}}));
    }
    ReceivedResponse cognito_as_root(const std::string& operation, const json::object& body) {
        return send_request(
            cloud->application,
            signed_request({.service = "cognito-identity",
                            .headers = {{"X-Amz-Target", "AWSCognitoIdentityService." + operation}},
                            .body = json::serialize(body)},
                           root(), clock.now()));
    }
};

TEST_F(SessionsTest, AWebIdentityAssumesARoleThatNamesItsSubject) {
    make_web_role({{"StringEquals", {{"securetoken.google.com/campus-student-lifecycle:sub", "ann"}}}});
    auto response = assume_role_with(sign(claims(campus_project)), "web");
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.text("SubjectFromWebIdentityToken"), "ann");
    EXPECT_EQ(response.text("Audience"), campus_project);
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", credentials_in(response)).text("Arn"),
              "arn:aws:sts::000000000000:assumed-role/web/web");
    response = assume_role_with(sign(claims(campus_project, "bob")), "web");
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.text("Message"), "Not authorized to perform sts:AssumeRoleWithWebIdentity");
}

TEST_F(SessionsTest, WebIdentityTokensAreVerified) {
    make_web_role({{"StringEquals", {{"securetoken.google.com/campus-student-lifecycle:sub", "ann"}}}});
    auto wrong = claims(campus_project);
    wrong["aud"] = "another";
    EXPECT_EQ(assume_role_with(sign(wrong), "web").text("Message"), "Incorrect token audience");
    wrong = claims("unknown-project");
    EXPECT_EQ(
        assume_role_with(sign(wrong), "web").text("Message"),
        "No OpenIDConnect provider found in your account for https://securetoken.google.com/unknown-project");
    wrong = claims(campus_project);
    wrong["exp"] = unix_seconds(clock.now()) - 1;
    auto response = assume_role_with(sign(wrong), "web");
    EXPECT_EQ(response.text("Code"), "ExpiredTokenException");
    auto now = unix_seconds(clock.now());
    EXPECT_EQ(response.text("Message"), "Token expired: current date/time " + std::to_string(now) +
                                            " must be before the expiration date/time " +
                                            std::to_string(now - 1));
    auto forged = sign(claims(campus_project));
    forged.back() = forged.back() == 'A' ? 'Q' : 'A';
    EXPECT_EQ(assume_role_with(forged, "web").text("Code"), "InvalidIdentityToken");
    EXPECT_EQ(assume_role_with(sign(claims(campus_project)), "web", "&DurationSeconds=100").text("Code"),
              "ValidationError");
    EXPECT_EQ(assume_role_with(sign(claims(campus_project)), "web", "&DurationSeconds=7200").text("Message"),
              "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
}

TEST_F(SessionsTest, TheClassicFlowMustBeAllowedByThePoolAndGivesTheSameRole) {
    auto token = sign(claims(campus_project));
    auto identity = get_text(get_id(campus, campus_project, token), "IdentityId");
    json::object request{{"IdentityId", identity},
                         {"Logins", {{"securetoken.google.com/" + campus_project, token}}}};
    EXPECT_EQ(error_of(cognito("GetOpenIdToken", request)),
              "InvalidParameterException: Basic (classic) flow is not enabled, please use enhanced flow.");
    auto pool = cloud->cognito->pools()->at(campus.identity_pool)->description;
    pool["AllowClassicFlow"] = true;
    ASSERT_EQ(cognito_as_root("UpdateIdentityPool", pool).status, 200);
    auto open_id = get_text(cognito("GetOpenIdToken", request), "Token");
    auto response = assume_role_with(open_id, "campus-student-lifecycle-TenantUserRole");
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.text("Provider"), "cognito-identity.amazonaws.com");
    EXPECT_EQ(s3(http::Method::get, "/" + campus.bucket + "?list-type=2", credentials_in(response)).status,
              200);
    EXPECT_EQ(assume_role_with(open_id, "evntgarde-event-management-TenantUserRole").status, 403);
    json::object mapping{{"Type", "Token"}, {"AmbiguousRoleResolution", "Deny"}};
    ASSERT_EQ(cognito_as_root("SetIdentityPoolRoles",
                              {{"IdentityPoolId", campus.identity_pool},
                               {"Roles", {{"authenticated", campus.role}}},
                               {"RoleMappings", {{"securetoken.google.com/" + campus_project, mapping}}}})
                  .status,
              200);
    EXPECT_EQ(
        error_of(cognito("GetOpenIdToken", request)),
        "InvalidParameterException: Basic (classic) flow is not supported with RoleMappings, please use "
        "enhanced flow.");
    clock.advance(601s);
    EXPECT_EQ(assume_role_with(open_id, "campus-student-lifecycle-TenantUserRole").text("Code"),
              "ExpiredTokenException");
}

TEST_F(SessionsTest, MapsClaimsToTagsForPolicyConditions) {
    ASSERT_EQ(cognito_as_root("SetPrincipalTagAttributeMap",
                              {{"IdentityPoolId", campus.identity_pool},
                               {"IdentityProviderName", "securetoken.google.com/" + campus_project},
                               {"PrincipalTags", {{"user", "sub"}}}})
                  .status,
              200);
    auto token = sign(claims(campus_project));
    auto identity = get_text(get_id(campus, campus_project, token), "IdentityId");
    EXPECT_TRUE(error_of(get_credentials(identity, campus_project, token))
                    .starts_with("InvalidIdentityPoolConfigurationException"))
        << "the trust policy does not allow sts:TagSession";
    json::object statement{
        {"Effect", "Allow"},
        {"Action", json::array{"sts:AssumeRoleWithWebIdentity", "sts:TagSession"}},
        {"Principal", {{"Federated", "cognito-identity.amazonaws.com"}}},
        {"Condition", {{"StringEquals", {{"cognito-identity.amazonaws.com:aud", campus.identity_pool}}}}}};
    call_iam(
        "Action=UpdateAssumeRolePolicy&RoleName=campus-student-lifecycle-TenantUserRole&PolicyDocument=" +
        to_parameter({{"Version", "2012-10-17"}, {"Statement", json::array{statement}}}));
    json::object own{{"Effect", "Allow"},
                     {"Action", "s3:PutObject"},
                     {"Resource", "arn:aws:s3:::" + campus.bucket + "/${aws:PrincipalTag/user}/*"}};
    call_iam(
        "Action=PutRolePolicy&RoleName=campus-student-lifecycle-TenantUserRole"
        "&PolicyName=TenantUserRoleDefaultPolicy&PolicyDocument=" +
        to_parameter({{"Version", "2012-10-17"}, {"Statement", json::array{own}}}));
    auto key = credentials(campus, campus_project);
    EXPECT_EQ(s3(http::Method::put, "/" + campus.bucket + "/ann/a", key, "x").status, 200);
    EXPECT_EQ(s3(http::Method::put, "/" + campus.bucket + "/bob/a", key, "x").status, 403);
}

TEST_F(SessionsTest, ABoundaryLimitsWhatAUserIsAllowed) {
    json::object all{{"Effect", "Allow"}, {"Action", "*"}, {"Resource", "*"}};
    json::object lists{{"Effect", "Allow"}, {"Action", "s3:List*"}, {"Resource", "*"}};
    call_iam("Action=CreateUser&UserName=ann");
    auto created = form("iam", "Action=CreateAccessKey&UserName=ann", root());
    Key ann{created.text("AccessKeyId"), created.text("SecretAccessKey")};
    call_iam("Action=PutUserPolicy&UserName=ann&PolicyName=All&PolicyDocument=" +
             to_parameter({{"Version", "2012-10-17"}, {"Statement", json::array{all}}}));
    EXPECT_EQ(s3(http::Method::put, "/" + campus.bucket + "/a", ann, "x").status, 200);
    call_iam("Action=CreatePolicy&PolicyName=Lists&PolicyDocument=" +
             to_parameter({{"Version", "2012-10-17"}, {"Statement", json::array{lists}}}));
    call_iam("Action=PutUserPermissionsBoundary&UserName=ann&PermissionsBoundary=" +
             aws::uri_encode("arn:aws:iam::000000000000:policy/Lists"));
    auto response = s3(http::Method::put, "/" + campus.bucket + "/a", ann, "x");
    EXPECT_TRUE(
        response.text("Message").ends_with("because no permissions boundary allows the s3:PutObject action"))
        << response.text("Message");
    EXPECT_EQ(s3(http::Method::get, "/" + campus.bucket + "?list-type=2", ann).status, 200);
    open();
    EXPECT_EQ(s3(http::Method::put, "/" + campus.bucket + "/a", ann, "x").status, 403)
        << "also after a restart";
}

TEST_F(SessionsTest, ASessionTokenIdentifiesItsUserUntilItExpires) {
    call_iam("Action=CreateUser&UserName=ann");
    auto created = form("iam", "Action=CreateAccessKey&UserName=ann", root());
    Key ann{created.text("AccessKeyId"), created.text("SecretAccessKey")};
    auto session = credentials_in(form("sts", "Action=GetSessionToken&DurationSeconds=900", ann));
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", session).text("Arn"),
              "arn:aws:iam::000000000000:user/ann");
    EXPECT_EQ(form("sts", "Action=GetSessionToken", session).text("Message"),
              "Cannot call GetSessionToken with session credentials");
    open();
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", session).status, 200) << "valid after a restart";
    clock.advance(900s);
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", session).text("Code"), "ExpiredToken");
    call_iam("Action=UpdateAccessKey&UserName=ann&Status=Inactive&AccessKeyId=" + ann.id);
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", ann).text("Code"), "InvalidClientTokenId");
}

TEST_F(SessionsTest, RefusesInvalidPoliciesWithTheErrorsOfIam) {
    call_iam("Action=CreateUser&UserName=ann");
    auto put = [&](const std::string& document) {
        return form(
            "iam",
            "Action=PutUserPolicy&UserName=ann&PolicyName=P&PolicyDocument=" + aws::uri_encode(document),
            root());
    };
    EXPECT_EQ(put("no json").text("Code"), "MalformedPolicyDocument");
    EXPECT_EQ(put(R"({"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]})").text("Code"),
              "MalformedPolicyDocument");
    json::object large{
        {"Effect", "Allow"}, {"Action", "*"}, {"Resource", "arn:aws:s3:::" + std::string(2'100, 'x')}};
    EXPECT_EQ(put(json::serialize(json::object{{"Version", "2012-10-17"}, {"Statement", json::array{large}}}))
                  .text("Code"),
              "LimitExceeded");
    EXPECT_EQ(form("iam", "Action=CreateUser&UserName=ann", root()).text("Code"), "EntityAlreadyExists");
    EXPECT_EQ(form("iam", "Action=CreateUser&UserName=a%20b", root()).text("Code"), "ValidationError");
    EXPECT_EQ(form("iam", "Action=GetUser&UserName=nobody", root()).text("Code"), "NoSuchEntity");
    for (int i = 0; i < 2; ++i)
        call_iam("Action=CreateAccessKey&UserName=ann");
    EXPECT_EQ(form("iam", "Action=CreateAccessKey&UserName=ann", root()).text("Code"), "LimitExceeded");
    EXPECT_EQ(form("iam", "Action=DeleteUser&UserName=ann", root()).text("Code"), "DeleteConflict");
}

TEST_F(SessionsTest, TheSimulatorAgreesWithEnforcement) {
    auto response = form("iam",
                         "Action=SimulatePrincipalPolicy&PolicySourceArn=" + aws::uri_encode(campus.role) +
                             "&ActionNames.member.1=s3:GetObject&ActionNames.member.2=s3:DeleteBucket"
                             "&ResourceArns.member.1=" +
                             aws::uri_encode("arn:aws:s3:::" + campus.bucket + "/a"),
                         root());
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_TRUE(response.contains("<EvalActionName>s3:GetObject</EvalActionName>"));
    EXPECT_TRUE(response.contains("<EvalDecision>allowed</EvalDecision>"));
    EXPECT_TRUE(response.contains("<EvalDecision>implicitDeny</EvalDecision>"));
    EXPECT_TRUE(response.contains("<SourcePolicyId>TenantUserRoleDefaultPolicy</SourcePolicyId>"));
}

// A preflight has neither X-Amz-Target nor a signature, so a call to Cognito looks like any POST to "/".
TEST_F(SessionsTest, AllowsEveryOriginForServicesAndConfiguredOriginsForBuckets) {
    auto preflight = [&](const std::string& target, const std::string& method, const std::string& origin) {
        return send_request(
            cloud->application,
            unsigned_request({.method = http::Method::options,
                              .target = target,
                              .headers = {{"Origin", origin},
                                          {"Access-Control-Request-Method", method},
                                          {"Access-Control-Request-Headers", "x-amz-target"}}}));
    };
    auto call = preflight("/", "POST", "https://anywhere.example");
    EXPECT_EQ(call.status, 200);
    EXPECT_EQ(call.headers.value("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(call.headers.value("Access-Control-Allow-Headers"), "x-amz-target");
    EXPECT_EQ(preflight("/", "GET", "http://localhost:3000").status, 403) << "ListBuckets has no CORS rules";
    EXPECT_EQ(preflight("/" + campus.bucket + "/a", "PUT", "http://localhost:3000").status, 200);
    EXPECT_EQ(preflight("/" + campus.bucket, "POST", "https://anywhere.example").status, 403);
}

}  // namespace
}  // namespace integreat::cloud
