// SPDX-License-Identifier: Apache-2.0
// A presigned URL is valid only unchanged and only for its lifetime.
#include <set>

#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using http::Method;

constexpr const char* mismatch =
    "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method.";
constexpr const char* credential_part =
    "AuthorizationQueryParametersError: Error parsing the X-Amz-Credential ";

class PresignedTest : public LocalCloudTest {
protected:
    PresignedTest()
        : key(credentials(campus, campus_project)), path("/" + campus.bucket + "/users/ann/a%20key") {
        EXPECT_EQ(create(path, key, "content").status, 200);
        url = presign(key, "x-id=GetObject");
    }
    std::string presign(const Key& with, const std::string& query) {
        const aws::SigV4Header headers[] = {{"host", "127.0.0.1:4566"}};
        return path + "?" +
               aws::presign_query({"GET", path, query, headers},
                                  {.access_key_id = with.id,
                                   .secret_key = Secret(with.secret),
                                   .region = "us-east-1",
                                   .service = "s3",
                                   .security_token = with.token,
                                   .path_encoding = aws::SigV4PathEncoding::once},
                                  clock.now(), 300s);
    }
    ReceivedResponse fetch(const std::string& target, Method method = Method::get) {
        return send_request(cloud->application, unsigned_request({.method = method, .target = target}));
    }
    static std::string error_of(const ReceivedResponse& response) {
        EXPECT_GE(response.status, 400) << response.body;
        return response.text("Code") + ": " + response.text("Message");
    }
    std::string edited(const std::string& from, const std::string& to) const {
        auto at = url.find(from);
        EXPECT_NE(at, std::string::npos) << from << " is not in " << url;
        return at == std::string::npos ? url : url.substr(0, at) + to + url.substr(at + from.size());
    }

    Key key;
    std::string path;
    std::string url;
};

TEST_F(PresignedTest, IsValidForItsLifetime) {
    EXPECT_EQ(fetch(url).body, "content");
    clock.advance(300s);
    EXPECT_EQ(fetch(url).body, "content");
    clock.advance(1s);
    auto response = fetch(url);
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(error_of(response), "AccessDenied: Request has expired");
    EXPECT_EQ(response.text("X-Amz-Expires"), "300");
    EXPECT_EQ(response.text("ServerTime"), format_rfc3339(clock.now()));
    EXPECT_EQ(response.text("Expires"), format_rfc3339(clock.now() - 1s));
}

