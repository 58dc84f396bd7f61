// SPDX-License-Identifier: Apache-2.0
// Sessions beyond the plain exchange: web identities at STS, tags, boundaries, session tokens of users.
#include "aws/sigv4_canonical.h"
#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class SessionsTest : public LocalCloudTest {
protected:
    static std::string make_policy(const json::object& statement) {
        return json::serialize(
            json::object{{"Version", "2012-10-17"}, {"Statement", json::array{statement}}});
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
        call_iam("CreateRole", {{"RoleName", "web"}, {"AssumeRolePolicyDocument", make_policy(statement)}});
    }
    void call_cognito(std::string_view operation, const json::object& parameters) {
        auto result = root_client().call_json("cognito-identity", operation, parameters);
        EXPECT_TRUE(result) << operation << ": " << result.error().message;
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
    call_cognito("UpdateIdentityPool", pool);
    auto open_id = get_text(cognito("GetOpenIdToken", request), "Token");
    auto response = assume_role_with(open_id, "campus-student-lifecycle-TenantUserRole");
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.text("Provider"), "cognito-identity.amazonaws.com");
    auto without_tags = credentials_in(response);
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", without_tags).status, 200);
    EXPECT_EQ(s3(http::Method::get, "/" + campus.bucket + "?list-type=2&prefix=users%2Fann%2F", without_tags)
                  .status,
              403)
        << "a session of the classic flow has no tag, and so no prefix";
    EXPECT_EQ(assume_role_with(open_id, "evntgarde-event-management-TenantUserRole").status, 403);
    json::object mapping{{"Type", "Token"}, {"AmbiguousRoleResolution", "Deny"}};
    call_cognito("SetIdentityPoolRoles",
                 {{"IdentityPoolId", campus.identity_pool},
                  {"Roles", {{"authenticated", campus.role}}},
                  {"RoleMappings", {{"securetoken.google.com/" + campus_project, mapping}}}});
    EXPECT_EQ(
        error_of(cognito("GetOpenIdToken", request)),
        "InvalidParameterException: Basic (classic) flow is not supported with RoleMappings, please use "
        "enhanced flow.");
    clock.advance(601s);
    EXPECT_EQ(assume_role_with(open_id, "campus-student-lifecycle-TenantUserRole").text("Code"),
              "ExpiredTokenException");
}

TEST_F(SessionsTest, MapsClaimsToTagsForPolicyConditions) {
    call_cognito("SetPrincipalTagAttributeMap",
                 {{"IdentityPoolId", campus.identity_pool},
                  {"IdentityProviderName", "securetoken.google.com/" + campus_project},
                  {"PrincipalTags", {{"user", "sub"}}}});
    auto token = sign(claims(campus_project));
    auto identity = get_text(get_id(campus, campus_project, token), "IdentityId");
    auto role = "campus-student-lifecycle-TenantUserRole";
    json::object statement{
        {"Effect", "Allow"},
        {"Action", "sts:AssumeRoleWithWebIdentity"},
        {"Principal", {{"Federated", "cognito-identity.amazonaws.com"}}},
        {"Condition", {{"StringEquals", {{"cognito-identity.amazonaws.com:aud", campus.identity_pool}}}}}};
    call_iam("UpdateAssumeRolePolicy", {{"RoleName", role}, {"PolicyDocument", make_policy(statement)}});
    EXPECT_TRUE(error_of(get_credentials(identity, campus_project, token))
                    .starts_with("InvalidIdentityPoolConfigurationException"))
        << "the trust policy does not allow sts:TagSession";
    statement["Action"] = json::array{"sts:AssumeRoleWithWebIdentity", "sts:TagSession"};
    call_iam("UpdateAssumeRolePolicy", {{"RoleName", role}, {"PolicyDocument", make_policy(statement)}});
    json::object own{{"Effect", "Allow"},
                     {"Action", "s3:PutObject"},
                     {"Resource", "arn:aws:s3:::" + campus.bucket + "/${aws:PrincipalTag/user}/*"}};
    call_iam("PutRolePolicy", {{"RoleName", role},
                               {"PolicyName", "TenantUserRoleDefaultPolicy"},
                               {"PolicyDocument", make_policy(own)}});
    auto key = credentials(campus, campus_project);
    EXPECT_EQ(s3(http::Method::put, "/" + campus.bucket + "/ann/a", key, "x").status, 200);
    EXPECT_EQ(s3(http::Method::put, "/" + campus.bucket + "/bob/a", key, "x").status, 403);
}

