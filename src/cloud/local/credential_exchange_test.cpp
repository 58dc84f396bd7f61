// SPDX-License-Identifier: Apache-2.0
// The exchange of login tokens for credentials and every refusal, each with AWS's error.
#include "aws/sigv4_canonical.h"
#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class CredentialExchangeTest : public LocalCloudTest {
protected:
    // Returns the error of GetId for a token on campus's pool.
    std::string error_of_token(const std::string& token) {
        auto response = get_id(campus, campus_project, token);
        EXPECT_EQ(response.status, 400) << response.body;
        return error_of(response);
    }
    std::string identity(const std::string& subject = "ann") {
        return get_text(get_id(campus, campus_project, sign(claims(campus_project, subject))), "IdentityId");
    }
    std::string invalid(const std::string& reason) {
        return "NotAuthorizedException: Invalid login token. " + reason;
    }
};

std::string with_header(const std::string& token, const json::object& header) {
    return crypto::base64url_encode(json::serialize(header)) + token.substr(token.find('.'));
}

TEST_F(CredentialExchangeTest, GivesAUserAccessToTheBucketOfTheirTenant) {
    auto key = credentials(campus, campus_project);
    EXPECT_EQ(create("/" + campus.bucket + "/users/ann/a", key, "hello").status, 200);
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity&Version=2011-06-15", key).text("Arn"),
              "arn:aws:sts::000000000000:assumed-role/campus-student-lifecycle-TenantUserRole/"
              "CognitoIdentityCredentials");
    EXPECT_EQ(keys.fetches, 1) << "the issuer's keys are fetched once";
}

TEST_F(CredentialExchangeTest, GivesEachUserTheirOwnIdentity) {
    auto first = identity();
    EXPECT_EQ(identity(), first);
    EXPECT_NE(identity("bob"), first);
    open();
    EXPECT_EQ(identity(), first) << "also after a restart";
}

TEST_F(CredentialExchangeTest, RefusesATokenOfAnotherTenant) {
    auto foreign = sign(claims("evntgarde-event-management"));
    EXPECT_EQ(error_of_token(foreign), invalid("Issuer doesn't match providerName"));
    auto response = get_id(campus, "evntgarde-event-management", foreign);
    EXPECT_EQ(error_of(response),
              "NotAuthorizedException: Token is not from a supported provider of this identity pool.");
}

TEST_F(CredentialExchangeTest, RefusesTheWrongAudienceAndIssuer) {
    auto wrong = claims(campus_project);
    wrong["aud"] = "evntgarde-event-management";
    EXPECT_EQ(error_of_token(sign(wrong)), invalid("Incorrect token audience."));
    wrong = claims(campus_project);
    wrong["iss"] = "https://accounts.google.com";
    EXPECT_EQ(error_of_token(sign(wrong)), invalid("Issuer doesn't match providerName"));
}

TEST_F(CredentialExchangeTest, RefusesTokensOutsideTheirValidity) {
    auto wrong = claims(campus_project);
    auto now = unix_seconds(clock.now());
    wrong["exp"] = now - 1;
    EXPECT_EQ(error_of_token(sign(wrong)),
              invalid("Token expired: " + std::to_string(now) + " >= " + std::to_string(now - 1)));
    wrong = claims(campus_project);
    wrong["nbf"] = now + 120;
    EXPECT_EQ(error_of_token(sign(wrong)), invalid("Token is not yet valid."));
    wrong = claims(campus_project);
    wrong["iat"] = now + 120;
    EXPECT_EQ(error_of_token(sign(wrong)), invalid("Token is not yet valid."));
}

TEST_F(CredentialExchangeTest, RefusesForgedTokens) {
    auto good = sign(claims(campus_project));
    auto without_signature = with_header(good, {{"alg", "none"}, {"typ", "JWT"}});
    without_signature.resize(without_signature.rfind('.') + 1);
    EXPECT_EQ(error_of_token(without_signature), invalid("Couldn't verify signed token."));

    // HS256 with the public key as the secret.
    auto header = crypto::base64url_encode(json::serialize(json::object{{"alg", "HS256"}, {"kid", "key-1"}}));
    auto payload = crypto::base64url_encode(json::serialize(claims(campus_project)));
    auto code = crypto::hmac_sha256(issuer_key().public_key().to_pem(), header + "." + payload);
    EXPECT_EQ(error_of_token(header + "." + payload + "." + crypto::base64url_encode(crypto::as_view(code))),
              invalid("Couldn't verify signed token."));

    EXPECT_EQ(error_of_token(sign(claims(campus_project), "key-9")),
              invalid("Couldn't verify signed token."));

    auto admin = claims(campus_project, "root");
    auto tampered = good.substr(0, good.find('.') + 1) + crypto::base64url_encode(json::serialize(admin)) +
                    good.substr(good.rfind('.'));
    EXPECT_EQ(error_of_token(tampered), invalid("Token signature invalid."));
    EXPECT_EQ(error_of_token("no token"), invalid("Not a valid OpenId Connect identity token."));
}

