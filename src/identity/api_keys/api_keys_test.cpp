// SPDX-License-Identifier: Apache-2.0
#include "identity/api_keys/api_keys.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/api_keys/api_key_format.h"
#include "postgres/testing/test_databases.h"

namespace integreat::identity {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

class ApiKeysTest : public ::testing::Test {
protected:
    void SetUp() override { as_superuser("TRUNCATE integreat.api_keys"); }

    IssuedApiKey create(NewApiKey wanted = {
                            .tenant = {"campus"}, .name = "import", .scopes = {"email:send"}}) {
        auto issued = create_api_key(pool, wanted, clock, random, Monotonic::max());
        EXPECT_TRUE(issued);
        return *std::move(issued);
    }
    std::string refusal(const NewApiKey& wanted) {
        auto issued = create_api_key(pool, wanted, clock, random, Monotonic::max());
        return issued ? "created" : issued.error().message;
    }
    void revoke(const IssuedApiKey& issued) {
        ASSERT_TRUE(
            identity::revoke_api_key(pool, issued.row.tenant, issued.row.id, clock.now(), Monotonic::max()));
    }
    Verdict identify(const Secret& key, bool may_wait = true) {
        return keys.identify(key.reveal(), may_wait, clock.monotonic() + 10s);
    }
    std::string outcome(const Secret& key, bool may_wait = true) {
        auto verdict = identify(key, may_wait);
        if (auto* denial = std::get_if<Denial>(&verdict)) return denial->type;
        return std::holds_alternative<MustWait>(verdict) ? "must wait" : "accepted";
    }
    std::optional<Time> last_used(const IssuedApiKey& issued) {
        return (*identity::find_api_key(pool, issued.row.prefix, Monotonic::max()))->last_used;
    }
    void as_superuser(std::string_view sql) {
        auto settings = database().pool;
        settings.url = database().superuser_url;
        postgres::Pool superuser(settings, clock);
        ASSERT_TRUE(superuser.run(platform_tenant, Monotonic::max(), sql, {}));
    }

    // All tests share the database, which takes longer to make than to empty.
    static const postgres::testing::TestDatabase& database() {
        static const auto made = postgres::testing::fresh_database();
        return made;
    }
    inline static FixedRandom random{1};
    FixedClock clock;
    postgres::Pool pool{database().pool, clock};
    ApiKeys keys{pool, clock};
};

TEST_F(ApiKeysTest, TellWhoIsAsking) {
    auto issued = create();
    auto verdict = identify(issued.key);
    ASSERT_TRUE(std::holds_alternative<std::shared_ptr<const Principal>>(verdict));
    const auto& principal = *std::get<std::shared_ptr<const Principal>>(verdict);
    EXPECT_EQ(principal.kind, PrincipalKind::key);
    EXPECT_EQ(principal.tenant.text, "campus");
    EXPECT_EQ(principal.subject, issued.row.id);
    EXPECT_THAT(principal.scopes, ::testing::ElementsAre("email:send"));
    EXPECT_EQ(principal.name, "import");
    EXPECT_EQ(principal.role, "");
    EXPECT_EQ(principal.expires, Time::max());
}

TEST_F(ApiKeysTest, AreStoredAsHashesOnly) {
    auto issued = create();
    const auto& whole = issued.key.reveal();
    EXPECT_THAT(whole, ::testing::MatchesRegex("itg_[0-9A-Za-z]+_[0-9A-Za-z]+"));
    EXPECT_EQ(whole.size(), 62u);
    auto row = **identity::find_api_key(pool, issued.row.prefix, Monotonic::max());
    EXPECT_EQ(row.hash, hash_of_key_text(whole));
    EXPECT_EQ(row.hash.find(whole.substr(13, 10)), std::string::npos);
    EXPECT_THAT(row.id, ::testing::StartsWith("key_"));
}

TEST_F(ApiKeysTest, WaitOnlyForTheFirstLookUpAndThenForNothing) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key, false), "must wait");
    EXPECT_EQ(outcome(issued.key), "accepted");
    EXPECT_EQ(outcome(issued.key, false), "accepted");
    clock.advance(901ms);
    EXPECT_EQ(outcome(issued.key, false), "must wait");
}