TEST_F(PresignedTest, IsInvalidBeforeItsDate) {
    clock.advance(1h);
    auto early = presign(root(), "");
    clock.advance(-1h);
    auto response = fetch(early);
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(error_of(response), "AccessDenied: Request is not yet valid");
    EXPECT_EQ(response.text("X-Amz-Date"), std::to_string(unix_seconds(clock.now() + 1h) * 1'000));
    EXPECT_EQ(response.text("Expires"), format_rfc3339(clock.now() + 1h + 300s));
    EXPECT_EQ(response.text("ServerTime"), format_rfc3339(clock.now()));
}

TEST_F(PresignedTest, ReturnsTheAwsErrorForEachEditedPart) {
    EXPECT_EQ(error_of(fetch(edited("/a%20key", "/b%20key"))), mismatch);
    EXPECT_EQ(error_of(fetch(edited("x-id=GetObject", "x-id=HeadObject"))), mismatch);
    EXPECT_EQ(error_of(fetch(url + "&versionId=1")), mismatch);
    EXPECT_EQ(error_of(fetch(url, Method::put)), mismatch);
    EXPECT_EQ(error_of(fetch(edited("Expires=300", "Expires=301"))), mismatch);
    EXPECT_EQ(
        error_of(fetch(edited("Expires=300", "Expires=604801"))),
        "AuthorizationQueryParametersError: X-Amz-Expires must be less than a week (in seconds); that is, "
        "the given X-Amz-Expires must be less than 604800 seconds");
    EXPECT_EQ(error_of(fetch(edited("Expires=300", "Expires=-1"))),
              "AuthorizationQueryParametersError: X-Amz-Expires must be non-negative");
    EXPECT_EQ(error_of(fetch(edited("Expires=300", "Expires=long"))),
              "AuthorizationQueryParametersError: X-Amz-Expires should be a number");
    EXPECT_EQ(error_of(fetch(edited("AWS4-HMAC-SHA256", "AWS5-HMAC-SHA256"))),
              "AuthorizationQueryParametersError: X-Amz-Algorithm only supports &quot;AWS4-HMAC-SHA256 and "
              "AWS4-ECDSA-P256-SHA256&quot;");
    EXPECT_EQ(error_of(fetch(edited("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host%3Brange"))),
              mismatch);
    EXPECT_EQ(error_of(fetch(edited("&X-Amz-SignedHeaders=host", ""))),
              "AuthorizationQueryParametersError: Query-string authentication version 4 requires the "
              "X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
              "X-Amz-Expires parameters.");
}

TEST_F(PresignedTest, ReturnsTheAwsErrorForEachPartOfTheCredential) {
    EXPECT_EQ(error_of(fetch(edited(key.id, "AKIAIOSFODNN7EXAMPLE"))),
              "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.");
    auto other = credentials(campus, campus_project, "bob");
    EXPECT_EQ(error_of(fetch(edited(key.id, other.id))),
              "InvalidToken: The provided token is malformed or otherwise invalid.");
    EXPECT_EQ(
        error_of(fetch(edited("us-east-1", "us-west-1"))),
        std::string(credential_part) + "parameter; the region 'us-west-1' is wrong; expecting 'us-east-1'");
    EXPECT_TRUE(fetch(edited("%2Fs3%2F", "%2Fsqs%2F")).contains("UnknownOperationException"));
    EXPECT_EQ(
        error_of(fetch(edited("%2Faws4_request", ""))),
        std::string(credential_part) +
            "parameter; the Credential is mal-formed; expecting &quot;&lt;YOUR-AKID&gt;/YYYYMMDD/REGION/"
            "SERVICE/aws4_request&quot;.");
    auto today = aws::format_sigv4_time(clock.now()).substr(0, 8);
    EXPECT_EQ(
        error_of(fetch(edited("%2F" + today, "%2F20150830"))),
        "AuthorizationQueryParametersError: Invalid credential date &quot;20150830&quot;. This date is not "
        "the same as X-Amz-Date: &quot;" +
            today + "&quot;.");
    auto token = url.find("X-Amz-Security-Token=") + 30;
    auto changed = url;
    changed[token] = changed[token] == 'a' ? 'b' : 'a';
    EXPECT_EQ(error_of(fetch(changed)),
              "InvalidToken: The provided token is malformed or otherwise invalid.");
}

// Exhaustive over the characters of the URL.
TEST_F(PresignedTest, IsRefusedWithAnyCharacterChanged) {
    std::set<std::string> codes;
    for (std::size_t i = 1; i < url.size(); ++i) {
        if (url[i] == '%' || url[i - 1] == '%' || (i > 1 && url[i - 2] == '%'))
            continue;  // Skips percent-encoded characters.
        auto changed = url;
        changed[i] = changed[i] == '0' ? '1' : '0';
        auto response = fetch(changed);
        EXPECT_GE(response.status, 400) << i << ": " << changed.substr(0, i + 1);
        EXPECT_FALSE(response.contains("content")) << changed;
        codes.insert(response.text("Code"));
    }
    // No error of another service. Without its question mark, the path is unsigned or entirely a key.
    const std::set<std::string> expected{"",
                                         "AccessDenied",
                                         "AuthorizationQueryParametersError",
                                         "InvalidAccessKeyId",
                                         "InvalidToken",
                                         "KeyTooLongError",
                                         "SignatureDoesNotMatch"};
    EXPECT_EQ(codes, expected);
}

}  // namespace
}  // namespace integreat::cloud
