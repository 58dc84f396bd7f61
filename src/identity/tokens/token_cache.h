// SPDX-License-Identifier: Apache-2.0
// Verified tokens, so that the second request with a token costs a lookup instead of a signature. An entry is
// found by the whole token, byte for byte, only before its `exp`, and only while the keys and projects it was
// verified under are in force. Only verified tokens enter, so outsiders cannot fill it.
//
// Bounded, in sets of eight entries. Entries that are asked for again are kept; a flood of distinct valid
// tokens, each used once, replaces only itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/principal.h"

namespace integreat::identity {

// Under what a token was verified.
struct Epoch {
    std::uint64_t keys = 0;      // KeySet::generation
    std::uint64_t projects = 0;  // Projects::generation

    friend bool operator==(const Epoch&, const Epoch&) = default;
};

class TokenCache {
public:
    explicit TokenCache(std::size_t entries_max);
    ~TokenCache();

    std::shared_ptr<const Principal> find(std::string_view token, const Epoch& epoch, Time now);
    void insert(std::string_view token, const Epoch& epoch, Time now,
                std::shared_ptr<const Principal> principal);

    std::size_t size() const;
    std::size_t capacity() const;

private:
    struct Entry;
    struct Set;
    Set& set_of(std::uint64_t hash);

    std::size_t set_count_;
    std::unique_ptr<Set[]> sets_;
};

}  // namespace integreat::identity
