// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/core/frontend.h"

#include <gtest/gtest.h>

#include "cloud/aws/dispatch/decision_log.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/aws/testing/frontend_fixture.h"
#include "policy/document/document.h"

namespace integreat::cloud {
namespace {

using namespace std::chrono_literals;
using testing::ask;
using testing::Key;
using testing::Sent;

struct Shelf {  // A service with just enough to see what reaches an operation.
    std::string stored;
    int readers = 0;
};

Answer get_caller(Shelf&, Exchange& exchange) {
    return query_result(exchange, element("Arn", exchange.caller.who.arn));
}
Answer read_shelf(Shelf& shelf, Exchange& exchange) {
    if (auto error = authorize(
            exchange,
            {.action = "s3:GetObject", .resource = "arn:aws:s3:::" + exchange.bucket + "/" + exchange.key}))
        return *error;
    return http::Reply{.body = exchange.bucket + "|" + exchange.key + "|" + shelf.stored};
}
Reception write_shelf(Shelf& shelf, Exchange& exchange) {
    if (auto error = authorize(
            exchange,
            {.action = "s3:PutObject", .resource = "arn:aws:s3:::" + exchange.bucket + "/" + exchange.key}))
        return *error;
    auto bytes = std::make_shared<std::string>();
    ++shelf.readers;
    return BodyReader{.piece =
                          [bytes](std::string_view piece) {
                              *bytes += piece;
                              return std::optional<AwsError>();
                          },
                      .end = [bytes, &shelf](const Parameters& trailers) -> Answer {
                          shelf.stored = *bytes;
                          return http::Reply{.body = trailers.empty() ? "" : trailers[0].second};
                      }};
}
Answer echo_json(Shelf&, Exchange& exchange) {
    return json_result(exchange, {{"body", exchange.body}});
}

std::string_view find_on_shelf(const Exchange& exchange) {
    if (exchange.request.method == http::Method::get) return "GetObject";
    return exchange.request.method == http::Method::put ? "PutObject" : "";
}

constexpr OperationOf<Shelf> sts_table[] = {
    {{"GetCallerIdentity", "", ""}, Signing::required, get_caller},
};
constexpr OperationOf<Shelf> s3_table[] = {
    {{"GetObject", "", ""}, Signing::optional, read_shelf},
    {{"PutObject", "", ""}, Signing::required, nullptr, write_shelf},
};
constexpr OperationOf<Shelf> cognito_table[] = {
    {{"GetId", "", ""}, Signing::none, echo_json, nullptr, 100},
    {{"ListIdentityPools", "", ""}, Signing::required, echo_json},
};

class FrontTest : public ::testing::Test {
protected:
    FrontTest() : front(make_front({}, clock, random)) {
        front.find_credentials = [this](std::string_view id, std::string_view token) {
            return find(id, token);
        };
        front.apis.push_back({.name = "sts",
                              .title = "AWS STS",
                              .signing_name = "sts",
                              .protocol = Protocol::query,
                              .xml_namespace = "https://sts.amazonaws.com/doc/2011-06-15/",
                              .operations = bind<Shelf>(shelf, sts_table)});
        front.apis.push_back({.name = "cognito-identity",
                              .title = "Cognito Identity",
                              .signing_name = "cognito-identity",
                              .protocol = Protocol::json,
                              .target_prefix = "AWSCognitoIdentityService",
                              .operations = bind<Shelf>(shelf, cognito_table)});
        front.apis.push_back({.name = "s3",
                              .title = "Amazon S3",
                              .signing_name = "s3",
                              .protocol = Protocol::rest_xml,
                              .operations = bind<Shelf>(shelf, s3_table),
                              .find = find_on_shelf});
        application = cloud::application(front);
    }

    std::variant<Credentials, KeyTrouble> find(std::string_view id, std::string_view token) {
        if (token == "expired") return KeyTrouble::expired_token;
        if (!token.empty()) return KeyTrouble::invalid_token;
        if (id != key.id) return KeyTrouble::unknown_key;
        Caller caller{.who = policy::user("arn:aws:iam::000000000000:user/ann", "AIDAEXAMPLE")};
        caller.identity_policies.push_back(
            {"Access", *policy::parse_document(document, policy::DocumentKind::identity)});
        return Credentials{Secret(key.secret), caller};
    }

