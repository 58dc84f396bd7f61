// SPDX-License-Identifier: Apache-2.0
#include "identity/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/concurrency/periodic_task.h"
#include "crypto/system_random.h"
#include "identity/api_keys/api_keys.h"
#include "identity/testing/token_fixture.h"
#include "identity/tokens/remote_jwks.h"
#include "postgres/testing/test_databases.h"

namespace integreat::identity {
namespace {

using namespace identity::testing;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

class IdentityTest : public ::testing::Test {
protected:
    IdentityTest() { client.response = make_keys_response(x509_map({{"key-0", 0}})); }

    AuthResult identify(std::string_view authorization, bool may_block = true) {
        return identity.identify(authorization, configured_projects, may_block, clock.monotonic() + 10s);
    }
    std::string outcome(std::string_view authorization, bool may_block = true) {
        auto result = identify(authorization, may_block);
        if (auto* failure = std::get_if<AuthFailure>(&result))
            return std::string(http::to_slug(failure->type));
        if (std::holds_alternative<WouldBlock>(result)) return "would block";
        auto principal = std::get<std::shared_ptr<const Principal>>(result);
        return principal ? principal->tenant.text + "/" + principal->subject : "anonymous";
    }
    AuthFailure denial(std::string_view authorization) {
        auto result = identify(authorization);
        return std::holds_alternative<AuthFailure>(result) ? std::get<AuthFailure>(result)
                                                           : AuthFailure{.type = http::ProblemType::internal};
    }

    FixedClock clock;
    FakeHttpClient client;
    Projects configured_projects = projects();
    static const postgres::testing::TestDatabase& database() {
        static const auto made = postgres::testing::fresh_database();
        return made;
    }
    postgres::Pool pool{database().pool, clock};
    RemoteJwks keys{{.url = "https://keys.example/x509"}, client, clock};
    ApiKeys api_keys{pool, clock};
    Identity identity{keys, api_keys, clock, {}};
    std::string bearer = "Bearer " + token();
};

TEST_F(IdentityTest, AuthenticatesAnonymousCallersUsersAndServers) {
    EXPECT_EQ(outcome("", false), "anonymous");
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    crypto::SystemRandom random;  // Keys of other runs may be in the same database.
    auto issued =
        create_api_key(pool, {.tenant = {"teleo"}, .name = "import"}, clock, random, Monotonic::max());
    ASSERT_TRUE(issued);
    EXPECT_EQ(outcome("Bearer " + issued->key.reveal(), false), "would block");
    EXPECT_EQ(outcome("Bearer " + issued->key.reveal()), "teleo/" + issued->row.id);
    EXPECT_EQ(outcome("Bearer itg_nonsense"), "api-key-malformed");
}

TEST_F(IdentityTest, ParsesTheSchemeInAnyCaseAndExactlyOneToken) {
    for (std::string scheme : {"bearer ", "BEARER ", "bEaReR   "}) {
        EXPECT_EQ(outcome(scheme + token()), "campus/dOAPann") << scheme;
    }
    const std::vector<std::string> headers{
        std::string("Bearer"), std::string("Bearer "),   std::string(" "),    token(),
        "Bearer\t" + token(),  "Bearer" + token(),       " " + bearer,        bearer + " ",
        bearer + " x",         bearer + "," + bearer,    bearer + "\r\nX: y", "Bearer \"" + token() + "\"",
        "Bearer \xC3\xA9",     "Basic YW5uOnNlY3JldA==", "Digest " + token(), std::string("Bearer a\0b", 10)};
    for (const auto& header : headers) {
        EXPECT_EQ(outcome(header), "authorization-malformed") << header;
    }
}

TEST_F(IdentityTest, NeverLogsCredentialsOfAnotherScheme) {
    auto failure = denial("Basic YW5uOnNlY3JldA==");
    EXPECT_THAT(failure.facts, Contains(Pair("scheme", "Basic")));
    for (const auto& [name, value] : failure.facts)
        EXPECT_THAT(value, ::testing::Not(HasSubstr("YW5u")));
}

TEST_F(IdentityTest, FetchesKeysOnceAndThenNeverBlocks) {
    EXPECT_EQ(outcome(bearer, false), "would block");
    EXPECT_EQ(client.fetches, 0);
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(outcome(bearer, false), "campus/dOAPann");
    EXPECT_EQ(outcome("Bearer " + token(claims_with("sub", "bob")), false), "campus/bob");
    EXPECT_EQ(client.fetches, 1);
}

TEST_F(IdentityTest, ReturnsTheSamePrincipalForACachedToken) {
    auto first = std::get<std::shared_ptr<const Principal>>(identify(bearer));
    EXPECT_EQ(std::get<std::shared_ptr<const Principal>>(identify(bearer)), first);
}

TEST_F(IdentityTest, RefusesACachedTokenOnceItHasExpired) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    clock.advance(3'550s + 29s);
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");  // Within the skew: verified anew.
    clock.advance(1s);
    EXPECT_EQ(outcome(bearer), "token-expired");
}

TEST_F(IdentityTest, RefusesACachedTokenOnceItsKeyIsGone) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    client.response = make_keys_response(x509_map({{"key-1", 1}}));
    clock.advance(2'700s);
    EXPECT_TRUE(keys.refresh_due());
    auto failure = denial(bearer);
    EXPECT_EQ(failure.type, http::ProblemType::token_unknown_key);
    EXPECT_THAT(failure.facts, Contains(Pair("kid", "key-0")));
    EXPECT_THAT(failure.facts, Contains(Pair("known", "key-1")));
}

TEST_F(IdentityTest, RefusesACachedTokenOnceItsProjectIsGone) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    configured_projects.all.erase(configured_projects.all.begin());
    configured_projects.generation = 2;
    EXPECT_EQ(outcome(bearer), "token-audience");
}

TEST_F(IdentityTest, FollowsAProjectThatAReloadMovedToAnotherTenant) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    configured_projects.all[0].tenant = {"pillars"};
    configured_projects.generation = 2;
    EXPECT_EQ(outcome(bearer), "pillars/dOAPann");
}

