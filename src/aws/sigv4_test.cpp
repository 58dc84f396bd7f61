// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "aws/sigv4_parse.h"
#include "crypto/encoding.h"

namespace integreat::aws {
namespace {

using namespace std::chrono_literals;
using Fields = std::vector<SigV4Header>;

// The credentials of AWS's published test suite for Signature Version 4.
const Secret suite_secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
const Time suite_time = *parse_sigv4_time("20150830T123600Z");
constexpr std::string_view token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";

struct Vector {
    const char* name;
    const char* path;
    const char* query;
    Fields more;
    const char* signature;
    SigV4PathEncoding rule = SigV4PathEncoding::twice;
};

const Vector vectors[] = {
    {"get-vanilla", "/", "", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-header-key-duplicate",
     "/",
     "",
     {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-trim",
     "/",
     "",
     {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-relative",
     "/example/..",
     "",
     {},
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-pointless-dot",
     "/./example",
     "",
     {},
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slashes-normalized",
     "//example//",
     "",
     {},
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-slashes-unnormalized",
     "//example//",
     "",
     {},
     "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
     SigV4PathEncoding::once},
    {"get-space",
     "/example space/",
     "",
     {},
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-utf8", "/\xE1\x88\xB4", "", {}, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-vanilla-empty-query-key",
     "/",
     "Param1=value1",
     {},
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-key-case",
     "/",
     "Param2=value2&Param1=value1",
     {},
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-order-encoded",
     "/",
     "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
     {},
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-vanilla-with-session-token",
     "/",
     "",
     {{"X-Amz-Security-Token", token}},
     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
};

SigV4Signer suite_signer(SigV4PathEncoding rule) {
    return {.access_key_id = "AKIDEXAMPLE",
            .secret_key = suite_secret,
            .region = "us-east-1",
            .service = "service",
            .security_token = {},
            .path_encoding = rule};
}

TEST(SigV4, SignsAndVerifiesTheTestSuite) {
    for (const auto& vector : vectors) {
        Fields headers{{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
        headers.insert(headers.end(), vector.more.begin(), vector.more.end());
        SigV4Request request{"GET", vector.path, vector.query, headers};
        auto value = sign_request(request, suite_signer(vector.rule), suite_time, empty_payload_sha256);
        EXPECT_TRUE(value.ends_with(vector.signature)) << vector.name << ": " << value;

        headers.push_back({"Authorization", value});
        SigV4Request sent{"GET", vector.path, vector.query, headers};
        auto result = parse_sigv4(sent);
        ASSERT_TRUE(std::holds_alternative<SigV4Claim>(result)) << vector.name;
        const auto& claim = std::get<SigV4Claim>(result);
        EXPECT_FALSE(check_sigv4_time(claim, suite_time));
        auto key = derive_signing_key(suite_secret, claim);
        EXPECT_FALSE(check_sigv4({sent, claim, vector.rule, empty_payload_sha256}, key)) << vector.name;
    }
}

TEST(SigV4, VerifiesTheTestSuiteWithAHashedBody) {
    Fields headers{
        {"Content-Type", "application/x-www-form-urlencoded"},
        {"Host", "example.amazonaws.com"},
        {"Content-Length", "13"},
        {"x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"},
        {"X-Amz-Date", "20150830T123600Z"}};
    auto hash = crypto::hex_encode(crypto::as_view(crypto::sha256("Param1=value1")));
    auto value =
        sign_request({"POST", "/", "", headers}, suite_signer(SigV4PathEncoding::twice), suite_time, hash);
    EXPECT_TRUE(value.ends_with("d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b")) << value;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/: sig-v4-header-based-auth, sigv4-query-string-auth
const Secret s3_secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
const Time s3_time = *parse_sigv4_time("20130524T000000Z");

SigV4Signer s3_signer() {
    return {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
            .secret_key = s3_secret,
            .region = "us-east-1",
            .service = "s3",
            .security_token = {},
            .path_encoding = SigV4PathEncoding::once};
}

TEST(SigV4, SignsTheExamplesOfTheS3Manual) {
    Fields get{{"Host", "examplebucket.s3.amazonaws.com"},
               {"Range", "bytes=0-9"},
               {"x-amz-content-sha256", empty_payload_sha256},
               {"x-amz-date", "20130524T000000Z"}};
    auto value = sign_request({"GET", "/test.txt", "", get}, s3_signer(), s3_time, empty_payload_sha256);
    EXPECT_TRUE(value.ends_with("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")) << value;

    Fields plain{get[0], get[2], get[3]};
    value = sign_request({"GET", "/", "lifecycle", plain}, s3_signer(), s3_time, empty_payload_sha256);
    EXPECT_TRUE(value.ends_with("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")) << value;
    value =
        sign_request({"GET", "/", "max-keys=2&prefix=J", plain}, s3_signer(), s3_time, empty_payload_sha256);
    EXPECT_TRUE(value.ends_with("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")) << value;

    auto hash = crypto::hex_encode(crypto::as_view(crypto::sha256("Welcome to Amazon S3.")));
    Fields put{{"Host", "examplebucket.s3.amazonaws.com"},
               {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
               {"x-amz-content-sha256", hash},
               {"x-amz-date", "20130524T000000Z"},
               {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
    value = sign_request({"PUT", "/test%24file.text", "", put}, s3_signer(), s3_time, hash);
    EXPECT_TRUE(value.ends_with("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")) << value;
}

TEST(SigV4, PresignsAsTheS3ManualDoes) {
    Fields headers{{"Host", "examplebucket.s3.amazonaws.com"}};
    auto query = presign_query({"GET", "/test.txt", "", headers}, s3_signer(), s3_time, 86400s);
    EXPECT_EQ(
        query,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3"
        "%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

class Presigned : public testing::Test {
protected:
    SigV4ParseResult read() {
        request = {"GET", path, query, headers};
        return parse_sigv4(request);
    }
    // Returns nullopt if the request is accepted.
    std::optional<SigV4Error> check(Time now = s3_time + 1h) {
        auto result = read();
        if (auto* error = std::get_if<SigV4Error>(&result)) return *error;
        const auto& claim = std::get<SigV4Claim>(result);
        if (auto error = check_sigv4_time(claim, now)) return error;
        return check_sigv4({request, claim, SigV4PathEncoding::once, unsigned_payload},
                           derive_signing_key(s3_secret, claim));
    }
    void replace(std::string_view from, std::string_view to) {
        auto at = query.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        query.replace(at, from.size(), to);
    }

    Fields headers{{"Host", "localhost:4566"}};
    std::string path = "/bucket/a%20key";
    std::string query = presign_query({"GET", path, "versionId=1", headers}, s3_signer(), s3_time, 86400s);
    SigV4Request request{};
};

TEST_F(Presigned, IsAcceptedUntilItExpires) {
    EXPECT_FALSE(check());
    EXPECT_FALSE(check(s3_time + 86400s));
    EXPECT_EQ(check(s3_time + 86401s)->fault, SigV4Fault::expired);
    EXPECT_FALSE(check(s3_time - 15min));
    EXPECT_EQ(check(s3_time - 15min - 1s)->fault, SigV4Fault::too_new);
}

TEST_F(Presigned, IsRejectedWhenAnyPartIsChanged) {
    auto good = query;
    const std::pair<const char*, const char*> edits[] = {
        {"versionId=1", "versionId=2"},
        {"20130524T000000Z", "20130524T000001Z"},
        {"Expires=86400", "Expires=86401"},
        {"AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLF"},
        {"us-east-1", "us-west-2"},
        {"%2Fs3%2F", "%2Fsts%2F"},
        {"Signature=", "more=1&X-Amz-Signature="},
    };
    for (const auto& [from, to] : edits) {
        query = good;
        replace(from, to);
        auto error = check();
        // The access key ID is not signed: another ID has another secret, or none.
        if (std::string_view(from).starts_with("AKIA")) {
            EXPECT_EQ(std::get<SigV4Claim>(read()).access_key_id, "AKIAIOSFODNN7EXAMPLF");
            continue;
        }
        ASSERT_TRUE(error) << from;
    }
    query = good;
    path = "/bucket/b%20key";
    EXPECT_EQ(check()->fault, SigV4Fault::signature);
    path = "/bucket/a%20key";
    headers[0].value = "localhost:4567";
    EXPECT_EQ(check()->fault, SigV4Fault::signature);
}

TEST_F(Presigned, DistinguishesPlusAndSpace) {
    query = presign_query({"GET", path, "prefix=a%2Bb", headers}, s3_signer(), s3_time, 86400s);
    EXPECT_FALSE(check());
    replace("a%2Bb", "a+b");
    EXPECT_EQ(check()->fault, SigV4Fault::signature);
}

TEST_F(Presigned, RequiresEveryParameterOnceAndWellFormed) {
    auto good = query;
    const std::pair<const char*, SigV4Fault> cases[] = {
        {"X-Amz-Algorithm=AWS4-HMAC-SHA256&", SigV4Fault::unsupported},
        {"X-Amz-Date=20130524T000000Z&", SigV4Fault::incomplete},
        {"X-Amz-Expires=86400&", SigV4Fault::incomplete},
        {"X-Amz-SignedHeaders=host&", SigV4Fault::incomplete},
    };
    for (const auto& [part, fault] : cases) {
        query = good;
        replace(part, "");
        EXPECT_EQ(check()->fault, fault) << part;
    }
    query = good + "&X-Amz-Date=20130524T000000Z";
    EXPECT_EQ(check()->fault, SigV4Fault::malformed);
    query = good;
    replace("Expires=86400", "Expires=604801");
    EXPECT_EQ(check()->fault, SigV4Fault::expiry_invalid);
    query = good;
    replace("Expires=86400", "Expires=-1");
    EXPECT_EQ(check()->detail, "negative");
    query = good;
    replace("Expires=86400", "Expires=1d");
    EXPECT_EQ(check()->detail, "number");
    query = good;
    headers.push_back({"x-amz-acl", "public-read"});
    EXPECT_EQ(check()->detail, "x-amz-acl") << "added behind the signer's back";
}

class SignedHeader : public testing::Test {
protected:
    SigV4ParseResult read() { return parse_sigv4({"GET", "/", "", headers}); }
    SigV4Error error() {
        auto result = read();
        EXPECT_TRUE(std::holds_alternative<SigV4Error>(result));
        return std::get<SigV4Error>(result);
    }
    static std::string authorization(std::string_view credential, std::string_view names) {
        return "AWS4-HMAC-SHA256 Credential=" + std::string(credential) +
               ", SignedHeaders=" + std::string(names) + ", Signature=" + std::string(64, 'a');
    }
    void authorize(std::string value) {
        value_ = std::move(value);
        headers.back().value = value_;
    }

    std::string value_ = authorization("AKID/20150830/us-east-1/sts/aws4_request", "host;x-amz-date");
    Fields headers{{"Host", "h"}, {"X-Amz-Date", "20150830T123600Z"}, {"Authorization", value_}};
};

TEST_F(SignedHeader, IsParsedWithAndWithoutSpaces) {
    ASSERT_TRUE(std::holds_alternative<SigV4Claim>(read()));
    std::erase(value_, ' ');
    value_.insert(16, " ");
    headers.back().value = value_;
    auto result = read();
    ASSERT_TRUE(std::holds_alternative<SigV4Claim>(result));
    EXPECT_EQ(std::get<SigV4Claim>(result).region, "us-east-1");
    headers.pop_back();
    EXPECT_TRUE(std::holds_alternative<std::monostate>(read()));
}

TEST_F(SignedHeader, RejectsMalformedHeadersAndNamesThePart) {
    authorize("AWS4");
    EXPECT_EQ(error().detail, "AWS4");
    authorize("AWS AKID:frJIUN8DYpKDtOLCwo");
    EXPECT_EQ(error().fault, SigV4Fault::unsupported);
    authorize("AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/sts/aws4_request");
    EXPECT_EQ(error().detail, "Signature,SignedHeaders");
    for (const char* credential :
         {"AKID", "AKID/20150830/us-east-1/sts", "AKID/20150830/us-east-1/sts/aws4_request/x",
          "AKID/2015083/us-east-1/sts/aws4_request", "/20150830/us-east-1/sts/aws4_request",
          "AKID/20150830/us east/sts/aws4_request", "AKID/20150830//sts/aws4_request"}) {
        authorize(authorization(credential, "host;x-amz-date"));
        EXPECT_EQ(error().fault, SigV4Fault::malformed) << credential;
    }
    const std::string good = "AKID/20150830/us-east-1/sts/aws4_request";
    authorize(authorization("AKID/20150829/us-east-1/sts/aws4_request", "host;x-amz-date"));
    EXPECT_EQ(error().fault, SigV4Fault::scope_date_mismatch);
    authorize(authorization(good, "x-amz-date"));
    EXPECT_EQ(error().detail, "host");
    authorize(authorization(good, "host"));
    EXPECT_EQ(error().detail, "x-amz-date");
    authorize(authorization(good, "host;range;x-amz-date"));
    EXPECT_EQ(error().fault, SigV4Fault::header_missing);
    authorize(authorization(good, "x-amz-date;host"));
    EXPECT_EQ(error().fault, SigV4Fault::malformed);
    authorize(authorization(good, "Host;x-amz-date"));
    EXPECT_EQ(error().fault, SigV4Fault::malformed);
    authorize("AWS4-HMAC-SHA256 Credential=" + good + ",SignedHeaders=host;x-amz-date,Signature=XYZ");
    EXPECT_EQ(error().fault, SigV4Fault::signature);
    headers[1].value = "Sun, 30 Aug 2015 12:36:00 GMT";
    EXPECT_EQ(error().fault, SigV4Fault::date_malformed);
}

TEST(SigV4, LimitsTheSkewInBothDirections) {
    SigV4Claim claim{.timestamp = "20150830T123600Z", .signed_at = suite_time};
    EXPECT_FALSE(check_sigv4_time(claim, suite_time + 15min));
    EXPECT_FALSE(check_sigv4_time(claim, suite_time - 15min));
    EXPECT_EQ(check_sigv4_time(claim, suite_time + 15min + 1s)->fault, SigV4Fault::too_old);
    EXPECT_EQ(check_sigv4_time(claim, suite_time - 15min - 1s)->fault, SigV4Fault::too_new);
}

TEST(SigV4, NamesThePartThatDiffers) {
    Fields as_signed{{"Host", "localhost"}, {"X-Amz-Date", "20150830T123600Z"}};
    auto signer = suite_signer(SigV4PathEncoding::twice);
    auto part_of = [&](SigV4Request signed_message, SigV4Request sent, std::string_view payload) {
        auto value = sign_request(signed_message, signer, suite_time, payload);
        Fields headers(sent.headers.begin(), sent.headers.end());
        headers.push_back({"Authorization", value});
        sent.headers = headers;
        auto claim = std::get<SigV4Claim>(parse_sigv4(sent));
        auto error = check_sigv4({sent, claim, SigV4PathEncoding::twice, empty_payload_sha256},
                                 derive_signing_key(suite_secret, claim));
        return error ? error->part : "";
    };
    Fields with_port{{"Host", "localhost:4566"}, {"X-Amz-Date", "20150830T123600Z"}};
    SigV4Request plain{"POST", "/", "", as_signed};
    EXPECT_EQ(part_of(plain, plain, empty_payload_sha256), "");
    EXPECT_EQ(part_of(plain, {"POST", "/", "", with_port}, empty_payload_sha256),
              "the host: the client signed it without the port");
    EXPECT_EQ(part_of(plain, {"GET", "/", "", as_signed}, empty_payload_sha256),
              "the method: the client signed POST");
    EXPECT_EQ(part_of(plain, plain, unsigned_payload),
              "the payload hash: the client signed UNSIGNED-PAYLOAD");
    EXPECT_TRUE(
        part_of(plain, {"POST", "/x", "", as_signed}, empty_payload_sha256).starts_with("the signature:"));
}

TEST(SigV4, BoundsTheNumberOfCachedSigningKeys) {
    SigningKeyCache cache(3);
    SigV4Claim claim{.access_key_id = "A", .date = "20150830", .region = "us-east-1", .service = "s3"};
    EXPECT_EQ(cache.find(claim, suite_secret), derive_signing_key(suite_secret, claim));
    EXPECT_EQ(cache.find(claim, suite_secret), derive_signing_key(suite_secret, claim));
    EXPECT_EQ(cache.size(), 1u);
    EXPECT_EQ(cache.find(claim, s3_secret), derive_signing_key(s3_secret, claim)) << "a changed secret";
    for (int i = 0; i < 10; ++i) {
        claim.access_key_id = "A" + std::to_string(i);
        cache.find(claim, suite_secret);
        EXPECT_LE(cache.size(), 3u);
    }
}

}  // namespace
}  // namespace integreat::aws