    testing::Received get_identity(Time signed_at, Key with = {}) {
        Sent sent{.headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                  .body = "Action=GetCallerIdentity&Version=2011-06-15"};
        return ask(application, testing::signed_request(sent, with, signed_at));
    }
    testing::Received s3(Sent sent, Key with = {}) {
        sent.service = "s3";
        return ask(application, testing::signed_request(sent, with, clock.now()));
    }

    FixedClock clock;
    FixedRandom random;
    Key key;
    std::string document =
        R"({"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::shelf/*"},
            {"Sid":"NoSecrets","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::shelf/secret/*"}]})";
    Shelf shelf;
    Front front;
    http::Application application;
};

TEST_F(FrontTest, AnswersASignedCallOfTheQueryProtocol) {
    auto answer = get_identity(clock.now());
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.text("Arn"), "arn:aws:iam::000000000000:user/ann");
    EXPECT_EQ(answer.text("RequestId"), answer.headers.value("x-amzn-RequestId"));
}

TEST_F(FrontTest, RefusesUnsignedUnknownAndWronglySignedCallsInTheWordsOfTheQueryProtocol) {
    Sent sent{.headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
              .body = "Action=GetCallerIdentity"};
    auto answer = ask(application, testing::unsigned_request(sent));
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.text("Code"), "MissingAuthenticationToken");
    EXPECT_EQ(answer.text("Message"), "Request is missing Authentication Token");

    answer = get_identity(clock.now(), {.id = "AKIAUNKNOWN"});
    EXPECT_EQ(answer.text("Code"), "InvalidClientTokenId");
    EXPECT_EQ(answer.text("Message"), "The security token included in the request is invalid.");
    answer = get_identity(clock.now(), {.secret = "another"});
    EXPECT_EQ(answer.text("Code"), "SignatureDoesNotMatch");
    answer = get_identity(clock.now(), {.token = "expired"});
    EXPECT_EQ(answer.text("Code"), "ExpiredToken");
    answer = get_identity(clock.now(), {.token = "changed"});
    EXPECT_EQ(answer.text("Code"), "InvalidClientTokenId");
}

TEST_F(FrontTest, RefusesReplaysOutsideOfTheSkew) {
    EXPECT_EQ(get_identity(clock.now() - 15min).status, 200);
    auto answer = get_identity(clock.now() - 16min);
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.text("Code"), "SignatureDoesNotMatch");
    EXPECT_TRUE(answer.text("Message").starts_with("Signature expired: 20261118T")) << answer.text("Message");
    EXPECT_TRUE(get_identity(clock.now() + 16min).text("Message").starts_with("Signature not yet current: "));
    auto request = testing::signed_request(
        {.method = http::Method::get, .target = "/shelf/a", .service = "s3"}, key, clock.now() - 16min);
    answer = ask(application, request);
    EXPECT_EQ(answer.text("Code"), "RequestTimeTooSkewed");
    EXPECT_EQ(answer.text("MaxAllowedSkewMilliseconds"), "900000");
}

TEST_F(FrontTest, SaysWhatThereIsWhenAnOperationIsUnknown) {
    Sent sent{.headers = {{"Content-Type", "application/x-www-form-urlencoded"}}, .body = "Action=Nonsense"};
    auto answer = ask(application, testing::signed_request(sent, key, clock.now()));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.text("Code"), "InvalidAction");
    EXPECT_TRUE(answer.says("GetCallerIdentity"));

    sent = {
        .service = "dynamodb", .headers = {{"X-Amz-Target", "DynamoDB_20120810.ListTables"}}, .body = "{}"};
    answer = ask(application, testing::signed_request(sent, key, clock.now()));
    EXPECT_EQ(answer.status, 400);
    EXPECT_TRUE(answer.says("\"__type\":\"UnknownOperationException\"")) << answer.body;
    EXPECT_TRUE(answer.says("cognito-identity, s3"));
}

TEST_F(FrontTest, TakesUnsignedOperationsOfCognitoAsTheyCome) {
    Sent sent{
        .headers = {{"X-Amz-Target", "AWSCognitoIdentityService.GetId"}, {"Origin", "http://localhost:3000"}},
        .body = "{}"};
    auto answer = ask(application, testing::unsigned_request(sent));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.value("Content-Type"), "application/x-amz-json-1.1");
    EXPECT_EQ(answer.headers.value("Access-Control-Allow-Origin"), "*");
    sent.headers[0].second = "AWSCognitoIdentityService.ListIdentityPools";
    answer = ask(application, testing::unsigned_request(sent));
    EXPECT_TRUE(answer.says("MissingAuthenticationTokenException"));
    EXPECT_EQ(answer.headers.value("x-amzn-ErrorType"), "MissingAuthenticationTokenException");
}

TEST_F(FrontTest, RefusesBodiesBeyondTheLimitOfTheOperation) {
    Sent sent{.headers = {{"X-Amz-Target", "AWSCognitoIdentityService.GetId"}},
              .body = std::string(101, 'x')};
    auto answer = ask(application, testing::unsigned_request(sent));
    EXPECT_EQ(answer.status, 413);
    EXPECT_TRUE(answer.says("RequestEntityTooLarge"));
}

TEST_F(FrontTest, FindsTheBucketInThePathAndInTheHost) {
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

TEST_F(FrontTest, NamesTheStatementThatDeniedAndKeepsItForWhy) {
    auto answer = s3({.method = http::Method::get, .target = "/shelf/secret/plan"});
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.text("Code"), "AccessDenied");
    EXPECT_TRUE(answer.text("Message").find("with an explicit deny in an identity-based policy") !=
                std::string::npos)
        << answer.text("Message");
    auto id = std::string(answer.headers.value("x-amz-request-id"));
    auto found = front.decisions->find(id);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->verdicts.size(), 1u);
    EXPECT_NE(found->verdicts[0].reason.find("NoSecrets"), std::string::npos) << found->verdicts[0].reason;

    auto local = ask(application, testing::unsigned_request({.method = http::Method::get,
                                                             .target = "/_integreat/decisions/" + id}));
    EXPECT_EQ(local.status, 200);
    EXPECT_TRUE(local.says("NoSecrets"));
    auto foreign = testing::unsigned_request({.method = http::Method::get,
                                              .target = "/_integreat/decisions/" + id,
                                              .headers = {{"Origin", "https://evil.example"}}});
    EXPECT_EQ(ask(application, foreign).status, 403);

    answer = s3({.method = http::Method::get, .target = "/other/a"});
    EXPECT_TRUE(
        answer.text("Message").ends_with("because no identity-based policy allows the s3:GetObject action"))
        << answer.text("Message");
    answer = ask(application, testing::unsigned_request({.method = http::Method::get, .target = "/shelf/a"}));
    EXPECT_EQ(answer.text("Message"), "Access Denied");
}

TEST_F(FrontTest, KeepsABoundedNumberOfDecisions) {
    DecisionLog decisions(3);
    for (int i = 0; i < 10; ++i)
        decisions.add({.request_id = "r" + std::to_string(i), .status = 403});
    EXPECT_EQ(decisions.size(), 3u);
    EXPECT_FALSE(decisions.find("r6"));
    EXPECT_TRUE(decisions.find("r7"));
    EXPECT_TRUE(decisions.find("r9"));
}

TEST_F(FrontTest, VerifiesTheHashOfABodyThatStreams) {
    EXPECT_EQ(s3({.method = http::Method::put, .target = "/shelf/a", .body = "hello"}).status, 200);
    EXPECT_EQ(shelf.stored, "hello");
    auto answer = s3({.method = http::Method::put,
                      .target = "/shelf/a",
                      .body = "hullo",
                      .payload = crypto::hex_encode(crypto::as_view(crypto::sha256("hello")))});
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.text("Code"), "XAmzContentSHA256Mismatch");
    EXPECT_EQ(shelf.stored, "hello");
    EXPECT_EQ(
        s3({.method = http::Method::put, .target = "/shelf/a", .body = "more", .payload = "UNSIGNED-PAYLOAD"})
            .status,
        200);
    answer = s3({.method = http::Method::put, .target = "/shelf/a", .payload = "SHA-NONE"});
    EXPECT_EQ(answer.text("Code"), "InvalidArgument");
    EXPECT_EQ(shelf.readers, 3) << "the last was refused before anybody read it";
}

TEST_F(FrontTest, RemovesTheChunkedCodingOfSdksAndHandsTheirTrailersOver) {
    Sent sent{.method = http::Method::put,
              .target = "/shelf/a",
              .headers = {{"x-amz-decoded-content-length", "3"}, {"x-amz-trailer", "x-amz-checksum-crc32"}},
              .body = "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n",
              .payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"};
    auto answer = s3(sent);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(shelf.stored, "abc");
    EXPECT_EQ(answer.body, "NSRBwg==");
    sent.headers[1].second = "x-amz-checksum-sha1";
    EXPECT_EQ(s3(sent).text("Code"), "MalformedTrailerError");
    sent.headers[0].second = "4";
    EXPECT_EQ(s3(sent).text("Code"), "IncompleteBody");
    sent.headers.erase(sent.headers.begin());
    EXPECT_EQ(s3(sent).text("Code"), "MissingContentLength");
}

TEST_F(FrontTest, RefusesTheWrongRegionAndServiceOfAScope) {
    auto answer = s3({.method = http::Method::get, .target = "/shelf/a", .region = "eu-west-1"});
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.text("Code"), "AuthorizationHeaderMalformed");
    EXPECT_EQ(answer.text("Region"), "us-east-1");
}

TEST_F(FrontTest, SaysWhatIsWrongWithACredentialAsTheQueryServicesDo) {
    auto refused = [&](const std::string& from, const std::string& to) {
        Sent sent{.headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                  .body = "Action=GetCallerIdentity"};
        auto request = testing::signed_request(sent, key, clock.now());
        std::string value(request.headers.value("Authorization"));
        value.replace(value.find(from), from.size(), to);
        request.headers.set("Authorization", value);
        auto answer = ask(application, request);
        return answer.text("Code") + ": " + answer.text("Message");
    };
    auto stamp = aws::format_sigv4_time(clock.now());
    auto today = stamp.substr(0, 8);
    EXPECT_EQ(refused("/" + today, "/20150830"),
              "SignatureDoesNotMatch: Date in Credential scope does not match YYYYMMDD from ISO-8601 version "
              "of date from HTTP: '20150830' != '" +
                  today + "', from '" + stamp + "'.");
    EXPECT_EQ(refused("us-east-1", "us-west-1"),
              "SignatureDoesNotMatch: Credential should be scoped to a valid region, not "
              "'us-west-1'. ");
    EXPECT_EQ(refused("/aws4_request", ""),
              "IncompleteSignature: Credential must have exactly 5 slash-delimited elements, e.g. "
              "keyid/date/region/service/term, got 'AKIAIOSFODNN7EXAMPLE/" +
                  today + "/us-east-1/sts'");
}

TEST_F(FrontTest, AnswersPreflightsBeforeAnybodyIsAuthenticated) {
    auto request =
        testing::unsigned_request({.method = http::Method::options,
                                   .headers = {{"Origin", "http://localhost:3000"},
                                               {"Access-Control-Request-Method", "POST"},
                                               {"Access-Control-Request-Headers", "x-amz-target"}}});
    auto answer = ask(application, request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.value("Access-Control-Allow-Headers"), "x-amz-target");
    EXPECT_EQ(answer.headers.value("Access-Control-Allow-Origin"), "*");
}

TEST_F(FrontTest, RefusesNobodyWithoutEnforcementButKeepsEvaluating) {
    front.settings.enforce = false;
    EXPECT_EQ(s3({.method = http::Method::get, .target = "/other/a"}).status, 200);
    EXPECT_EQ(s3({.method = http::Method::get, .target = "/other/a"}, {.secret = "wrong"}).status, 200);
}

}  // namespace
}  // namespace integreat::cloud