TEST_F(IdentityTest, AcceptsANewlyPublishedKey) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    auto fresh = "Bearer " + crypto::sign_jwt(claims(), "key-1", signing_key(1));
    EXPECT_EQ(outcome(fresh), "token-unknown-key");  // The key set is too recent for another fetch.
    client.response = make_keys_response(x509_map({{"key-0", 0}, {"key-1", 1}}));
    clock.advance(30s);
    EXPECT_EQ(outcome(fresh, false), "would block");
    EXPECT_EQ(outcome(fresh), "campus/dOAPann");
    EXPECT_EQ(client.fetches, 2);
}

TEST_F(IdentityTest, LimitsFetchesDuringAFloodOfUnknownKeys) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    for (int second = 0; second < 120; ++second) {
        clock.advance(1s);
        for (int i = 0; i < 5; ++i) {
            auto stray = "Bearer " + signed_text(R"({"alg":"RS256","kid":")" + std::to_string(i) + "\"}",
                                                 boost::json::serialize(claims()));
            EXPECT_EQ(outcome(stray), "token-unknown-key");
        }
    }
    EXPECT_LE(client.fetches, 5);  // One at first, then one every thirty seconds.
}

TEST_F(IdentityTest, IsUnavailableWithoutKeysAndReportsTheCause) {
    client.response = Error{Fault::unavailable, "no answer", "not_sent: connection failure"};
    auto failure = denial(bearer);
    EXPECT_EQ(failure.status(), 503);
    EXPECT_EQ(failure.type, http::ProblemType::identity_unavailable);
    EXPECT_THAT(failure.facts, Contains(Pair("last_error", HasSubstr("connection failure"))));
    EXPECT_EQ(outcome(bearer, false), "identity-unavailable");  // A pause between two fetches.
    EXPECT_EQ(outcome("Bearer " + token(claims_with("exp", 1))), "token-expired");
    EXPECT_EQ(outcome("", false), "anonymous");
}

TEST_F(IdentityTest, KeepsAuthenticatingWhileKeysCannotBeFetched) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    client.response = http::FullResponse{.status = 500};
    clock.advance(3'000s);
    EXPECT_TRUE(keys.refresh_due());
    EXPECT_EQ(outcome("Bearer " + token(claims_with("sub", "bob")), false), "campus/bob");
}

TEST(PeriodicTaskTest, CallsRepeatedlyUntilDestruction) {
    std::atomic<int> calls{0};
    {
        PeriodicTask task(1ms, [&] {
            if (++calls == 2) throw std::bad_alloc();
            calls.notify_all();
        });
        for (int count = calls; count < 4; count = calls)
            calls.wait(count);
    }
    int final_calls = calls;
    EXPECT_GE(final_calls, 4);
}

TEST(PeriodicTaskTest, StopsAtOnceDuringALongInterval) {
    std::atomic<bool> called{false};
    PeriodicTask task(1h, [&] { called = true, called.notify_all(); });
    called.wait(false);
}

}  // namespace
}  // namespace integreat::identity
