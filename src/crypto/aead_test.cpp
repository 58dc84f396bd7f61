// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <gtest/gtest.h>

namespace integreat::crypto {
namespace {

const Secret key(std::string(aead_key_bytes, 'k'));

TEST(Aead, OpensWithTheSameAssociatedData) {
    FixedRandom random;
    for (std::string_view text : {"", "x", "a longer text than one block of sixteen"}) {
        auto sealed = seal(key, text, "ASIA1", random);
        EXPECT_EQ(open_sealed(key, sealed, "ASIA1"), text);
        EXPECT_NE(sealed, seal(key, text, "ASIA1", random)) << "another nonce each time";
        EXPECT_FALSE(open_sealed(key, sealed, "ASIA2"));
        EXPECT_FALSE(open_sealed(Secret(std::string(aead_key_bytes, 'l')), sealed, "ASIA1"));
    }
}

TEST(Aead, DetectsChangesOfAnyByte) {
    FixedRandom random;
    auto sealed = seal(key, "text", "name", random);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(open_sealed(key, changed, "name")) << i;
    }
    EXPECT_FALSE(open_sealed(key, std::string_view(sealed).substr(1), "name"));
    EXPECT_FALSE(open_sealed(key, "short", "name"));
    EXPECT_FALSE(open_sealed(key, "", "name"));
}

}  // namespace
}  // namespace integreat::crypto