TEST_F(CredentialExchangeTest, RefusesUnauthenticatedAccessUnlessThePoolAllowsIt) {
    auto response = cognito("GetId", {{"IdentityPoolId", campus.identity_pool}});
    EXPECT_EQ(error_of(response),
              "NotAuthorizedException: Unauthenticated access is not supported for this identity pool.");
    response = cognito("GetCredentialsForIdentity", {{"IdentityId", identity()}});
    EXPECT_EQ(error_of(response),
              "NotAuthorizedException: Access to Identity '" + identity() + "' is forbidden.");
}

TEST_F(CredentialExchangeTest, RefusesAForeignAndAnUnknownIdentity) {
    auto bob = identity("bob");
    auto response = get_credentials(bob, campus_project, sign(claims(campus_project, "ann")));
    EXPECT_EQ(error_of(response),
              "NotAuthorizedException: Logins don't match. Please include at least one valid "
              "login for this identity or identity pool.");
    response = get_credentials("us-east-1:00000000-0000-0000-0000-000000000000", campus_project,
                               sign(claims(campus_project)));
    EXPECT_EQ(
        error_of(response),
        "ResourceNotFoundException: Identity 'us-east-1:00000000-0000-0000-0000-000000000000' not found.");
    response = cognito("GetId", {{"IdentityPoolId", "us-east-1:00000000-0000-0000-0000-000000000000"}});
    EXPECT_EQ(error_of(response),
              "ResourceNotFoundException: IdentityPool 'us-east-1:00000000-0000-0000-0000-000000000000' not "
              "found.");
    EXPECT_TRUE(
        error_of(cognito("GetId", {{"IdentityPoolId", "pool"}})).starts_with("ValidationException: "));
}

TEST_F(CredentialExchangeTest, RefusesExpiredCredentialsAndChangedTokens) {
    auto key = credentials(campus, campus_project);
    auto target = "/" + campus.bucket + "?list-type=2&prefix=users%2Fann%2F";
    EXPECT_EQ(s3(http::Method::get, target, key).status, 200);
    auto changed = key;
    changed.token[10] = changed.token[10] == 'A' ? 'B' : 'A';
    auto response = s3(http::Method::get, target, changed);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.text("Code"), "InvalidToken");
    auto other = credentials(campus, campus_project, "bob");
    changed = key;
    changed.token = other.token;
    EXPECT_EQ(s3(http::Method::get, target, changed).text("Code"), "InvalidToken")
        << "the token of another key";
    changed = key;
    changed.token.clear();
    EXPECT_EQ(s3(http::Method::get, target, changed).text("Code"), "InvalidAccessKeyId");

    clock.advance(3'600s);
    response = s3(http::Method::get, target, key);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.text("Code"), "ExpiredToken");
    EXPECT_EQ(form("sts", "Action=GetCallerIdentity", key).text("Code"), "ExpiredToken");
}

TEST_F(CredentialExchangeTest, RefusesARoleThatTrustsAnotherPool) {
    auto assigned = root_client().call_json(
        "cognito-identity", "SetIdentityPoolRoles",
        {{"IdentityPoolId", campus.identity_pool}, {"Roles", {{"authenticated", evntgarde.role}}}});
    ASSERT_TRUE(assigned) << assigned.error().message;
    auto response = get_credentials(identity(), campus_project, sign(claims(campus_project)));
    EXPECT_EQ(error_of(response),
              "InvalidIdentityPoolConfigurationException: Invalid identity pool configuration. "
              "Check assigned IAM roles for this pool.");
}

TEST_F(CredentialExchangeTest, AppliesADenyOverTheAllowOfTheRoleImmediately) {
    auto key = credentials(campus, campus_project);
    auto object = "/" + campus.bucket + "/users/ann/secret";
    EXPECT_EQ(create(object, key, "x").status, 200);
    auto policy =
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]})";
    call_iam("PutRolePolicy", {{"RoleName", "campus-student-lifecycle-TenantUserRole"},
                               {"PolicyName", "No"},
                               {"PolicyDocument", policy}});
    auto response = s3(http::Method::get, object, key);
    EXPECT_EQ(response.status, 403);
    EXPECT_TRUE(response.text("Message").ends_with("with an explicit deny in an identity-based policy"))
        << response.text("Message");
}

TEST_F(CredentialExchangeTest, InvalidatesTheSessionsOfADeletedRole) {
    auto key = credentials(campus, campus_project);
    auto role = "campus-student-lifecycle-TenantUserRole";
    call_iam("DeleteRolePolicy", {{"RoleName", role}, {"PolicyName", "TenantUserRoleDefaultPolicy"}});
    call_iam("DeleteRole", {{"RoleName", role}});
    EXPECT_EQ(
        s3(http::Method::get, "/" + campus.bucket + "?list-type=2&prefix=users%2Fann%2F", key).text("Code"),
        "InvalidToken");
}

}  // namespace
}  // namespace integreat::cloud
