// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/core/frontend.h"

#include <gtest/gtest.h>

#include "cloud/aws/auth/authorize.h"
#include "cloud/aws/dispatch/application.h"
#include "cloud/aws/dispatch/decision_log.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/aws/testing/frontend_fixture.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "policy/document/document.h"

namespace integreat::cloud {
namespace {

using namespace std::chrono_literals;
using testing::Key;
using testing::RequestSpec;
using testing::send_request;

struct Shelf {  // A minimal service that records what reaches an operation.
    std::string stored;
    int readers = 0;
};

OperationResult get_caller(Shelf&, OperationContext& context) {
    return query_result(context, element("Arn", context.caller.principal.arn));
}
OperationResult read_shelf(Shelf& shelf, OperationContext& context) {
    TRY(authorize(context, {.action = "s3:GetObject",
                            .resource = "arn:aws:s3:::" + context.bucket + "/" + context.key}));
    return http::FullResponse{.body = context.bucket + "|" + context.key + "|" + shelf.stored};
}
StreamedOperation write_shelf(Shelf& shelf, OperationContext& context) {
    TRY(authorize(context, {.action = "s3:PutObject",
                            .resource = "arn:aws:s3:::" + context.bucket + "/" + context.key}));
    auto bytes = std::make_shared<std::string>();
    ++shelf.readers;
    return BodyReader{.on_chunk =
                          [bytes](std::string_view chunk) {
                              *bytes += chunk;
                              return std::optional<AwsError>();
                          },
                      .on_end = [bytes, &shelf](const Parameters& trailers) -> OperationResult {
                          shelf.stored = *bytes;
                          return http::FullResponse{.body = trailers.empty() ? "" : trailers[0].second};
                      }};
}
OperationResult echo_json(Shelf&, OperationContext& context) {
    return json_result(context, {{"body", context.body}});
}

std::string_view find_shelf_operation(const OperationContext& context) {
    if (context.request.method == http::Method::get) return "GetObject";
    return context.request.method == http::Method::put ? "PutObject" : "";
}

constexpr OperationEntry<Shelf> sts_table[] = {
    {{"GetCallerIdentity", "", ""}, Signing::required, get_caller},
};
constexpr OperationEntry<Shelf> s3_table[] = {
    {{"GetObject", "", ""}, Signing::optional, read_shelf},
    {{"PutObject", "", ""}, Signing::required, nullptr, write_shelf},
};
constexpr OperationEntry<Shelf> cognito_table[] = {
    {{"GetId", "", ""}, Signing::none, echo_json, nullptr, 100},
    {{"ListIdentityPools", "", ""}, Signing::required, echo_json},
};

class FrontendTest : public ::testing::Test {
protected:
    FrontendTest() : frontend(make_frontend({}, clock, random)) {
        frontend.find_credentials = [this](std::string_view id, std::string_view token) {
            return find_credentials(id, token);
        };
        frontend.apis.push_back({.name = "sts",
                                 .title = "AWS STS",
                                 .signing_name = "sts",
                                 .protocol = Protocol::query,
                                 .xml_namespace = "https://sts.amazonaws.com/doc/2011-06-15/",
                                 .operations = bind<Shelf>(shelf, sts_table)});
        frontend.apis.push_back({.name = "cognito-identity",
                                 .title = "Cognito Identity",
                                 .signing_name = "cognito-identity",
                                 .protocol = Protocol::json,
                                 .target_prefix = "AWSCognitoIdentityService",
                                 .operations = bind<Shelf>(shelf, cognito_table)});
        frontend.apis.push_back({.name = "s3",
                                 .title = "Amazon S3",
                                 .signing_name = "s3",
                                 .protocol = Protocol::rest_xml,
                                 .operations = bind<Shelf>(shelf, s3_table),
                                 .find_operation = find_shelf_operation});
        application = cloud::application(frontend);
    }

    std::variant<Credentials, CredentialError> find_credentials(std::string_view id, std::string_view token) {
        if (token == "expired") return CredentialError::expired_token;
        if (!token.empty()) return CredentialError::invalid_token;
        if (id != key.id) return CredentialError::unknown_key;
        Caller caller{.principal = policy::user("arn:aws:iam::000000000000:user/ann", "AIDAEXAMPLE")};
        caller.identity_policies.push_back(
            {"Access", *policy::parse_document(document, policy::DocumentKind::identity)});
        return Credentials{Secret(key.secret), caller};
    }

