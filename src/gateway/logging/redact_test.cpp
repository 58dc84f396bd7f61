// SPDX-License-Identifier: Apache-2.0
#include "gateway/logging/redact.h"

#include <gtest/gtest.h>

namespace integreat::gateway {
namespace {

TEST(Redact, RecognizesSensitiveNames) {
    for (auto name : {"Authorization",
                      "proxy-authorization",
                      "Cookie",
                      "Set-Cookie",
                      "password",
                      "newPassword",
                      "client_secret",
                      "access_token",
                      "idToken",
                      "X-Api-Key",
                      "api_key",
                      "key",
                      "email",
                      "customer.email",
                      "recipientPhone",
                      "phone_number",
                      "mobile",
                      "pin",
                      "otp",
                      "cvc",
                      "to",
                      "Idempotency-Key",
                      "X-Amz-Signature",
                      "oobCode_token",
                      "private-key"}) {
        EXPECT_TRUE(is_sensitive_name(name)) << name;
    }
    for (auto name : {"page", "id", "name", "status", "keyboard", "pinned", "total", "User-Agent", "Accept",
                      "tone", "description", "barcodes", "account", ""}) {
        EXPECT_FALSE(is_sensitive_name(name)) << name;
    }
}

TEST(Redact, RecognizesEachSensitivePartAtBothEndsOfAName) {
    for (std::string part :
         {"authorization", "cookie",     "password",   "passwd",      "secret",   "token",         "apikey",
          "accesskey",     "privatekey", "credential", "signature",   "email",    "phone",         "mobile",
          "msisdn",        "cardnumber", "birthdate",  "dateofbirth", "passport", "idempotencykey"}) {
        for (const auto& name : {part, "my" + part, part + "s", part.substr(0, 1) + part, "7_" + part + "-b"})
            EXPECT_TRUE(is_sensitive_name(name)) << name;
        EXPECT_FALSE(is_sensitive_name("x" + part.substr(0, part.size() - 1))) << part;
        EXPECT_FALSE(is_sensitive_name("x" + part.substr(1))) << part;
    }
}

TEST(Redact, RecognizesSensitiveValues) {
    for (auto value : {"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "Bearer abc", "maria@example.com",
                       "write to m.santos+x@mail.example.ph now", "+63 917 123 4567", "0917-123-4567",
                       "4242 4242 4242 4242", "sk_live_abc", "whsec_abcdef", "AKIAIOSFODNN7EXAMPLE",
                       "-----BEGIN PRIVATE KEY-----", "AIzaSyA1234"}) {
        EXPECT_TRUE(is_sensitive_value(value)) << value;
    }
    for (auto value : {"hello world", "2026-11-22", "order/1042", "eyJust a word", "a@b", "@handle", "12345",
                       "x", "user @ home", "application/json", "1.2.3.4", "req_01JD"}) {
        EXPECT_FALSE(is_sensitive_value(value)) << value;
    }
}

std::string target(std::string_view text) {
    std::string redacted_text;
    append_redacted_target(redacted_text, text);
    return redacted_text;
}

TEST(Redact, HidesValuesInQueries) {
    EXPECT_EQ(target("/v1/apps/campus/me?page=2&q=abc"), "/v1/apps/campus/me?page=2&q=abc");
    EXPECT_EQ(target("/a?token=abc&x=1"), "/a?token=[redacted]&x=1");
    EXPECT_EQ(target("/a?t%6Fken=abc"), "/a?t%6Fken=[redacted]");
    EXPECT_EQ(target("/a?q=maria%40example.com"), "/a?q=[redacted]");
    EXPECT_EQ(target("/a?maria%40example.com&b"), "/a?[redacted]&b");
    EXPECT_EQ(target("/a?password="), "/a?password=");
    EXPECT_EQ(target("/a?"), "/a?");
    EXPECT_EQ(target("/a?&&x=%zz"), "/a?&&x=%zz");
}

TEST(Redact, HidesSegmentsOfPaths) {
    EXPECT_EQ(target("/users/maria@example.com/x"), "/users/[redacted]/x");
    EXPECT_EQ(target("/users/maria%40example.com"), "/users/[redacted]");
    EXPECT_EQ(target("/sms/+639171234567/"), "/sms/[redacted]/");
    EXPECT_EQ(target("/v1/a_b/c%20d"), "/v1/a_b/c%20d");
    EXPECT_EQ(target("/"), "/");
}

TEST(Redact, HidesHeaders) {
    std::string text;
    append_redacted_headers(
        text, {{"Accept", "text/html"}, {"authorization", "Bearer x"}, {"X-Note", "a@b.example"}});
    EXPECT_EQ(text, R"({"Accept":"text/html","authorization":"[redacted]","X-Note":"[redacted]"})");
}

TEST(Redact, HidesMembersOfBodiesAtAnyDepth) {
    EXPECT_EQ(
        redact_body(
            R"({"a":{"password":"x","n":1},"list":[{"email":"e"},"maria@example.com","ok"],"phone":null})",
            1000),
        R"({"a":{"password":"[redacted]","n":1},"list":[{"email":"[redacted]"},"[redacted]","ok"],)"
        R"("phone":null})");
    EXPECT_EQ(redact_body(R"({"card":4242424242424242,"token":{"deep":1}})", 1000),
              R"({"card":"[redacted]","token":"[redacted]"})");
}

TEST(Redact, KeepsOnlyTheSizeOfBodiesThatAreNotJson) {
    EXPECT_EQ(redact_body("password=hunter2", 1000), "[16 bytes, not JSON]");
    EXPECT_EQ(redact_body("", 1000), "");
    EXPECT_EQ(redact_body(R"("abcdefghij")", 5), "\"abcd[cut]");
}

}  // namespace
}  // namespace integreat::gateway