TEST_F(ApiKeysTest, AreKnownAsSoonAsTheyHaveBeenMadeAlsoByAnotherProcess) {
    postgres::Pool other_pool{database().pool, clock};
    ApiKeys other{other_pool, clock};
    auto first = create();
    auto ask_other = [&](const Secret& key, bool may_wait) {
        return other.identify(key.reveal(), may_wait, clock.monotonic() + 10s).index();
    };
    auto accepted = identify(first.key).index();
    EXPECT_EQ(ask_other(first.key, true), accepted);
    auto second = create();  // Both memories are fresh, and without it.
    EXPECT_EQ(outcome(second.key, false), "must wait");
    EXPECT_EQ(outcome(first.key, false), "accepted");
    EXPECT_EQ(outcome(second.key), "accepted");
    EXPECT_EQ(ask_other(second.key, true), accepted);
    EXPECT_EQ(ask_other(second.key, false), accepted);
    auto third = create();
    EXPECT_EQ(outcome(third.key), "accepted");
}

TEST_F(ApiKeysTest, ThatAreUnknownCauseTenPollsASecondAtMost) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key), "accepted");
    for (int i = 0; i < 10; ++i) {
        auto unknown = make_key_text(random);
        EXPECT_EQ(outcome(unknown.whole, false), "must wait");
        EXPECT_EQ(outcome(unknown.whole), "api-key-unknown");
    }
    EXPECT_EQ(outcome(make_key_text(random).whole, false), "api-key-unknown");
    auto later = create();
    EXPECT_EQ(outcome(later.key, false), "api-key-unknown");  // Memory decides, and nobody waits.
    clock.advance(100ms);
    EXPECT_EQ(outcome(later.key, false), "must wait");
    EXPECT_EQ(outcome(later.key), "accepted");
    EXPECT_EQ(outcome(make_key_text(random).whole, false), "api-key-unknown");
}

TEST_F(ApiKeysTest, ThatAreUnknownAreNotRefusedWhileTheDatabaseDoesNotAnswer) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key), "accepted");
    as_superuser("ALTER TABLE integreat.api_keys RENAME TO hidden");
    EXPECT_EQ(outcome(make_key_text(random).whole), "identity-unavailable");
    EXPECT_EQ(outcome(issued.key, false), "accepted");  // It is still believed.
    as_superuser("ALTER TABLE integreat.hidden RENAME TO api_keys");
}

TEST_F(ApiKeysTest, AreRefusedWithinASecondOfBeingRevokedElsewhere) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key), "accepted");
    revoke(issued);
    clock.advance(999ms);
    auto verdict = identify(issued.key);
    ASSERT_TRUE(std::holds_alternative<Denial>(verdict));
    EXPECT_EQ(std::get<Denial>(verdict).type, "api-key-revoked");
    EXPECT_THAT(std::get<Denial>(verdict).facts, Contains(Pair("key", issued.row.id)));
}

TEST_F(ApiKeysTest, AreFollowedInTheBackgroundWhileInUse) {
    auto issued = create();
    EXPECT_FALSE(keys.poll_due());  // Nobody uses any: the database may sleep.
    EXPECT_EQ(outcome(issued.key), "accepted");
    EXPECT_FALSE(keys.poll_due());
    clock.advance(400ms);
    EXPECT_TRUE(keys.poll_due());
    auto later = create();
    revoke(issued);
    clock.advance(400ms);
    EXPECT_TRUE(keys.poll_due());
    EXPECT_EQ(outcome(issued.key, false), "api-key-revoked");
    EXPECT_EQ(outcome(later.key, false), "accepted");
    clock.advance(91s);
    EXPECT_FALSE(keys.poll_due());
    EXPECT_EQ(outcome(later.key, false), "must wait");
}

TEST_F(ApiKeysTest, AreNotKeptAwakeByKeysThatAreNotGood) {
    EXPECT_EQ(outcome(make_key_text(random).whole), "api-key-unknown");
    clock.advance(400ms);
    EXPECT_FALSE(keys.poll_due());
}