TEST_F(SessionsTest, ABoundaryLimitsWhatAUserIsAllowed) {
    json::object all{{"Effect", "Allow"}, {"Action", "*"}, {"Resource", "*"}};
    json::object lists{{"Effect", "Allow"}, {"Action", "s3:List*"}, {"Resource", "*"}};
    auto ann = make_user("ann");
    call_iam("PutUserPolicy",
             {{"UserName", "ann"}, {"PolicyName", "All"}, {"PolicyDocument", make_policy(all)}});
    EXPECT_EQ(s3(http::Method::put, "/" + campus.bucket + "/a", ann, "x").status, 200);
    call_iam("CreatePolicy", {{"PolicyName", "Lists"}, {"PolicyDocument", make_policy(lists)}});
    call_iam("PutUserPermissionsBoundary",
             {{"UserName", "ann"}, {"PermissionsBoundary", "arn:aws:iam::000000000000:policy/Lists"}});
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
    auto ann = make_user("ann");
    auto session = credentials_in(form("sts", "Action=GetSessionToken&DurationSeconds=900", ann));
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", session).text("Arn"),
              "arn:aws:iam::000000000000:user/ann");
    EXPECT_EQ(form("sts", "Action=GetSessionToken", session).text("Message"),
              "Cannot call GetSessionToken with session credentials");
    open();
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", session).status, 200) << "valid after a restart";
    clock.advance(900s);
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", session).text("Code"), "ExpiredToken");
    call_iam("UpdateAccessKey", {{"UserName", "ann"}, {"Status", "Inactive"}, {"AccessKeyId", ann.id}});
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", ann).text("Code"), "InvalidClientTokenId");
}

TEST_F(SessionsTest, RefusesInvalidPoliciesWithTheErrorsOfIam) {
    auto error_of_call = [&](std::string_view action, const Parameters& parameters) {
        auto result = root_client().call_query("iam", action, parameters);
        return result ? std::string("none") : result.error().code;
    };
    auto put = [&](const std::string& document) {
        return error_of_call("PutUserPolicy",
                             {{"UserName", "ann"}, {"PolicyName", "P"}, {"PolicyDocument", document}});
    };
    call_iam("CreateUser", {{"UserName", "ann"}});
    EXPECT_EQ(put("no json"), "MalformedPolicyDocument");
    EXPECT_EQ(put(R"({"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]})"),
              "MalformedPolicyDocument");
    json::object large{
        {"Effect", "Allow"}, {"Action", "*"}, {"Resource", "arn:aws:s3:::" + std::string(2'100, 'x')}};
    EXPECT_EQ(put(make_policy(large)), "LimitExceeded");
    EXPECT_EQ(error_of_call("CreateUser", {{"UserName", "ann"}}), "EntityAlreadyExists");
    EXPECT_EQ(error_of_call("CreateUser", {{"UserName", "a b"}}), "ValidationError");
    EXPECT_EQ(error_of_call("GetUser", {{"UserName", "nobody"}}), "NoSuchEntity");
    for (int i = 0; i < 2; ++i)
        call_iam("CreateAccessKey", {{"UserName", "ann"}});
    EXPECT_EQ(error_of_call("CreateAccessKey", {{"UserName", "ann"}}), "LimitExceeded");
    EXPECT_EQ(error_of_call("DeleteUser", {{"UserName", "ann"}}), "DeleteConflict");
}

TEST_F(SessionsTest, TheSimulatorAgreesWithEnforcement) {
    auto result = call_iam("SimulatePrincipalPolicy",
                           {{"PolicySourceArn", campus.role},
                            {"ActionNames.member.1", "s3:GetObject"},
                            {"ActionNames.member.2", "s3:DeleteBucket"},
                            {"ResourceArns.member.1", "arn:aws:s3:::" + campus.bucket + "/users/ann/a"},
                            {"ContextEntries.member.1.ContextKeyName", "aws:PrincipalTag/uid"},
                            {"ContextEntries.member.1.ContextKeyType", "string"},
                            {"ContextEntries.member.1.ContextKeyValues.member.1", "ann"}});
    const auto* results = result.child("EvaluationResults");
    ASSERT_TRUE(results && results->children.size() == 2);
    const auto& allowed = results->children[0];
    EXPECT_EQ(allowed.value("EvalActionName"), "s3:GetObject");
    EXPECT_EQ(allowed.value("EvalDecision"), "allowed");
    EXPECT_EQ(allowed.value("MatchedStatements/member/SourcePolicyId"), "TenantUserRoleDefaultPolicy");
    EXPECT_EQ(results->children[1].value("EvalDecision"), "implicitDeny");
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
