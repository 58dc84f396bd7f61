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
constexpr std::uint8_t uses_max = 7;
constexpr std::size_t token_bytes_min = 32;

// The end of a token is the end of an RSA signature: as good as random, and out of the hands of whoever
// has not the signing key. So sixteen of its characters do for a hash.
std::uint64_t hash_of(std::string_view token) {
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
    Epoch epoch;
    std::string token;
    std::shared_ptr<const Principal> principal;  // Null: the entry is free.
    std::uint8_t uses = 0;                       // Since it came, less what the pressure of others took.

    bool alive(const Epoch& now_in_force, Time now) const {
        return principal && epoch == now_in_force && now < principal->expires;
    }
};

struct alignas(64) TokenCache::Set {
    std::mutex mutex;
    std::array<Entry, ways> entries;
};

TokenCache::TokenCache(std::size_t entries_max)
    : set_count_(std::max<std::size_t>(entries_max / ways, 1)), sets_(std::make_unique<Set[]>(set_count_)) {}

TokenCache::~TokenCache() = default;

TokenCache::Set& TokenCache::set_of(std::uint64_t hash) {
    return sets_[(hash >> 32) * set_count_ >> 32];
}

std::shared_ptr<const Principal> TokenCache::find(std::string_view token, const Epoch& epoch, Time now) {
    if (token.size() < token_bytes_min) return nullptr;
    auto hash = hash_of(token);
    auto& set = set_of(hash);
    std::lock_guard lock(set.mutex);
    for (auto& entry : set.entries) {
        if (entry.hash != hash || entry.token != token || !entry.alive(epoch, now)) continue;
        if (entry.uses < uses_max) ++entry.uses;
        return entry.principal;
    }
    return nullptr;
}

void TokenCache::insert(std::string_view token, const Epoch& epoch, Time now,
                        std::shared_ptr<const Principal> principal) {
    if (token.size() < token_bytes_min || now >= principal->expires) return;
    Entry fresh{.hash = hash_of(token),
                .epoch = epoch,
                .token = std::string(token),
                .principal = std::move(principal)};
    auto& set = set_of(fresh.hash);
    std::lock_guard lock(set.mutex);  // What is replaced leaves with `fresh`, after the lock.
    Entry* place = nullptr;
    for (auto& entry : set.entries) {
        if (entry.hash == fresh.hash && entry.token == fresh.token) return std::swap(entry, fresh);
        bool dead = !entry.alive(epoch, now);
        if (dead && (!place || place->alive(epoch, now))) place = &entry;
        if (!dead && entry.uses == 0 && !place) place = &entry;
    }
    if (place) return std::swap(*place, fresh);
    // All eight are in use. The newcomer is not kept, but its successors will be if nobody asks for these.
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
