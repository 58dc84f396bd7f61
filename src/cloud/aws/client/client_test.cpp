// SPDX-License-Identifier: Apache-2.0
// The client against a frontend with one operation per protocol, which returns what it receives or an error.
#include "cloud/aws/client/client.h"

#include <gtest/gtest.h>

#include "cloud/aws/dispatch/application.h"
#include "cloud/aws/dispatch/decision_log.h"
#include "cloud/aws/protocol/json_body.h"
#include "cloud/aws/protocol/protocol.h"

namespace integreat::cloud {
namespace {

struct Echo {
    std::optional<AwsError> error;
    std::string region;
};

OperationResult echo_query(Echo& echo, OperationContext& context) {
    echo.region = context.region;
    if (echo.error) return *echo.error;
    std::string result;
    for (const auto& [name, value] : context.query)
        result += element(name, value);
    return query_result(context, "<Parameters>" + result + "</Parameters>");
}
OperationResult echo_nothing(Echo&, OperationContext& context) {
    return query_result(context, "");
}
OperationResult echo_members(Echo& echo, OperationContext& context) {
    if (echo.error) return *echo.error;
    return json_result(context, TRY(parse_json_body(context)));
}
OperationResult echo_path(Echo& echo, OperationContext& context) {
    if (echo.error) return *echo.error;
    std::string query;
    for (const auto& [name, value] : context.query)
        query.append(name).append("=").append(value).append(";");
    http::FullResponse response{.status = 201, .body = context.bucket + "|" + context.key + "|" + query};
    response.headers.set("X-Type", context.request.headers.value("Content-Type"));
    return response;
}
StreamedOperation echo_length(Echo&, OperationContext&) {
    auto bytes = std::make_shared<std::size_t>(0);
    return BodyReader{.on_chunk =
                          [bytes](std::string_view chunk) {
                              *bytes += chunk.size();
                              return std::optional<AwsError>();
                          },
                      .on_end = [bytes](const Parameters&) -> OperationResult {
                          return http::FullResponse{.body = std::to_string(*bytes)};
                      }};
}

constexpr OperationEntry<Echo> query_echoes[] = {
    {{"GetEcho", "", ""}, Signing::required, echo_query},
    {{"GetNothing", "", ""}, Signing::required, echo_nothing},
};
constexpr OperationEntry<Echo> json_echoes[] = {{{"GetEcho", "", ""}, Signing::required, echo_members}};
constexpr OperationEntry<Echo> rest_echoes[] = {
    {{"GetObject", "", ""}, Signing::required, echo_path},
    {{"PutObject", "", ""}, Signing::required, nullptr, echo_length},
};
constexpr OperationEntry<Echo> mail_echoes[] = {{{"SendEmail", "", ""}, Signing::required, echo_members}};

class ClientTest : public ::testing::Test {
protected:
    ClientTest() : frontend(make_frontend({.region = "ap-southeast-1"}, clock, random)) {
        frontend.find_credentials = [](std::string_view id, std::string_view token) {
            return find_credentials(id, token);
        };
        for (const char* name : {"iam", "sts"})
            frontend.apis.push_back({.name = name,
                                     .title = name,
                                     .signing_name = name,
                                     .protocol = Protocol::query,
                                     .xml_namespace = "https://example.com/",
                                     .operations = bind<Echo>(echo, query_echoes)});
        frontend.apis.push_back({.name = "ssm",
                                 .title = "SSM",
                                 .signing_name = "ssm",
                                 .protocol = Protocol::json,
                                 .target_prefix = "AmazonSSM",
                                 .operations = bind<Echo>(echo, json_echoes)});
        frontend.apis.push_back({.name = "s3",
                                 .title = "S3",
                                 .signing_name = "s3",
                                 .protocol = Protocol::rest_xml,
                                 .operations = bind<Echo>(echo, rest_echoes),
                                 .find_operation = [](const OperationContext& context) -> std::string_view {
                                     return context.request.method == http::Method::put ? "PutObject"
                                                                                        : "GetObject";
                                 }});
        frontend.apis.push_back(
            {.name = "ses",
             .title = "SES",
             .signing_name = "ses",
             .protocol = Protocol::rest_json,
             .operations = bind<Echo>(echo, mail_echoes),
             .find_operation = [](const OperationContext&) -> std::string_view { return "SendEmail"; }});
    }

    static std::variant<Credentials, CredentialError> find_credentials(std::string_view id,
                                                                       std::string_view token) {
        if (id != "AKIAECHO") return CredentialError::unknown_key;
        if (!token.empty() && token != "session") return CredentialError::invalid_token;
        return Credentials{Secret("secret"), {.principal = policy::root("000000000000")}};
    }
    Client client(std::string id = "AKIAECHO", std::string secret = "secret", std::string token = {}) const {
        return {frontend,
                {.access_key_id = std::move(id),
                 .secret_key = Secret(std::move(secret)),
                 .session_token = std::move(token)}};
    }
    // Returns the code of each protocol's error, in the order query, JSON, S3, REST with JSON.
    static std::string error_codes(const Client& client) {
        auto code = [](const auto& result) { return result ? std::string("none") : result.error().code; };
        return code(client.call_query("sts", "GetEcho")) + " " + code(client.call_json("ssm", "GetEcho")) +
               " " + code(client.call_rest({.path = "/a-bucket"})) + " " +
               code(
                   client.call_rest({.service = "ses", .method = http::Method::post, .path = "/v2/email/a"}));
    }

