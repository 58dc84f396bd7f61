// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/table_definitions.h"

#include <gtest/gtest.h>

#include "config/testing/load_model.h"
#include "config/testing/school_manifest.h"

namespace integreat::collections {
namespace {

using config::testing::school;

// Returns the fingerprint of `school` with `from` replaced by `to`.
std::string fingerprint_with(std::string_view from = "", std::string_view to = "") {
    auto text = school;
    auto at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    text.replace(at, from.size(), to);
    return schema_fingerprint(*config::testing::load_model(text, "school.yaml"));
}

TEST(TableDefinitions, FingerprintChangesWithTheTargetSchemaOnly) {
    auto fingerprint = fingerprint_with();
    EXPECT_EQ(fingerprint.size(), 16u);
    EXPECT_EQ(fingerprint, fingerprint_with());
    EXPECT_EQ(fingerprint, fingerprint_with("title: Enrollment", "title: Place"));
    for (auto [from, to] : {std::pair{"joined: {type: date,", "joined: {type: date, indexed: true,"},
                            std::pair{"fields: [name]", "fields: [name, gpa]"},
                            std::pair{"states: [pending]", "states: [enrolled]"},
                            std::pair{"units >= 1", "units >= 2"}, std::pair{"[-joined, id]", "[joined, id]"},
                            std::pair{"roles: [student, professor", "roles: [pupil, student, professor"}}) {
        EXPECT_NE(fingerprint, fingerprint_with(from, to)) << from;
    }
}

}  // namespace
}  // namespace integreat::collections
