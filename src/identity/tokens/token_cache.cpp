// SPDX-License-Identifier: Apache-2.0
#include "identity/tokens/token_cache.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <string>

namespace integreat::identity {

namespace {

constexpr std::size_t ways = 8;
constexpr std::uint8_t max_uses = 7;
constexpr std::size_t min_token_bytes = 32;

// Hashes the end of the token, which is the end of an RSA signature: as good as random, and not under the
// control of anyone without the signing key. Sixteen of its characters suffice.
std::uint64_t hash_token(std::string_view token) {
    std::uint64_t left, right;
    const char* tail = token.data() + token.size() - 20;
    std::memcpy(&left, tail, sizeof left);
    std::memcpy(&right, tail + sizeof left, sizeof right);
    std::uint64_t mixed = (left ^ (right << 31 | right >> 33)) * 0x9E3779B97F4A7C15u;
    return mixed ^ (mixed >> 29);
}

}  // namespace

struct TokenCache::Entry {
    std::uint64_t hash = 0;
    TokenCacheVersion version;
    std::string token;
    std::shared_ptr<const Principal> principal;  // Null in a free entry.
    std::uint8_t uses = 0;  // Uses since insertion, decremented by insertions of other tokens.

    bool is_valid(const TokenCacheVersion& current, Time now) const {
        return principal && version == current && now < principal->expires;
    }
};

struct alignas(64) TokenCache::Set {
    std::mutex mutex;
    std::array<Entry, ways> entries;
};

TokenCache::TokenCache(std::size_t max_entries)
    : set_count_(std::max<std::size_t>(max_entries / ways, 1)), sets_(std::make_unique<Set[]>(set_count_)) {}

TokenCache::~TokenCache() = default;

TokenCache::Set& TokenCache::find_set(std::uint64_t hash) {
    return sets_[(hash >> 32) * set_count_ >> 32];
}

std::shared_ptr<const Principal> TokenCache::find(std::string_view token, const TokenCacheVersion& version,
                                                  Time now) {
    if (token.size() < min_token_bytes) return nullptr;
    auto hash = hash_token(token);
    auto& set = find_set(hash);
    std::lock_guard lock(set.mutex);
    for (auto& entry : set.entries) {
        if (entry.hash != hash || entry.token != token || !entry.is_valid(version, now)) continue;
        if (entry.uses < max_uses) ++entry.uses;
        return entry.principal;
    }
    return nullptr;
}

void TokenCache::insert(std::string_view token, const TokenCacheVersion& version, Time now,
                        std::shared_ptr<const Principal> principal) {
    if (token.size() < min_token_bytes || now >= principal->expires) return;
    Entry fresh{.hash = hash_token(token),
                .version = version,
                .token = std::string(token),
                .principal = std::move(principal)};
    auto& set = find_set(fresh.hash);
    std::lock_guard lock(set.mutex);  // `fresh` destroys the replaced entry after the unlock.
    Entry* victim = nullptr;
    for (auto& entry : set.entries) {
        if (entry.hash == fresh.hash && entry.token == fresh.token) return std::swap(entry, fresh);
        bool invalid = !entry.is_valid(version, now);
        if (invalid && (!victim || victim->is_valid(version, now))) victim = &entry;
        if (!invalid && entry.uses == 0 && !victim) victim = &entry;
    }
    if (victim) return std::swap(*victim, fresh);
    // All eight are in use. The new entry is not stored, but later ones will be if these are not used again.
    for (auto& entry : set.entries)
        --entry.uses;
}

std::size_t TokenCache::size() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < set_count_; ++i) {
        std::lock_guard lock(sets_[i].mutex);
        count += static_cast<std::size_t>(std::ranges::count_if(
            sets_[i].entries, [](const Entry& entry) { return entry.principal != nullptr; }));
    }
    return count;
}

std::size_t TokenCache::capacity() const {
    return set_count_ * ways;
}

}  // namespace integreat::identity