TEST_F(ApiKeysTest, Expire) {
    auto issued = create({.tenant = {"campus"}, .name = "short", .expires = clock.now() + 1s});
    EXPECT_EQ(outcome(issued.key), "accepted");
    clock.advance(999'999us);
    EXPECT_EQ(outcome(issued.key), "accepted");
    clock.advance(1us);
    EXPECT_EQ(outcome(issued.key), "api-key-expired");
}

TEST_F(ApiKeysTest, AreRefusedWhenTheSecretIsAnother) {
    auto issued = create();
    auto stolen_prefix = make_key_text(random);  // A well-formed key that has the prefix but not the secret.
    ASSERT_TRUE(identity::insert_api_key(pool,
                                         {.id = "key_" + stolen_prefix.prefix,
                                          .tenant = {"campus"},
                                          .prefix = stolen_prefix.prefix,
                                          .hash = issued.row.hash,
                                          .name = "x",
                                          .created = clock.now()},
                                         Monotonic::max()));
    auto verdict = identify(stolen_prefix.whole);
    ASSERT_TRUE(std::holds_alternative<Denial>(verdict));
    EXPECT_EQ(std::get<Denial>(verdict).type, "api-key-unknown");
    EXPECT_EQ(std::get<Denial>(verdict).detail, "There is no such key.");
    EXPECT_THAT(std::get<Denial>(verdict).rule, HasSubstr("hash"));
}

TEST_F(ApiKeysTest, NoteTheirUseOnceAMinuteAtMost) {
    auto issued = create();
    outcome(issued.key);
    auto first_use = clock.now();
    clock.advance(400ms);
    EXPECT_EQ(last_used(issued), std::nullopt);
    keys.poll_due();
    EXPECT_EQ(last_used(issued), first_use);
    for (int i = 0; i < 30; ++i) {
        clock.advance(1s);
        outcome(issued.key);
        keys.poll_due();
    }
    EXPECT_EQ(last_used(issued), first_use);
    auto last_use = clock.now();
    clock.advance(60s);
    keys.poll_due();
    EXPECT_EQ(last_used(issued), last_use);
}

TEST_F(ApiKeysTest, AreRefusedWithA503WhileTheDatabaseDoesNotAnswerAndThenAgainAccepted) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key), "accepted");
    as_superuser("ALTER TABLE integreat.api_keys RENAME TO hidden");
    clock.advance(901ms);
    auto verdict = identify(issued.key);
    ASSERT_TRUE(std::holds_alternative<Denial>(verdict));
    EXPECT_EQ(std::get<Denial>(verdict).status, 503);
    EXPECT_EQ(std::get<Denial>(verdict).type, "identity-unavailable");
    EXPECT_THAT(std::get<Denial>(verdict).facts, Contains(Pair("last_error", HasSubstr("api_keys"))));
    as_superuser("ALTER TABLE integreat.hidden RENAME TO api_keys");
    EXPECT_EQ(outcome(issued.key, false), "identity-unavailable");  // A pause between two tries.
    EXPECT_FALSE(keys.poll_due());
    clock.advance(250ms);
    EXPECT_EQ(outcome(issued.key, false), "must wait");
    EXPECT_EQ(outcome(issued.key), "accepted");
    EXPECT_EQ(keys.identify(issued.key.reveal(), true, clock.monotonic() - 1s).index(), 0u);
    clock.advance(901ms);
    auto late = keys.identify(issued.key.reveal(), true, clock.monotonic());
    EXPECT_EQ(std::get<Denial>(late).type, "identity-unavailable");
}

TEST_F(ApiKeysTest, ReadOnceForAllWhoWait) {
    auto issued = create();
    std::atomic<int> accepted{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] { accepted += outcome(issued.key) == "accepted"; });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(accepted, 8);
}

TEST_F(ApiKeysTest, AreCheckedBeforeTheyAreMade) {
    NewApiKey good{
        .tenant = {"campus"}, .name = std::string(100, 'n'), .scopes = {"a", "email:send", "x_1.*-y"}};
    EXPECT_EQ(refusal(good), "created");
    auto wanted = good;
    for (std::string name : {std::string(), std::string(101, 'n'), std::string("a\nb")}) {
        wanted.name = name;
        EXPECT_EQ(refusal(wanted), "name must have 1 to 100 bytes and no control characters");
    }
    wanted = good;
    for (std::string scope : {"", "Email:send", "two words", "a,b", "\xC3\xA9"}) {
        wanted.scopes = {scope};
        EXPECT_THAT(refusal(wanted), HasSubstr("is not a scope")) << scope;
    }
    wanted.scopes = {std::string(65, 's')};
    EXPECT_THAT(refusal(wanted), HasSubstr("is not a scope"));
    wanted.scopes = std::vector<std::string>(21, "s");
    EXPECT_EQ(refusal(wanted), "a key has at most 20 scopes");
    wanted = good;
    wanted.expires = clock.now();
    EXPECT_THAT(refusal(wanted), HasSubstr("expires must lie in the future"));
}

TEST_F(ApiKeysTest, AreAHundredPerTenantAtMost) {
    std::vector<IssuedApiKey> issued;
    for (int i = 0; i < 100; ++i)
        issued.push_back(create({.tenant = {"pillars"}, .name = "one of many"}));
    EXPECT_EQ(refusal({.tenant = {"pillars"}, .name = "one more"}),
              "pillars has 100 API keys in force; revoke one that is not used any more");
    EXPECT_EQ(refusal({.tenant = {"teleo"}, .name = "another tenant's"}), "created");
    revoke(issued.front());
    EXPECT_EQ(refusal({.tenant = {"pillars"}, .name = "one more"}), "created");
}

}  // namespace
}  // namespace integreat::identity
