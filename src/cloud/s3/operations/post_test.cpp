// SPDX-License-Identifier: Apache-2.0
#include "aws/sigv4.h"
#include "cloud/s3/protocol/form.h"
#include "cloud/s3/testing/s3_fixture.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace integreat::s3 {
namespace {

class PostTest : public S3Test {
protected:
    using Fields = std::vector<std::pair<std::string, std::string>>;

    static std::string make_form(const Fields& fields, const std::string& file,
                                 const std::string& filename = "C:\\photos\\me.jpg") {
        std::string body;
        for (const auto& [name, value] : fields)
            body += "--xxBOUNDxx\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value +
                    "\r\n";
        return body + "--xxBOUNDxx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + filename +
               "\"\r\nContent-Type: image/jpeg\r\n\r\n" + file + "\r\n--xxBOUNDxx--\r\n";
    }
    ReceivedResponse submit(const std::string& body) {
        access_key_id = "";
        return post("/a-bucket", body, {{"Content-Type", "multipart/form-data; boundary=xxBOUNDxx"}});
    }
    // Signs like createPresignedPost: the signed text is the policy.
    Fields signed_fields(const std::string& conditions, Fields more, const std::string& secret = "secret") {
        auto expires = format_rfc3339(clock.now() + std::chrono::hours(1));
        auto policy =
            crypto::base64_encode("{\"expiration\":\"" + expires + "\",\"conditions\":[" + conditions + "]}");
        auto date = aws::format_sigv4_time(clock.now());
        auto scope = date.substr(0, 8) + "/us-east-1/s3/aws4_request";
        auto sign = [](std::string_view key, std::string_view text) {
            return std::string(crypto::as_view(crypto::hmac_sha256(key, text)));
        };
        auto key =
            sign(sign(sign(sign("AWS4" + secret, date.substr(0, 8)), "us-east-1"), "s3"), "aws4_request");
        more.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
        more.emplace_back("X-Amz-Credential", "AKIAROOT/" + scope);
        more.emplace_back("X-Amz-Date", date);
        more.emplace_back("Policy", policy);
        more.emplace_back("X-Amz-Signature", crypto::hex_encode(sign(key, policy)));
        return more;
    }
    const std::string basics =
        R"({"bucket":"a-bucket"},["starts-with","$key","up/"],["starts-with","$x-amz-algorithm",""],)"
        R"(["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""])";
};

