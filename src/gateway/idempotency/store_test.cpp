// SPDX-License-Identifier: Apache-2.0
#include "gateway/idempotency/store.h"

#include <thread>

#include <gtest/gtest.h>

#include "postgres/testing/test_databases.h"

namespace integreat::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct IdempotencyStoreTest : ::testing::Test {
    postgres::testing::TestDatabase database = postgres::testing::fresh_database({"campus"});
    FixedClock clock;
    TenantId tenant{"campus"};
    postgres::Pool pool{database.pool, clock};
    Monotonic deadline = Monotonic::max();
    IdempotencyKey key{{"campus"}, "user ada", "key-1", std::string("\x00\x01", 2)};
    StoredResponse response{
        201, {{"Content-Type", "application/json"}, {"X", ""}}, std::string("a\0\xff", 3)};

    // Executes a request in a transaction and returns its claim; the first one stores the response.
    Result<Claim> request(const IdempotencyKey& with, seconds lifetime = response_lifetime) {
        auto transaction = TRY(pool.begin(tenant, deadline));
        auto claim = TRY(claim_in_transaction(transaction, with));
        if (!std::holds_alternative<Claimed>(claim)) return claim;
        TRY(store_in_transaction(transaction, with, response, lifetime));
        TRY(transaction.commit());
        return claim;
    }
};

template <class Expected>
bool is(const Result<Claim>& claim) {
    if (!claim) ADD_FAILURE() << claim.error().cause;
    return claim && std::holds_alternative<Expected>(*claim);
}

TEST_F(IdempotencyStoreTest, ReplaysByteForByte) {
    ASSERT_TRUE(is<Claimed>(request(key)));
    auto again = request(key);
    ASSERT_TRUE(is<Replay>(again));
    const auto& replayed = std::get<Replay>(*again).response;
    EXPECT_EQ(replayed.status, 201);
    EXPECT_EQ(replayed.headers, response.headers);
    EXPECT_EQ(replayed.body, response.body);
}

TEST_F(IdempotencyStoreTest, RejectsTheKeyForAnotherRequest) {
    ASSERT_TRUE(is<Claimed>(request(key)));
    key.fingerprint = "another";
    EXPECT_TRUE(is<Mismatch>(request(key)));
}

TEST_F(IdempotencyStoreTest, SeparatesTenantsAndPrincipals) {
    ASSERT_TRUE(is<Claimed>(request(key)));
    auto other = key;
    other.principal = "user bob";
    EXPECT_TRUE(is<Claimed>(request(other)));
    other = key;
    other.tenant = {"teleo"};
    EXPECT_TRUE(is<Claimed>(request(other)));
}

TEST_F(IdempotencyStoreTest, ReportsThatAnotherRequestIsInProgress) {
    auto first = *pool.begin(tenant);
    ASSERT_TRUE(is<Claimed>(claim_in_transaction(first, key)));
    EXPECT_TRUE(is<InProgress>(request(key)));
    ASSERT_TRUE(store_in_transaction(first, key, response));
    EXPECT_TRUE(is<InProgress>(request(key)));
    ASSERT_TRUE(first.commit());
    EXPECT_TRUE(is<Replay>(request(key)));
}

TEST_F(IdempotencyStoreTest, StoresNothingOfATransactionThatFails) {
    {
        auto failing = *pool.begin(tenant);
        ASSERT_TRUE(is<Claimed>(claim_in_transaction(failing, key)));
        ASSERT_TRUE(store_in_transaction(failing, key, response));
    }
    EXPECT_TRUE(is<Claimed>(request(key)));
}

TEST_F(IdempotencyStoreTest, LetsOneOfManyConcurrentRequestsDoTheWork) {
    std::atomic<int> done{0}, others{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 10; ++j) {
                auto claim = request(key);
                if (claim && std::holds_alternative<Claimed>(*claim)) ++done;
                if (claim && !std::holds_alternative<Claimed>(*claim)) ++others;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(others, 79);
}

TEST_F(IdempotencyStoreTest, ForgetsExpiredResponses) {
    ASSERT_TRUE(is<Claimed>(request(key, seconds(-1))));
    EXPECT_TRUE(is<Claimed>(request(key)));
    EXPECT_TRUE(is<Replay>(request(key)));
    key.key = "old";
    ASSERT_TRUE(is<Claimed>(request(key, seconds(-1))));
    EXPECT_EQ(*purge_idempotency_keys(pool, deadline), 1u);
    EXPECT_EQ(*purge_idempotency_keys(pool, deadline), 0u);
}

TEST_F(IdempotencyStoreTest, RejectsKeysAndBodiesBeyondTheirLimits) {
    auto wrong = key;
    wrong.key = std::string(256, 'k');
    EXPECT_EQ(request(wrong).error().fault, Fault::invalid);
    wrong.key = "";
    EXPECT_EQ(request(wrong).error().fault, Fault::invalid);
    response.body.assign(stored_body_bytes_max + 1, 'b');
    EXPECT_EQ(request(key).error().fault, Fault::exhausted);
}

TEST_F(IdempotencyStoreTest, CompletesALeaseForReplay) {
    auto claimed = claim(pool, key, {}, deadline);
    ASSERT_TRUE(is<Claimed>(claimed));
    EXPECT_TRUE(is<InProgress>(claim(pool, key, {}, deadline)));
    EXPECT_TRUE(is<InProgress>(request(key)));
    ASSERT_TRUE(complete(pool, key, std::get<Claimed>(*claimed), response, deadline));
    auto again = claim(pool, key, {}, deadline);
    ASSERT_TRUE(is<Replay>(again));
    EXPECT_EQ(std::get<Replay>(*again).response.body, response.body);
    EXPECT_EQ(complete(pool, key, std::get<Claimed>(*claimed), response, deadline).error().fault,
              Fault::conflict);
}

TEST_F(IdempotencyStoreTest, FreesTheKeyWhenNoRequestWasSent) {
    auto claimed = claim(pool, key, {}, deadline);
    ASSERT_TRUE(is<Claimed>(claimed));
    ASSERT_TRUE(release(pool, key, std::get<Claimed>(*claimed), deadline));
    EXPECT_TRUE(is<Claimed>(claim(pool, key, {}, deadline)));
}

TEST_F(IdempotencyStoreTest, ReportsALeaseWithoutOutcomeAndAllowsATakeOverOnRequest) {
    Lease over{.duration = milliseconds(-1)};
    auto first = claim(pool, key, over, deadline);
    ASSERT_TRUE(is<Claimed>(first));
    EXPECT_TRUE(is<Interrupted>(claim(pool, key, {}, deadline)));
    EXPECT_TRUE(is<Interrupted>(request(key)));
    auto second = claim(pool, key, {.take_over = true}, deadline);
    ASSERT_TRUE(is<Claimed>(second));
    // The first request returns after its lease has expired.
    EXPECT_EQ(complete(pool, key, std::get<Claimed>(*first), response, deadline).error().fault,
              Fault::conflict);
    ASSERT_TRUE(release(pool, key, std::get<Claimed>(*first), deadline));
    EXPECT_TRUE(is<InProgress>(claim(pool, key, {}, deadline)));
    EXPECT_TRUE(complete(pool, key, std::get<Claimed>(*second), response, deadline));
}

}  // namespace
}  // namespace integreat::gateway
