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

    IssuedApiKey create(NewApiKey request = {
                            .tenant = {"campus"}, .name = "import", .scopes = {"email:send"}}) {
        auto issued = create_api_key(pool, request, clock, random, Monotonic::max());
        EXPECT_TRUE(issued);
        return *std::move(issued);
    }
    std::string refusal(const NewApiKey& request) {
        auto issued = create_api_key(pool, request, clock, random, Monotonic::max());
        return issued ? "created" : issued.error().message;
    }
    void revoke(const IssuedApiKey& issued) {
        ASSERT_TRUE(
            identity::revoke_api_key(pool, issued.row.tenant, issued.row.id, clock.now(), Monotonic::max()));
    }
    AuthResult identify(const Secret& key, bool may_block = true) {
        return keys.identify(key.reveal(), may_block, clock.monotonic() + 10s);
    }
    std::string outcome(const Secret& key, bool may_block = true) {
        auto result = identify(key, may_block);
        if (auto* failure = std::get_if<AuthFailure>(&result))
            return std::string(http::to_slug(failure->type));
        return std::holds_alternative<WouldBlock>(result) ? "would block" : "accepted";
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

    // All tests share the database: creating one takes longer than emptying it.
    static const postgres::testing::TestDatabase& database() {
        static const auto made = postgres::testing::fresh_database();
        return made;
    }
    inline static FixedRandom random{1};
    FixedClock clock;
    postgres::Pool pool{database().pool, clock};
    ApiKeys keys{pool, clock};
};

TEST_F(ApiKeysTest, IdentifyTheCaller) {
    auto issued = create();
    auto result = identify(issued.key);
    ASSERT_TRUE(std::holds_alternative<std::shared_ptr<const Principal>>(result));
    const auto& principal = *std::get<std::shared_ptr<const Principal>>(result);
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
    EXPECT_EQ(row.hash, hash_api_key(whole));
    EXPECT_EQ(row.hash.find(whole.substr(13, 10)), std::string::npos);
    EXPECT_THAT(row.id, ::testing::StartsWith("key_"));
}

TEST_F(ApiKeysTest, BlockOnlyForTheFirstLookup) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key, false), "would block");
    EXPECT_EQ(outcome(issued.key), "accepted");
    EXPECT_EQ(outcome(issued.key, false), "accepted");
    clock.advance(901ms);
    EXPECT_EQ(outcome(issued.key, false), "would block");
}

TEST_F(ApiKeysTest, AreValidAtOnceAlsoWhenCreatedByAnotherProcess) {
    postgres::Pool other_pool{database().pool, clock};
    ApiKeys other{other_pool, clock};
    auto first = create();
    auto identify_by_other = [&](const Secret& key, bool may_block) {
        return other.identify(key.reveal(), may_block, clock.monotonic() + 10s).index();
    };
    auto accepted = identify(first.key).index();
    EXPECT_EQ(identify_by_other(first.key, true), accepted);
    auto second = create();  // Both caches are fresh and do not contain it.
    EXPECT_EQ(outcome(second.key, false), "would block");
    EXPECT_EQ(outcome(first.key, false), "accepted");
    EXPECT_EQ(outcome(second.key), "accepted");
    EXPECT_EQ(identify_by_other(second.key, true), accepted);
    EXPECT_EQ(identify_by_other(second.key, false), accepted);
    auto third = create();
    EXPECT_EQ(outcome(third.key), "accepted");
}

TEST_F(ApiKeysTest, ThatAreUnknownCauseAtMostTenPollsPerSecond) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key), "accepted");
    for (int i = 0; i < 10; ++i) {
        auto unknown = generate_api_key_text(random);
        EXPECT_EQ(outcome(unknown.whole, false), "would block");
        EXPECT_EQ(outcome(unknown.whole), "api-key-unknown");
    }
    EXPECT_EQ(outcome(generate_api_key_text(random).whole, false), "api-key-unknown");
    auto second = create();
    EXPECT_EQ(outcome(second.key, false), "api-key-unknown");  // The cache decides without a poll.
    clock.advance(100ms);
    EXPECT_EQ(outcome(second.key, false), "would block");
    EXPECT_EQ(outcome(second.key), "accepted");
    EXPECT_EQ(outcome(generate_api_key_text(random).whole, false), "api-key-unknown");
}

TEST_F(ApiKeysTest, ThatAreUnknownAreNotRefusedWhileTheDatabaseIsDown) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key), "accepted");
    as_superuser("ALTER TABLE integreat.api_keys RENAME TO hidden");
    EXPECT_EQ(outcome(generate_api_key_text(random).whole), "identity-unavailable");
    EXPECT_EQ(outcome(issued.key, false), "accepted");  // The cache is still valid.
    as_superuser("ALTER TABLE integreat.hidden RENAME TO api_keys");
}

TEST_F(ApiKeysTest, AreRefusedWithinASecondOfBeingRevokedElsewhere) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key), "accepted");
    revoke(issued);
    clock.advance(999ms);
    auto result = identify(issued.key);
    ASSERT_TRUE(std::holds_alternative<AuthFailure>(result));
    EXPECT_EQ(std::get<AuthFailure>(result).type, http::ProblemType::api_key_revoked);
    EXPECT_THAT(std::get<AuthFailure>(result).facts, Contains(Pair("key", issued.row.id)));
}