    FixedClock clock;
    FixedRandom random;
    Echo echo;
    AwsFrontend frontend;
};

TEST_F(ClientTest, CallsAQueryService) {
    auto result = client().call_query("sts", "GetEcho", {{"List.member.1", "a&b=<c> ü"}, {"Empty", ""}});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->name, "GetEchoResult");
    EXPECT_EQ(result->value("Parameters/Action"), "GetEcho");
    EXPECT_EQ(result->value("Parameters/List.member.1"), "a&b=<c> ü");
    EXPECT_NE(result->child("Parameters/Empty"), nullptr);
    EXPECT_EQ(echo.region, "ap-southeast-1");
    ASSERT_TRUE(client().call_query("iam", "GetEcho"));
    EXPECT_EQ(echo.region, "us-east-1") << "IAM is a global service";

    auto nothing = client().call_query("sts", "GetNothing");
    ASSERT_TRUE(nothing);
    EXPECT_EQ(nothing->name, "GetNothingResult");
    EXPECT_TRUE(nothing->children.empty());
}

TEST_F(ClientTest, CallsAJsonService) {
    auto result = client().call_json("ssm", "GetEcho", {{"Name", "ü"}});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(*result, (boost::json::object{{"Name", "ü"}}));
    EXPECT_TRUE(client().call_json("ssm", "GetEcho")->empty());
}

TEST_F(ClientTest, CallsRestServices) {
    auto response = client().call_rest({.path = "/a-bucket/a key/%ü+",
                                        .query = {{"acl", ""}, {"x", "a&b c"}},
                                        .headers = {{"Content-Type", "text/plain"}}});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(response->body, "a-bucket|a key/%ü+|acl=;x=a&b c;");
    EXPECT_EQ(response->headers.value("X-Type"), "text/plain");
    EXPECT_FALSE(response->headers.value("x-amz-request-id").empty());

    response = client().call_rest(
        {.method = http::Method::put, .path = "/a-bucket/k", .body = std::string(100'000, 'x')});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "100000") << "a streamed body";

    response = client().call_rest(
        {.service = "ses", .method = http::Method::post, .path = "/v2/email/a@b", .body = R"({"From":"a"})"});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, R"({"From":"a"})");
}

TEST_F(ClientTest, ReturnsTheErrorsOfServices) {
    echo.error = AwsError{.status = 409,
                          .code = "EntityAlreadyExists",
                          .message = "<a> & \"b\" exist",
                          .details = {{"BucketName", "a-bucket"}},
                          .cause = "for the log only"};
    auto expect_error = [](const auto& result, const std::string& service) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().status, 409);
        EXPECT_EQ(result.error().code, "EntityAlreadyExists");
        EXPECT_EQ(result.error().message, "<a> & \"b\" exist");
        EXPECT_TRUE(result.error().cause.starts_with("request ")) << result.error().cause;
        EXPECT_TRUE(result.error().cause.ends_with(" to " + service)) << result.error().cause;
    };
    expect_error(client().call_query("iam", "GetEcho"), "iam");
    expect_error(client().call_json("ssm", "GetEcho"), "ssm");
    auto refused = client().call_rest({.path = "/a-bucket"});
    expect_error(refused, "s3");
    EXPECT_EQ(refused.error().details, echo.error->details);
    expect_error(client().call_rest({.service = "ses", .method = http::Method::post, .path = "/v2/email/a"}),
                 "ses");

    auto cause = refused.error().cause;
    auto id = cause.substr(8, cause.find(' ', 8) - 8);
    auto decision = frontend.decisions->find(id);
    ASSERT_TRUE(decision) << "`integreat why` explains the request " << id;
    EXPECT_EQ(decision->cause, "for the log only");
}

TEST_F(ClientTest, HasTheStatusAsTheCodeIfNoErrorIsReadable) {
    echo.error = AwsError{.status = 404, .code = "", .message = ""};
    auto response = client().call_rest({.path = "/a-bucket"});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, "404");
    EXPECT_EQ(response.error().message, "Not Found");
}

TEST_F(ClientTest, IsRefusedWithWrongCredentials) {
    EXPECT_EQ(error_codes(client()), "none none none none");
    EXPECT_EQ(error_codes(client("AKIAECHO", "secret", "session")), "none none none none");
    EXPECT_EQ(error_codes(client("AKIAECHO", "another")),
              "SignatureDoesNotMatch InvalidSignatureException SignatureDoesNotMatch "
              "InvalidSignatureException");
    EXPECT_EQ(
        error_codes(client("AKIAOTHER")),
        "InvalidClientTokenId UnrecognizedClientException InvalidAccessKeyId UnrecognizedClientException");
    auto codes = error_codes(client("AKIAECHO", "secret", "forged"));
    EXPECT_EQ(codes.find("none"), std::string::npos) << codes;
}

TEST_F(ClientTest, ReturnsTheErrorForUnknownServicesAndOperations) {
    EXPECT_EQ(client().call_query("ec2", "RunInstances").error().code, "InvalidAction");
    EXPECT_EQ(client().call_query("iam", "CreateGroup").error().code, "InvalidAction");
    EXPECT_EQ(client().call_json("dynamodb", "ListTables").error().code, "UnknownOperationException");
    EXPECT_EQ(client().call_json("ssm", "GetMore").error().code, "UnknownOperationException");
}

TEST_F(ClientTest, LimitsTheResponse) {
    EXPECT_TRUE(client().call_rest({.path = "/a-bucket", .max_response_bytes = 10}));
    auto refused = client().call_rest({.path = "/a-bucket", .max_response_bytes = 9});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "the response has more than 9 bytes");
}

}  // namespace
}  // namespace integreat::cloud
