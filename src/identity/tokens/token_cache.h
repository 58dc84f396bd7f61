// SPDX-License-Identifier: Apache-2.0
// A cache of verified tokens: the second request with a token costs a lookup instead of a signature
// verification. An entry is found by the whole token, byte for byte, only before its `exp`, and only while
// the keys and projects with which it was verified are current. It contains verified tokens only, so
// unauthenticated clients cannot fill it.
//
// Bounded, set-associative with eight entries per set. Entries that are used again are kept; a flood of
// distinct valid tokens, each used once, replaces only itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/principal.h"

namespace integreat::identity {

// The generations of keys and projects with which a token was verified.
struct TokenCacheVersion {
    std::uint64_t keys = 0;      // RemoteJwks::generation
    std::uint64_t projects = 0;  // Projects::generation

    friend bool operator==(const TokenCacheVersion&, const TokenCacheVersion&) = default;
};

class TokenCache {
public:
    explicit TokenCache(std::size_t max_entries);
    ~TokenCache();

    std::shared_ptr<const Principal> find(std::string_view token, const TokenCacheVersion& version, Time now);
    void insert(std::string_view token, const TokenCacheVersion& version, Time now,
                std::shared_ptr<const Principal> principal);

    std::size_t size() const;
    std::size_t capacity() const;

private:
    struct Entry;
    struct Set;
    Set& find_set(std::uint64_t hash);

    std::size_t set_count_;
    std::unique_ptr<Set[]> sets_;
};

}  // namespace integreat::identity