TEST_F(ApiKeysTest, ArePolledInTheBackgroundWhileInUse) {
    auto issued = create();
    EXPECT_FALSE(keys.poll_due());  // No key is in use: the database may sleep.
    EXPECT_EQ(outcome(issued.key), "accepted");
    EXPECT_FALSE(keys.poll_due());
    clock.advance(400ms);
    EXPECT_TRUE(keys.poll_due());
    auto second = create();
    revoke(issued);
    clock.advance(400ms);
    EXPECT_TRUE(keys.poll_due());
    EXPECT_EQ(outcome(issued.key, false), "api-key-revoked");
    EXPECT_EQ(outcome(second.key, false), "accepted");
    clock.advance(91s);
    EXPECT_FALSE(keys.poll_due());
    EXPECT_EQ(outcome(second.key, false), "would block");
}

TEST_F(ApiKeysTest, AreNotPolledForInvalidKeys) {
    EXPECT_EQ(outcome(generate_api_key_text(random).whole), "api-key-unknown");
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

TEST_F(ApiKeysTest, AreRefusedWithAWrongSecret) {
    auto issued = create();
    auto stolen_prefix =
        generate_api_key_text(random);  // A well-formed key that has the prefix but not the secret.
    ASSERT_TRUE(identity::insert_api_key(pool,
                                         {.id = "key_" + stolen_prefix.prefix,
                                          .tenant = {"campus"},
                                          .prefix = stolen_prefix.prefix,
                                          .hash = issued.row.hash,
                                          .name = "x",
                                          .created = clock.now()},
                                         Monotonic::max()));
    auto result = identify(stolen_prefix.whole);
    ASSERT_TRUE(std::holds_alternative<AuthFailure>(result));
    EXPECT_EQ(std::get<AuthFailure>(result).type, http::ProblemType::api_key_unknown);
    EXPECT_EQ(std::get<AuthFailure>(result).detail, "There is no such key.");
    EXPECT_THAT(std::get<AuthFailure>(result).rule, HasSubstr("hash"));
}

TEST_F(ApiKeysTest, RecordTheirUseAtMostOncePerMinute) {
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

TEST_F(ApiKeysTest, GetA503WhileTheDatabaseIsDownAndAreAcceptedAfterwards) {
    auto issued = create();
    EXPECT_EQ(outcome(issued.key), "accepted");
    as_superuser("ALTER TABLE integreat.api_keys RENAME TO hidden");
    clock.advance(901ms);
    auto result = identify(issued.key);
    ASSERT_TRUE(std::holds_alternative<AuthFailure>(result));
    EXPECT_EQ(std::get<AuthFailure>(result).status(), 503);
    EXPECT_EQ(std::get<AuthFailure>(result).type, http::ProblemType::identity_unavailable);
    EXPECT_THAT(std::get<AuthFailure>(result).facts, Contains(Pair("last_error", HasSubstr("api_keys"))));
    as_superuser("ALTER TABLE integreat.hidden RENAME TO api_keys");
    EXPECT_EQ(outcome(issued.key, false), "identity-unavailable");  // A pause between two polls.
    EXPECT_FALSE(keys.poll_due());
    clock.advance(250ms);
    EXPECT_EQ(outcome(issued.key, false), "would block");
    EXPECT_EQ(outcome(issued.key), "accepted");
    EXPECT_EQ(keys.identify(issued.key.reveal(), true, clock.monotonic() - 1s).index(), 0u);
    clock.advance(901ms);
    auto expired = keys.identify(issued.key.reveal(), true, clock.monotonic());
    EXPECT_EQ(std::get<AuthFailure>(expired).type, http::ProblemType::identity_unavailable);
}

TEST_F(ApiKeysTest, AreReadOnceForAllWaitingCallers) {
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

TEST_F(ApiKeysTest, AreValidatedBeforeCreation) {
    NewApiKey good{
        .tenant = {"campus"}, .name = std::string(100, 'n'), .scopes = {"a", "email:send", "x_1.*-y"}};
    EXPECT_EQ(refusal(good), "created");
    auto request = good;
    for (std::string name : {std::string(), std::string(101, 'n'), std::string("a\nb")}) {
        request.name = name;
        EXPECT_EQ(refusal(request), "name must have 1 to 100 bytes and no control characters");
    }
    request = good;
    for (std::string scope : {"", "Email:send", "two words", "a,b", "\xC3\xA9"}) {
        request.scopes = {scope};
        EXPECT_THAT(refusal(request), HasSubstr("is not a scope")) << scope;
    }
    request.scopes = {std::string(65, 's')};
    EXPECT_THAT(refusal(request), HasSubstr("is not a scope"));
    request.scopes = std::vector<std::string>(21, "s");
    EXPECT_EQ(refusal(request), "a key has at most 20 scopes");
    request = good;
    request.expires = clock.now();
    EXPECT_THAT(refusal(request), HasSubstr("expires must be in the future"));
}

TEST_F(ApiKeysTest, AreLimitedTo100PerTenant) {
    std::vector<IssuedApiKey> issued;
    for (int i = 0; i < 100; ++i)
        issued.push_back(create({.tenant = {"pillars"}, .name = "one of 100"}));
    EXPECT_EQ(refusal({.tenant = {"pillars"}, .name = "one more"}),
              "pillars has 100 active API keys; revoke one that is no longer used");
    EXPECT_EQ(refusal({.tenant = {"teleo"}, .name = "another tenant's"}), "created");
    revoke(issued.front());
    EXPECT_EQ(refusal({.tenant = {"pillars"}, .name = "one more"}), "created");
}

}  // namespace
}  // namespace integreat::identity
