// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/table_definitions.h"

#include <gtest/gtest.h>

#include "config/testing/school_manifest.h"

namespace integreat::collections {

namespace {

using namespace testing;

TEST(TableDefinitions, HaveAFingerprintThatChangesWithWhatTheDatabaseKnows) {
    auto fingerprint = fingerprint_of(*compiled(school));
    EXPECT_EQ(fingerprint.size(), 16u);
    EXPECT_EQ(fingerprint, fingerprint_of(*compiled(school)));
    EXPECT_EQ(fingerprint, fingerprint_of(*compiled(with(school, "title: Enrollment", "title: Place"))));
    for (auto [from, to] : {std::pair{"joined: {type: date,", "joined: {type: date, indexed: true,"},
                            std::pair{"fields: [name]", "fields: [name, gpa]"},
                            std::pair{"states: [pending]", "states: [enrolled]"},
                            std::pair{"units >= 1", "units >= 2"}, std::pair{"[-joined, id]", "[joined, id]"},
                            std::pair{"roles: [student, professor", "roles: [pupil, student, professor"}}) {
        EXPECT_NE(fingerprint, fingerprint_of(*compiled(with(school, from, to)))) << from;
    }
}

}  // namespace

}  // namespace integreat::collections
