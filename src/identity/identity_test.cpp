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
    IdentityTest() { outbound.answer = keys_reply(x509_map({{"key-0", 0}})); }

    Verdict identify(std::string_view authorization, bool may_wait = true) {
        return identity.identify(authorization, known, may_wait, clock.monotonic() + 10s);
    }
    std::string outcome(std::string_view authorization, bool may_wait = true) {
        auto verdict = identify(authorization, may_wait);
        if (auto* denial = std::get_if<Denial>(&verdict)) return denial->type;
        if (std::holds_alternative<MustWait>(verdict)) return "must wait";
        auto principal = std::get<std::shared_ptr<const Principal>>(verdict);
        return principal ? principal->tenant.text + "/" + principal->subject : "anonymous";
    }
    Denial denial(std::string_view authorization) {
        auto verdict = identify(authorization);
        return std::holds_alternative<Denial>(verdict) ? std::get<Denial>(verdict)
                                                       : Denial{.type = "accepted"};
    }

    FixedClock clock;
    ScriptedOutbound outbound;
    Projects known = projects();
    static const postgres::testing::TestDatabase& database() {
        static const auto made = postgres::testing::fresh_database();
        return made;
    }
    postgres::Pool pool{database().pool, clock};
    KeySet keys{{.url = "https://keys.example/x509"}, outbound, clock};
    ApiKeys api_keys{pool, clock};
    Identity identity{keys, api_keys, clock, {}};
    std::string bearer = "Bearer " + token();
};

TEST_F(IdentityTest, KnowsAnonymousCallersUsersAndServers) {
    EXPECT_EQ(outcome("", false), "anonymous");
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    crypto::SystemRandom random;  // Keys of other runs may be in the same database.
    auto issued =
        create_api_key(pool, {.tenant = {"teleo"}, .name = "import"}, clock, random, Monotonic::max());
    ASSERT_TRUE(issued);
    EXPECT_EQ(outcome("Bearer " + issued->key.reveal(), false), "must wait");
    EXPECT_EQ(outcome("Bearer " + issued->key.reveal()), "teleo/" + issued->row.id);
    EXPECT_EQ(outcome("Bearer itg_nonsense"), "api-key-malformed");
}

TEST_F(IdentityTest, ReadsTheSchemeInAnyCaseAndExactlyOneToken) {
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

TEST_F(IdentityTest, NeverRepeatsAPasswordThatCameWithAnotherScheme) {
    auto refused = denial("Basic YW5uOnNlY3JldA==");
    EXPECT_THAT(refused.facts, Contains(Pair("scheme", "Basic")));
    for (const auto& [name, value] : refused.facts)
        EXPECT_THAT(value, ::testing::Not(HasSubstr("YW5u")));
}

TEST_F(IdentityTest, FetchesKeysOnceAndThenWaitsForNothing) {
    EXPECT_EQ(outcome(bearer, false), "must wait");
    EXPECT_EQ(outbound.fetches, 0);
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(outcome(bearer, false), "campus/dOAPann");
    EXPECT_EQ(outcome("Bearer " + token(claims_with("sub", "bob")), false), "campus/bob");
    EXPECT_EQ(outbound.fetches, 1);
}

TEST_F(IdentityTest, HandsOutTheSamePrincipalForACachedToken) {
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
    outbound.answer = keys_reply(x509_map({{"key-1", 1}}));
    clock.advance(2'700s);
    EXPECT_TRUE(keys.refresh_due());
    auto refused = denial(bearer);
    EXPECT_EQ(refused.type, "token-unknown-key");
    EXPECT_THAT(refused.facts, Contains(Pair("kid", "key-0")));
    EXPECT_THAT(refused.facts, Contains(Pair("known", "key-1")));
}

TEST_F(IdentityTest, RefusesACachedTokenOnceItsProjectIsGone) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    known.all.erase(known.all.begin());
    known.generation = 2;
    EXPECT_EQ(outcome(bearer), "token-audience");
}

TEST_F(IdentityTest, FindsAProjectThatAReloadGaveToAnotherTenant) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    known.all[0].tenant = {"pillars"};
    known.generation = 2;
    EXPECT_EQ(outcome(bearer), "pillars/dOAPann");
}

TEST_F(IdentityTest, AcceptsAKeyThatWasJustPublished) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    auto fresh = "Bearer " + crypto::sign_jwt(claims(), "key-1", signing_key(1));
    EXPECT_EQ(outcome(fresh), "token-unknown-key");  // The set is a moment old: no fetch for this.
    outbound.answer = keys_reply(x509_map({{"key-0", 0}, {"key-1", 1}}));
    clock.advance(30s);
    EXPECT_EQ(outcome(fresh, false), "must wait");
    EXPECT_EQ(outcome(fresh), "campus/dOAPann");
    EXPECT_EQ(outbound.fetches, 2);
}

TEST_F(IdentityTest, FetchesLittleInAStormOfUnknownKeys) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    for (int second = 0; second < 120; ++second) {
        clock.advance(1s);
        for (int i = 0; i < 5; ++i) {
            auto stray = "Bearer " + signed_text(R"({"alg":"RS256","kid":")" + std::to_string(i) + "\"}",
                                                 boost::json::serialize(claims()));
            EXPECT_EQ(outcome(stray), "token-unknown-key");
        }
    }
    EXPECT_LE(outbound.fetches, 5);  // One at first, then one in thirty seconds.
}

TEST_F(IdentityTest, IsUnavailableWithoutKeysAndSaysWhy) {
    outbound.answer = Error{Fault::unavailable, "no answer", "not_sent: connection refused"};
    auto refused = denial(bearer);
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.type, "identity-unavailable");
    EXPECT_THAT(refused.facts, Contains(Pair("last_error", HasSubstr("connection refused"))));
    EXPECT_EQ(outcome(bearer, false), "identity-unavailable");  // A pause between two tries.
    EXPECT_EQ(outcome("Bearer " + token(claims_with("exp", 1))), "token-expired");
    EXPECT_EQ(outcome("", false), "anonymous");
}

TEST_F(IdentityTest, KeepsIdentifyingWhileKeysCannotBeFetched) {
    EXPECT_EQ(outcome(bearer), "campus/dOAPann");
    outbound.answer = http::Reply{.status = 500};
    clock.advance(3'000s);
    EXPECT_TRUE(keys.refresh_due());
    EXPECT_EQ(outcome("Bearer " + token(claims_with("sub", "bob")), false), "campus/bob");
}

TEST(RepeatingTest, CallsAgainAndAgainUntilItGoes) {
    std::atomic<int> calls{0};
    {
        Repeating repeating(1ms, [&] {
            if (++calls == 2) throw std::bad_alloc();
            calls.notify_all();
        });
        for (int seen = calls; seen < 4; seen = calls)
            calls.wait(seen);
    }
    int ended_with = calls;
    EXPECT_GE(ended_with, 4);
}

TEST(RepeatingTest, EndsAtOnceWhateverThePause) {
    std::atomic<bool> called{false};
    Repeating repeating(1h, [&] { called = true, called.notify_all(); });
    called.wait(false);
}

}  // namespace
}  // namespace integreat::identity