// The header of the form's request says nothing about the object: without this, it would satisfy the policy.
TEST_F(PostTest, AHeaderOfTheFormSatisfiesNoConditionOnTheObject) {
    auto policy =
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",)"
        R"("Resource":"arn:aws:s3:::a-bucket/*","Condition":{"Null":{"s3:if-none-match":"true"},)"
        R"("Bool":{"s3:ObjectCreationOperation":"true"}}}]})";
    ASSERT_EQ(put("/a-bucket?policy", policy).status, 204);
    EXPECT_EQ(put("/a-bucket/up/a", "x").status, 403);
    EXPECT_EQ(put("/a-bucket/up/a", "x", {{"If-None-Match", "*"}}).status, 200);
    EXPECT_EQ(post("/a-bucket/up/b?uploads", "").status, 200) << "the start of an upload takes no condition";
    auto form = make_form(signed_fields(basics, {{"key", "up/a"}}), "replaced");
    access_key_id = "";
    auto response =
        post("/a-bucket", form,
             {{"Content-Type", "multipart/form-data; boundary=xxBOUNDxx"}, {"If-None-Match", "*"}});
    EXPECT_EQ(response.status, 403) << response.body;
    access_key_id = "AKIAROOT";
    EXPECT_EQ(get("/a-bucket/up/a").body, "x");
}

TEST_F(PostTest, ASignedFormUploadsItsFile) {
    auto fields =
        signed_fields(basics + R"(,["eq","$Content-Type","image/png"],["starts-with","$x-amz-meta-a",""])",
                      {{"key", "up/${filename}"}, {"Content-Type", "image/png"}, {"x-amz-meta-a", "1"}});
    auto response = submit(make_form(fields, "the bytes\r\n--of the file"));
    EXPECT_EQ(response.status, 204) << response.body << cause;
    access_key_id = "AKIAROOT";
    auto got = get("/a-bucket/up/me.jpg");
    EXPECT_EQ(got.body, "the bytes\r\n--of the file");
    EXPECT_EQ(got.headers.value("Content-Type"), "image/png");
    EXPECT_EQ(got.headers.value("x-amz-meta-a"), "1");
}

TEST_F(PostTest, RespondsAsTheFormRequests) {
    auto with = [&](const std::string& name, const std::string& value) {
        return submit(make_form(signed_fields(basics + ",[\"starts-with\",\"$" + name + "\",\"\"]",
                                              {{"key", "up/a b"}, {name, value}}),
                                "x"));
    };
    auto created = with("success_action_status", "201");
    EXPECT_EQ(created.status, 201);
    EXPECT_EQ(created.text("Key"), "up/a b");
    EXPECT_EQ(created.text("Location"), "http://127.0.0.1:4566/a-bucket/up/a%20b");
    EXPECT_EQ(with("success_action_status", "200").status, 200);
    auto redirect = with("success_action_redirect", "http://localhost/done?x=1");
    EXPECT_EQ(redirect.status, 303);
    EXPECT_EQ(redirect.headers.value("Location"),
              "http://localhost/"
              "done?x=1&bucket=a-bucket&key=up%2Fa%20b&etag=%229dd4e461268c8034f5c8564e155c67a6%22");
    EXPECT_EQ(with("success_action_redirect", "javascript:alert(1)").status, 204);
}

TEST_F(PostTest, RefusesFormsThatViolateTheirPolicy) {
    auto message = [&](const std::string& conditions, Fields fields, const std::string& file = "x") {
        return submit(make_form(signed_fields(conditions, std::move(fields)), file)).text("Message");
    };
    EXPECT_EQ(
        message(basics, {{"key", "elsewhere"}}),
        "Invalid according to Policy: Policy Condition failed: [&quot;starts-with&quot;, &quot;$key&quot;, "
        "&quot;up/&quot;]");
    EXPECT_EQ(message(basics, {{"key", "up/a"}, {"x-amz-meta-b", "1"}}),
              "Invalid according to Policy: Extra input fields: x-amz-meta-b");
    EXPECT_EQ(message(basics, {{"key", "up/a"}, {"x-ignore-b", "1"}}), "");
    EXPECT_EQ(message(basics + R"(,["content-length-range",2,4])", {{"key", "up/a"}}, "12345"),
              "Your proposed upload exceeds the maximum allowed size");
    EXPECT_EQ(message(basics + R"(,["content-length-range",2,4])", {{"key", "up/a"}}, "1"),
              "Your proposed upload is smaller than the minimum allowed size");
    EXPECT_EQ(message(basics + R"(,["content-length-range",2,4])", {{"key", "up/a"}}, "123"), "");
    EXPECT_EQ(message(R"({"bucket":"b-bucket"},["starts-with","$key",""])", {{"key", "up/a"}}),
              "Invalid according to Policy: Policy Condition failed: [&quot;eq&quot;, &quot;$bucket&quot;, "
              "&quot;b-bucket&quot;]");
    EXPECT_EQ(message(R"(["like","$key","a"])", {{"key", "up/a"}}),
              "Invalid Policy: Invalid Condition: unknown operation 'like'.");
}

TEST_F(PostTest, RefusesExpiredAndForgedPolicies) {
    auto fields = signed_fields(basics, {{"key", "up/a"}});
    clock.advance(std::chrono::minutes(61));
    auto late = submit(make_form(fields, "x"));
    EXPECT_EQ(late.status, 403);
    EXPECT_EQ(late.text("Message"), "Invalid according to Policy: Policy expired.");
    auto forged = submit(make_form(signed_fields(basics, {{"key", "up/a"}}, "guess"), "x"));
    EXPECT_EQ(error_of(forged), "SignatureDoesNotMatch 403");
    EXPECT_EQ(error_of(submit(make_form({{"key", "up/a"}}, "x"))), "AccessDenied 403");
}

TEST_F(PostTest, RefusesMalformedForms) {
    access_key_id = "";
    EXPECT_EQ(error_of(post("/a-bucket", "x=1", {{"Content-Type", "text/plain"}})), "PreconditionFailed 412");
    EXPECT_EQ(error_of(submit("nonsense")), "MalformedPOSTRequest 400");
    EXPECT_EQ(error_of(submit("--xxBOUNDxx--\r\n")), "InvalidArgument 400");
    auto whole = make_form(signed_fields(basics, {{"key", "up/a"}}), "x");
    EXPECT_EQ(error_of(submit(whole.substr(0, whole.size() - 10))), "MalformedPOSTRequest 400");
    EXPECT_EQ(error_of(submit(make_form({}, "x"))), "InvalidArgument 400");
    EXPECT_EQ(error_of(submit(make_form({{"key", std::string(30'000, 'k')}}, "x"))),
              "MaxPostPreDataLengthExceeded 400");
    EXPECT_EQ(error_of(submit(make_form(signed_fields(basics + R"(,["starts-with","$cache-control",""])",
                                                      {{"key", "up/a"}, {"Cache-Control", "a\r\nb: c"}}),
                                        "x"))),
              "InvalidArgument 400");
}

TEST_F(PostTest, ParsesChunksOfAnySize) {
    auto body = make_form({{"key", "a"}, {"empty", ""}}, "line\r\n--xxBOUND\r\nline");
    for (std::size_t chunk_bytes = 1; chunk_bytes < 60; chunk_bytes += 7) {
        auto reader = FormReader::make("multipart/form-data; boundary=\"xxBOUNDxx\"");
        ASSERT_TRUE(reader);
        std::string file;
        FormReader::Events events_of_form{.on_file = [](const FormReader::File&) { return AwsResult<>(); },
                                          .on_file_bytes =
                                              [&](std::string_view bytes) {
                                                  file += bytes;
                                                  return AwsResult<>();
                                              }};
        for (std::size_t at = 0; at < body.size(); at += chunk_bytes)
            ASSERT_TRUE(reader->feed(std::string_view(body).substr(at, chunk_bytes), events_of_form));
        EXPECT_TRUE(reader->finish());
        EXPECT_EQ(file, "line\r\n--xxBOUND\r\nline");
        EXPECT_EQ(reader->fields().size(), 2u);
    }
}

}  // namespace
}  // namespace integreat::s3