    testing::ReceivedResponse get_identity(Time signed_at, Key with = {}) {
        RequestSpec spec{.headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                         .body = "Action=GetCallerIdentity&Version=2011-06-15"};
        return send_request(application, testing::signed_request(spec, with, signed_at));
    }
    testing::ReceivedResponse s3(RequestSpec spec, Key with = {}) {
        spec.service = "s3";
        return send_request(application, testing::signed_request(spec, with, clock.now()));
    }

    FixedClock clock;
    FixedRandom random;
    Key key;
    std::string document =
        R"({"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::shelf/*"},
            {"Sid":"NoSecrets","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::shelf/secret/*"}]})";
    Shelf shelf;
    AwsFrontend frontend;
    http::Application application;
};

TEST_F(FrontendTest, AcceptsASignedQueryProtocolRequest) {
    auto response = get_identity(clock.now());
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.text("Arn"), "arn:aws:iam::000000000000:user/ann");
    EXPECT_EQ(response.text("RequestId"), response.headers.value("x-amzn-RequestId"));
}

TEST_F(FrontendTest, RefusesUnsignedUnknownAndWronglySignedQueryRequests) {
    RequestSpec spec{.headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                     .body = "Action=GetCallerIdentity"};
    auto response = send_request(application, testing::unsigned_request(spec));
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.text("Code"), "MissingAuthenticationToken");
    EXPECT_EQ(response.text("Message"), "Request is missing Authentication Token");

    response = get_identity(clock.now(), {.id = "AKIAUNKNOWN"});
    EXPECT_EQ(response.text("Code"), "InvalidClientTokenId");
    EXPECT_EQ(response.text("Message"), "The security token included in the request is invalid.");
    response = get_identity(clock.now(), {.secret = "another"});
    EXPECT_EQ(response.text("Code"), "SignatureDoesNotMatch");
    response = get_identity(clock.now(), {.token = "expired"});
    EXPECT_EQ(response.text("Code"), "ExpiredToken");
    response = get_identity(clock.now(), {.token = "changed"});
    EXPECT_EQ(response.text("Code"), "InvalidClientTokenId");
}

TEST_F(FrontendTest, RefusesReplaysOutsideTheClockSkew) {
    EXPECT_EQ(get_identity(clock.now() - 15min).status, 200);
    auto response = get_identity(clock.now() - 16min);
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.text("Code"), "SignatureDoesNotMatch");
    EXPECT_TRUE(response.text("Message").starts_with("Signature expired: 20261118T"))
        << response.text("Message");
    EXPECT_TRUE(get_identity(clock.now() + 16min).text("Message").starts_with("Signature not yet current: "));
    auto request = testing::signed_request(
        {.method = http::Method::get, .target = "/shelf/a", .service = "s3"}, key, clock.now() - 16min);
    response = send_request(application, request);
    EXPECT_EQ(response.text("Code"), "RequestTimeTooSkewed");
    EXPECT_EQ(response.text("MaxAllowedSkewMilliseconds"), "900000");
}

TEST_F(FrontendTest, ListsTheKnownOperationsWhenOneIsUnknown) {
    RequestSpec spec{.headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                     .body = "Action=Nonsense"};
    auto response = send_request(application, testing::signed_request(spec, key, clock.now()));
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.text("Code"), "InvalidAction");
    EXPECT_TRUE(response.contains("GetCallerIdentity"));

    spec = {
        .service = "dynamodb", .headers = {{"X-Amz-Target", "DynamoDB_20120810.ListTables"}}, .body = "{}"};
    response = send_request(application, testing::signed_request(spec, key, clock.now()));
    EXPECT_EQ(response.status, 400);
    EXPECT_TRUE(response.contains("\"__type\":\"UnknownOperationException\"")) << response.body;
    EXPECT_TRUE(response.contains("cognito-identity, s3"));
}

TEST_F(FrontendTest, AcceptsUnsignedOperationsOfCognito) {
    RequestSpec spec{
        .headers = {{"X-Amz-Target", "AWSCognitoIdentityService.GetId"}, {"Origin", "http://localhost:3000"}},
        .body = "{}"};
    auto response = send_request(application, testing::unsigned_request(spec));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.value("Content-Type"), "application/x-amz-json-1.1");
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Origin"), "*");
    spec.headers[0].second = "AWSCognitoIdentityService.ListIdentityPools";
    response = send_request(application, testing::unsigned_request(spec));
    EXPECT_TRUE(response.contains("MissingAuthenticationTokenException"));
    EXPECT_EQ(response.headers.value("x-amzn-ErrorType"), "MissingAuthenticationTokenException");
}

TEST_F(FrontendTest, RefusesBodiesLargerThanTheOperationAllows) {
    RequestSpec spec{.headers = {{"X-Amz-Target", "AWSCognitoIdentityService.GetId"}},
                     .body = std::string(101, 'x')};
    auto response = send_request(application, testing::unsigned_request(spec));
    EXPECT_EQ(response.status, 413);
    EXPECT_TRUE(response.contains("RequestEntityTooLarge"));
}

TEST_F(FrontendTest, FindsTheBucketInThePathAndInTheHost) {
    EXPECT_EQ(s3({.method = http::Method::get, .target = "/shelf/a%20b/c%2Bd?x-id=GetObject"}).body,
              "shelf|a b/c+d|");
    EXPECT_EQ(
        s3({.method = http::Method::get, .target = "/a/b", .headers = {{"Host", "shelf.localhost:4566"}}})
            .body,
        "shelf|a/b|");
    EXPECT_EQ(s3({.method = http::Method::get,
                  .target = "/a",
                  .headers = {{"Host", "shelf.s3.us-east-1.localhost:4566"}}})
                  .body,
              "shelf|a|");
    EXPECT_EQ(
        s3({.method = http::Method::get, .target = "/shelf/a", .headers = {{"Host", "s3.localhost"}}}).body,
        "shelf|a|");
}

TEST_F(FrontendTest, RecordsTheStatementThatDeniedARequest) {
    auto response = s3({.method = http::Method::get, .target = "/shelf/secret/plan"});
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.text("Code"), "AccessDenied");
    EXPECT_TRUE(response.text("Message").find("with an explicit deny in an identity-based policy") !=
                std::string::npos)
        << response.text("Message");
    auto id = std::string(response.headers.value("x-amz-request-id"));
    auto decision = frontend.decisions->find(id);
    ASSERT_TRUE(decision);
    ASSERT_EQ(decision->authorizations.size(), 1u);
    EXPECT_NE(decision->authorizations[0].reason.find("NoSecrets"), std::string::npos)
        << decision->authorizations[0].reason;

    auto local = send_request(
        application,
        testing::unsigned_request({.method = http::Method::get, .target = "/_integreat/decisions/" + id}));
    EXPECT_EQ(local.status, 200);
    EXPECT_TRUE(local.contains("NoSecrets"));
    auto foreign = testing::unsigned_request({.method = http::Method::get,
                                              .target = "/_integreat/decisions/" + id,
                                              .headers = {{"Origin", "https://evil.example"}}});
    EXPECT_EQ(send_request(application, foreign).status, 403);

    response = s3({.method = http::Method::get, .target = "/other/a"});
    EXPECT_TRUE(
        response.text("Message").ends_with("because no identity-based policy allows the s3:GetObject action"))
        << response.text("Message");
    response = send_request(application,
                            testing::unsigned_request({.method = http::Method::get, .target = "/shelf/a"}));
    EXPECT_EQ(response.text("Message"), "Access Denied");
}

TEST_F(FrontendTest, KeepsABoundedNumberOfDecisions) {
    DecisionLog decisions(3);
    for (int i = 0; i < 10; ++i)
        decisions.add({.request_id = "r" + std::to_string(i), .status = 403});
    EXPECT_EQ(decisions.size(), 3u);
    EXPECT_FALSE(decisions.find("r6"));
    EXPECT_TRUE(decisions.find("r7"));
    EXPECT_TRUE(decisions.find("r9"));
}

TEST_F(FrontendTest, VerifiesTheHashOfAStreamedBody) {
    EXPECT_EQ(s3({.method = http::Method::put, .target = "/shelf/a", .body = "hello"}).status, 200);
    EXPECT_EQ(shelf.stored, "hello");
    auto response = s3({.method = http::Method::put,
                        .target = "/shelf/a",
                        .body = "hullo",
                        .payload = crypto::hex_encode(crypto::as_view(crypto::sha256("hello")))});
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.text("Code"), "XAmzContentSHA256Mismatch");
    EXPECT_EQ(shelf.stored, "hello");
    EXPECT_EQ(
        s3({.method = http::Method::put, .target = "/shelf/a", .body = "more", .payload = "UNSIGNED-PAYLOAD"})
            .status,
        200);
    response = s3({.method = http::Method::put, .target = "/shelf/a", .payload = "SHA-NONE"});
    EXPECT_EQ(response.text("Code"), "InvalidArgument");
    EXPECT_EQ(shelf.readers, 3) << "the last request is refused before its body is read";
}

TEST_F(FrontendTest, DecodesAwsChunkedBodiesAndPassesTheirTrailers) {
    RequestSpec spec{
        .method = http::Method::put,
        .target = "/shelf/a",
        .headers = {{"x-amz-decoded-content-length", "3"}, {"x-amz-trailer", "x-amz-checksum-crc32"}},
        .body = "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n",
        .payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"};
    auto response = s3(spec);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(shelf.stored, "abc");
    EXPECT_EQ(response.body, "NSRBwg==");
    spec.headers[1].second = "x-amz-checksum-sha1";
    EXPECT_EQ(s3(spec).text("Code"), "MalformedTrailerError");
    spec.headers[0].second = "4";
    EXPECT_EQ(s3(spec).text("Code"), "IncompleteBody");
    spec.headers.erase(spec.headers.begin());
    EXPECT_EQ(s3(spec).text("Code"), "MissingContentLength");
}

TEST_F(FrontendTest, RefusesAWrongRegionInTheScope) {
    auto response = s3({.method = http::Method::get, .target = "/shelf/a", .region = "eu-west-1"});
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.text("Code"), "AuthorizationHeaderMalformed");
    EXPECT_EQ(response.text("Region"), "us-east-1");
}

TEST_F(FrontendTest, DescribesCredentialErrorsLikeTheQueryServices) {
    auto error_for = [&](const std::string& from, const std::string& to) {
        RequestSpec spec{.headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                         .body = "Action=GetCallerIdentity"};
        auto request = testing::signed_request(spec, key, clock.now());
        std::string value(request.headers.value("Authorization"));
        value.replace(value.find(from), from.size(), to);
        request.headers.set("Authorization", value);
        auto response = send_request(application, request);
        return response.text("Code") + ": " + response.text("Message");
    };
    auto stamp = aws::format_sigv4_time(clock.now());
    auto today = stamp.substr(0, 8);
    EXPECT_EQ(error_for("/" + today, "/20150830"),
              "SignatureDoesNotMatch: Date in Credential scope does not match YYYYMMDD from ISO-8601 version "
              "of date from HTTP: '20150830' != '" +
                  today + "', from '" + stamp + "'.");
    EXPECT_EQ(error_for("us-east-1", "us-west-1"),
              "SignatureDoesNotMatch: Credential should be scoped to a valid region, not "
              "'us-west-1'. ");
    EXPECT_EQ(error_for("/aws4_request", ""),
              "IncompleteSignature: Credential must have exactly 5 slash-delimited elements, e.g. "
              "keyid/date/region/service/term, got 'AKIAIOSFODNN7EXAMPLE/" +
                  today + "/us-east-1/sts'");
}

TEST_F(FrontendTest, AcceptsPreflightsWithoutAuthentication) {
    auto request =
        testing::unsigned_request({.method = http::Method::options,
                                   .headers = {{"Origin", "http://localhost:3000"},
                                               {"Access-Control-Request-Method", "POST"},
                                               {"Access-Control-Request-Headers", "x-amz-target"}}});
    auto response = send_request(application, request);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Headers"), "x-amz-target");
    EXPECT_EQ(response.headers.value("Access-Control-Allow-Origin"), "*");
}

TEST_F(FrontendTest, AllowsEveryRequestWithoutEnforcement) {
    frontend.settings.enforce = false;
    EXPECT_EQ(s3({.method = http::Method::get, .target = "/other/a"}).status, 200);
    EXPECT_EQ(s3({.method = http::Method::get, .target = "/other/a"}, {.secret = "wrong"}).status, 200);
}

}  // namespace
}  // namespace integreat::cloud
