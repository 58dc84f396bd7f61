// SPDX-License-Identifier: Apache-2.0
// The cost of authentication. BareVerify is the minimum: OpenSSL alone, with the decoded parts. The target is
// VerifyNewToken <= 1.3 x BareVerify.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include "crypto/ids.h"
#include "crypto/system_random.h"
#include "identity/testing/token_fixture.h"
#include "identity/tokens/firebase_tokens.h"
#include "identity/tokens/token_cache.h"

namespace integreat::identity {
namespace {

using namespace identity::testing;

const std::string& test_token() {
    static const std::string made = token();
    return made;
}

void BareVerify(benchmark::State& state) {
    auto jwt = *crypto::parse_jwt(test_token());
    auto* key = signing_key().openssl();
    const auto* signature = reinterpret_cast<const unsigned char*>(jwt.signature.data());
    const auto* text = reinterpret_cast<const unsigned char*>(jwt.signing_input.data());
    for (auto _ : state) {
        auto* context = EVP_MD_CTX_new();
        ASSERT(EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key) == 1);
        ASSERT(EVP_DigestVerify(context, signature, jwt.signature.size(), text, jwt.signing_input.size()) ==
               1);
        EVP_MD_CTX_free(context);
    }
}
BENCHMARK(BareVerify);

void VerifySignature(benchmark::State& state) {
    auto jwt = *crypto::parse_jwt(test_token());
    auto key = signing_key().public_key();
    for (auto _ : state)
        ASSERT(key.verify_rs256(jwt.signing_input, jwt.signature));
}
BENCHMARK(VerifySignature);

void VerifyNewToken(benchmark::State& state) {
    auto keys = signing_keys();
    auto known = projects();
    auto now = from_unix_seconds(now_seconds);
    for (auto _ : state) {
        auto result = verify_firebase_token(test_token(), keys, known, {}, now);
        ASSERT(std::holds_alternative<std::shared_ptr<const Principal>>(result));
    }
}
BENCHMARK(VerifyNewToken);

void ParseToken(benchmark::State& state) {
    for (auto _ : state) {
        std::array<unsigned char, 8 * 1024> memory;
        boost::json::monotonic_resource storage(memory.data(), memory.size());
        benchmark::DoNotOptimize(crypto::parse_jwt(test_token(), {}, &storage));
    }
}
BENCHMARK(ParseToken);

void RefuseExpiredToken(benchmark::State& state) {
    auto keys = signing_keys();
    auto known = projects();
    auto late = from_unix_seconds(now_seconds + 10'000);
    for (auto _ : state)
        benchmark::DoNotOptimize(verify_firebase_token(test_token(), keys, known, {}, late));
}
BENCHMARK(RefuseExpiredToken);

// A cache for 10,000 tokens with 5,000 of 1 KB, looked up round-robin: too many for the CPU cache.
void FindInCache(benchmark::State& state) {
    static TokenCache cache(10'000);
    static std::vector<std::string> tokens;
    auto now = from_unix_seconds(now_seconds);
    TokenCacheVersion version{.keys = 1, .projects = 1};
    auto count = static_cast<std::size_t>(state.range(0));
    if (state.thread_index() == 0 && tokens.empty()) {
        FixedRandom random;
        for (std::size_t i = 0; i < 5'000; ++i) {
            tokens.push_back(crypto::random_token(random, 768));
            cache.insert(
                tokens.back(), version, now,
                std::make_shared<const Principal>(Principal{.expires = now + std::chrono::hours(1)}));
        }
    }
    std::size_t i = static_cast<std::size_t>(state.thread_index()) * 97;
    for (auto _ : state)
        benchmark::DoNotOptimize(cache.find(tokens[i++ % count], version, now));
}
BENCHMARK(FindInCache)->Arg(1)->Arg(5'000)->ThreadRange(1, 2);

void MakeUlid(benchmark::State& state) {
    FixedRandom random;
    for (auto _ : state) {
        benchmark::DoNotOptimize(crypto::make_ulid(Time(), random));
    }
}
BENCHMARK(MakeUlid);

}  // namespace
}  // namespace integreat::identity
