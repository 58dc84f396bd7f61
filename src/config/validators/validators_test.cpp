// SPDX-License-Identifier: Apache-2.0
#include "config/validators/validators.h"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace integreat::config {

using ::testing::ElementsAre;

TEST(Validators, AgreeWithThePatternsForEditors) {
    struct Validator {
        CheckResult (*check)(std::string_view);
        std::string_view pattern;
    };
    // The pattern of a slug does not limit its length.
    for (auto [check, pattern] :
         {Validator{check_slug, slug_pattern}, Validator{check_role, role_pattern},
          Validator{check_scope, scope_pattern}, Validator{check_project, project_pattern},
          Validator{check_file_prefix, file_prefix_pattern}}) {
        std::regex regex{std::string(pattern), std::regex::ECMAScript};
        for (std::string text : {"",
                                 "a",
                                 "campus",
                                 "Campus",
                                 "church_admin",
                                 "food-bank",
                                 "-a",
                                 "a-",
                                 "a--b",
                                 "1a",
                                 "a1",
                                 "a b",
                                 "orders:read",
                                 "a.b",
                                 "é",
                                 "abcdef",
                                 "abcdef-",
                                 "integreat-core",
                                 "a/",
                                 "a-b/c_1/",
                                 "a//",
                                 "/a/",
                                 "a/-b/"}) {
            EXPECT_EQ(!check(text), std::regex_match(text, regex)) << text << " " << pattern;
        }
        EXPECT_TRUE(check(std::string(65, 'a'))) << pattern;
    }
}

TEST(Validators, AcceptProjectIdsOfSixToThirtyCharacters) {
    EXPECT_TRUE(check_project("abcde"));
    EXPECT_FALSE(check_project("abcdef"));
    EXPECT_FALSE(check_project(std::string(30, 'a')));
    EXPECT_TRUE(check_project(std::string(31, 'a')));
}

TEST(Validators, ParseUrls) {
    auto result = parse_url("https://Portal.Example:8443/base");
    ASSERT_FALSE(result.error);
    EXPECT_TRUE(result.url.secure);
    EXPECT_EQ(result.url.host, "portal.example");
    EXPECT_EQ(result.url.port, 8443);
    EXPECT_EQ(result.url.path, "/base");

    result = parse_url("http://[2001:db8::1]/");
    ASSERT_FALSE(result.error);
    EXPECT_EQ(result.url.host, "2001:db8::1");
    EXPECT_EQ(result.url.port, 80);
    EXPECT_EQ(result.url.path, "");
}

TEST(Validators, RefuseAmbiguousUrls) {
    for (auto text : {"",
                      "http:/",
                      "http:///",
                      "//host",
                      "http://a@b",
                      "http://a:b@c",
                      "http://h:",
                      "http://h:+1",
                      "http://h:080",
                      "http://h\\x",
                      "http://h/\\x",
                      "http://h/a//b",
                      "http://h/%2e%2e",
                      "http://0x7f.1",
                      "http://999.1.1.1",
                      "http://-h",
                      "http://h-",
                      "http://h..x",
                      "http://[::1]x",
                      "http://[h]",
                      "http://h:80:80",
                      "HTTP://h",
                      "http://h\n",
                      "http://h /",
                      "http://h/é"}) {
        EXPECT_TRUE(parse_url(text).error) << text;
    }
}

TEST(Validators, RequireTlsForTrustedUrls) {
    EXPECT_FALSE(check_trusted_url("https://www.googleapis.com/x509/securetoken@system.gserviceaccount.com"));
    EXPECT_FALSE(check_trusted_url("http://127.0.0.1:9099/keys?alt=json"));
    EXPECT_TRUE(check_trusted_url("http://www.googleapis.com/x509"));
    EXPECT_TRUE(check_trusted_url("http://127.0.0.1.evil.example/keys"));
    EXPECT_TRUE(check_trusted_url("http://localhost@evil.example/keys"));
    EXPECT_TRUE(check_trusted_url("https://a b/"));
    EXPECT_TRUE(check_trusted_url(""));
}

TEST(Validators, IgnoreParameterNamesInShapes) {
    EXPECT_FALSE(check_target("/"));
    EXPECT_TRUE(check_path("/"));
    EXPECT_TRUE(check_target("//"));
    EXPECT_THAT(path_parameters("/a/{id}/b/{rest...}"), ElementsAre("id", "rest"));
    EXPECT_EQ(path_shape("/a/{id}/b/{rest...}"), "/a/{}/b/{...}");
    EXPECT_EQ(path_shape("/a/{other}/b/{rest...}"), path_shape("/a/{id}/b/{all...}"));
    EXPECT_NE(path_shape("/a/{id}"), path_shape("/a/{id...}"));
}

TEST(Validators, RecognizeNetworks) {
    for (auto text : {"10.0.0.0/8", "192.0.2.1", "::1", "2001:db8::/128", "0.0.0.0/0"}) {
        EXPECT_FALSE(check_network(text)) << text;
    }
    for (auto text :
         {"10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0/8", "host", "10.0.0.0/-1", "10.0.0.0/8/8", ""}) {
        EXPECT_TRUE(check_network(text)) << text;
    }
}

}  // namespace integreat::config
