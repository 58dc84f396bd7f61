// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/firebase_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/testing/token_fixture.h"

namespace integreat::identity {
namespace {

using namespace identity::testing;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

TokenResult verify(std::string_view sent, Time now = from_unix_seconds(now_seconds)) {
    return verify_firebase_token(sent, signing_keys(), projects(), {}, now);
}

AuthFailure verify_failure(std::string_view sent, Time now = from_unix_seconds(now_seconds)) {
    auto result = verify(sent, now);
    auto* failure = std::get_if<AuthFailure>(&result);
    EXPECT_NE(failure, nullptr);
    return failure ? *failure : AuthFailure{.type = http::ProblemType::internal};
}

AuthFailure failure_for(const boost::json::object& payload) {
    return verify_failure(token(payload));
}

std::shared_ptr<const Principal> accepted(const boost::json::object& payload) {
    auto result = verify(token(payload));
    auto* principal = std::get_if<std::shared_ptr<const Principal>>(&result);
    if (auto* failure = std::get_if<AuthFailure>(&result))
        ADD_FAILURE() << http::to_slug(failure->type) << ": " << failure->rule;
    return principal ? *principal : nullptr;
}

TEST(FirebaseTokens, IdentifyTheCaller) {
    auto principal = accepted(claims());
    ASSERT_NE(principal, nullptr);
    EXPECT_EQ(principal->kind, PrincipalKind::user);
    EXPECT_EQ(principal->tenant.text, "campus");
    EXPECT_EQ(principal->subject, "dOAPann");
    EXPECT_EQ(principal->role, "registrar");
    EXPECT_EQ(principal->email, "ann@example.com");
    EXPECT_TRUE(principal->email_verified);
    EXPECT_EQ(principal->name, "Ann A");
    EXPECT_EQ(principal->sign_in_provider, "password");
    EXPECT_EQ(principal->authenticated, from_unix_seconds(now_seconds - 100));
    EXPECT_EQ(principal->expires, from_unix_seconds(now_seconds + 3'550));
    EXPECT_TRUE(principal->scopes.empty());
}

TEST(FirebaseTokens, MayLackTheClaimsThatAnonymousUsersLack) {
    auto payload = claims();
    for (auto name : {"name", "email", "email_verified", "role", "firebase"})
        payload.erase(name);
    auto principal = accepted(payload);
    ASSERT_NE(principal, nullptr);
    EXPECT_EQ(principal->role + principal->email + principal->name + principal->sign_in_provider, "");
    EXPECT_FALSE(principal->email_verified);
}

TEST(FirebaseTokens, BelongToTheTenantOfTheirProject) {
    auto payload = claims_with("aud", "teleo-church-application");
    payload["iss"] = "https://securetoken.google.com/teleo-church-application";
    EXPECT_EQ(accepted(payload)->tenant.text, "teleo");
}

TEST(FirebaseTokens, RequireAConfiguredProject) {
    for (boost::json::value audience :
         {boost::json::value("someone-else"),
          boost::json::value(boost::json::array{"campus-student-lifecycle"}), boost::json::value(nullptr),
          boost::json::value(5), boost::json::value(""), boost::json::value(true),
          boost::json::value("campus-student-lifecycle "), boost::json::value("Campus-student-lifecycle"),
          boost::json::value("campus-student-lifecycl\xD0\xB5")}) {  // With a Cyrillic letter.
        auto failure = failure_for(claims_with("aud", audience));
        EXPECT_EQ(failure.type, http::ProblemType::token_audience);
        EXPECT_EQ(failure.status(), 401);
    }
    EXPECT_EQ(failure_for(claims_without("aud")).type, http::ProblemType::token_audience);
    auto failure = failure_for(claims_with("aud", "someone-else"));
    EXPECT_THAT(failure.detail, HasSubstr("\"aud\" is not a Firebase project of this platform"));
    EXPECT_THAT(failure.detail, ::testing::Not(HasSubstr("teleo")));
    EXPECT_THAT(failure.facts, Contains(Pair("aud", "someone-else")));
    EXPECT_THAT(failure_for(claims_with("aud", boost::json::array{"a"})).facts,
                Contains(Pair("aud", "[\"a\"]")));
}

TEST(FirebaseTokens, RequireTheIssuerOfTheirProject) {
    for (boost::json::value issuer :
         {boost::json::value("https://securetoken.google.com/teleo-church-application"),
          boost::json::value("https://session.firebase.google.com/campus-student-lifecycle"),
          boost::json::value("https://accounts.google.com"), boost::json::value("campus-student-lifecycle"),
          boost::json::value("http://securetoken.google.com/campus-student-lifecycle"),
          boost::json::value("https://securetoken.google.com/campus-student-lifecycle/"),
          boost::json::value("https://securetoken.google.com/"),
          boost::json::value("https://securetoken.google.com"), boost::json::value(nullptr),
          boost::json::value(boost::json::array{"x"})}) {
        EXPECT_EQ(failure_for(claims_with("iss", issuer)).type, http::ProblemType::token_issuer) << issuer;
    }
    auto failure = failure_for(claims_without("iss"));
    EXPECT_EQ(failure.type, http::ProblemType::token_issuer);
    EXPECT_EQ(failure.rule, "iss must be https://securetoken.google.com/campus-student-lifecycle");
    EXPECT_THAT(failure.facts, Contains(Pair("iss", "(missing)")));
}

TEST(FirebaseTokens, ExpireAfterTheSkew) {
    auto expires = from_unix_seconds(now_seconds + 3'550);
    auto sent = token();
    EXPECT_FALSE(std::holds_alternative<AuthFailure>(verify(sent, expires + std::chrono::seconds(29))));
    auto failure = verify_failure(sent, expires + std::chrono::seconds(30));
    EXPECT_EQ(failure.type, http::ProblemType::token_expired);
    EXPECT_EQ(http::problem_definition(failure.type).title, "Token expired");
    EXPECT_EQ(failure.detail, "It expired at " + format_rfc3339(expires) + ". Refresh it: getIdToken(true).");
    EXPECT_EQ(failure.rule, "exp must be later than now minus clock_skew (30 s)");
    EXPECT_THAT(failure.facts, Contains(Pair("exp", format_rfc3339(expires))));
}

TEST(FirebaseTokens, AreNotFromTheFuture) {
    for (auto name : {"iat", "auth_time", "nbf"}) {
        EXPECT_NE(accepted(claims_with(name, now_seconds + 30)), nullptr);
        auto failure = failure_for(claims_with(name, now_seconds + 31));
        EXPECT_EQ(failure.type, http::ProblemType::token_not_yet_valid) << name;
        EXPECT_THAT(failure.facts, Contains(Pair(name, format_rfc3339(from_unix_seconds(now_seconds + 31)))));
    }
}

TEST(FirebaseTokens, HaveTimesInWholeSeconds) {
    for (auto name : {"exp", "iat", "auth_time", "nbf"}) {
        for (boost::json::value time :
             {boost::json::value("1795003550"), boost::json::value(1795003550.0), boost::json::value(1.795e9),
              boost::json::value(std::uint64_t(18'446'744'073'709'551'615u)),
              boost::json::value(253'402'300'800), boost::json::value(-1), boost::json::value(0),
              boost::json::value(nullptr), boost::json::value(true),
              boost::json::value(boost::json::array{1795003550})}) {
            auto failure = failure_for(claims_with(name, time));
            EXPECT_EQ(failure.type, http::ProblemType::token_malformed) << name << " " << time;
            EXPECT_THAT(failure.detail, HasSubstr("must be a whole number of seconds"));
        }
    }
    for (auto name : {"exp", "iat", "auth_time"}) {
        EXPECT_THAT(failure_for(claims_without(name)).rule, HasSubstr(std::string(name) + " is required"));
    }
}

TEST(FirebaseTokens, IdentifyOneUser) {
    std::string longest;
    for (int i = 0; i < 128; ++i)
        longest += "é";
    EXPECT_EQ(accepted(claims_with("sub", longest))->subject, longest);
    for (boost::json::value subject :
         {boost::json::value(""), boost::json::value(longest + "x"), boost::json::value(nullptr),
          boost::json::value(5), boost::json::value("a\nb"), boost::json::value(std::string("a\0b", 3)),
          boost::json::value(std::string(129, 'x'))}) {
        EXPECT_EQ(failure_for(claims_with("sub", subject)).type, http::ProblemType::token_subject) << subject;
    }
    EXPECT_EQ(failure_for(claims_without("sub")).type, http::ProblemType::token_subject);
}

TEST(FirebaseTokens, HaveARoleOfOneWord) {
    EXPECT_EQ(accepted(claims_with("role", std::string(64, 'r')))->role, std::string(64, 'r'));
    EXPECT_EQ(accepted(claims_with("roles", boost::json::array{"admin"}))->role, "registrar");
    for (boost::json::value role :
         {boost::json::value(std::string(65, 'r')), boost::json::value(boost::json::array{"admin"}),
          boost::json::value(5), boost::json::value(nullptr), boost::json::value("church admin"),
          boost::json::value("admin\n"),
          boost::json::value("\xD0\xB0"
                             "dmin")}) {
        EXPECT_EQ(failure_for(claims_with("role", role)).type, http::ProblemType::token_role) << role;
    }
}

TEST(FirebaseTokens, OmitDisplayTextWithControlCharacters) {
    EXPECT_EQ(accepted(claims_with("name", "Ann\r\nX-Role: admin"))->name, "");
    EXPECT_EQ(accepted(claims_with("email", 5))->email, "");
    EXPECT_FALSE(accepted(claims_with("email_verified", "true"))->email_verified);
}

TEST(FirebaseTokens, ReportUnknownKeys) {
    auto result = verify(crypto::sign_jwt(claims(), "key-9", signing_key(0)));
    ASSERT_TRUE(std::holds_alternative<UnknownKey>(result));
    EXPECT_EQ(std::get<UnknownKey>(result).key_id, "key-9");
}

TEST(FirebaseTokens, CauseNoKeyFetchWhenTheyAreRefusedAnyway) {
    EXPECT_EQ(verify_failure(crypto::sign_jwt(claims_with("exp", 1), "key-9", signing_key(0))).type,
              http::ProblemType::token_expired);
    EXPECT_EQ(verify_failure(crypto::sign_jwt(claims_with("aud", "x"), "key-9", signing_key(0))).type,
              http::ProblemType::token_audience);
}

TEST(FirebaseTokens, AreRefusedAfterTheirCertificateHasExpired) {
    auto keys = signing_keys();
    keys.all[0].not_after = from_unix_seconds(now_seconds - 1);
    auto result = verify_firebase_token(token(), keys, projects(), {}, from_unix_seconds(now_seconds));
    ASSERT_TRUE(std::holds_alternative<AuthFailure>(result));
    EXPECT_EQ(std::get<AuthFailure>(result).type, http::ProblemType::token_unknown_key);
}

TEST(SanitizeForLog, ReplacesUnsafeBytesAndTruncates) {
    EXPECT_EQ(sanitize_for_log("plain é"), "plain é");
    EXPECT_EQ(sanitize_for_log("a\nb\x7F\x80\xC3"), "a?b???");
    auto cut = sanitize_for_log(std::string(1'000, 'x'));
    EXPECT_EQ(cut.size(), 131u);
    EXPECT_TRUE(cut.starts_with(std::string(128, 'x')) && cut.ends_with("..."));
}

}  // namespace
}  // namespace integreat::identity
