// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/table_definitions.h"

#include <gtest/gtest.h>

#include "config/testing/load_model.h"

namespace integreat::collections {
namespace {

const std::string school = R"yaml(
integreat: 1
app: school
title: School
project: school-project
roles: [student, professor, registrar]
collections:
  students:
    fields:
      user: {type: user, unique: true}
      name: {type: text, required: true, personal: true}
      helpers: {type: list, of: user}
      joined: {type: date, default: today}
      gpa: {type: decimal, precision: 3, scale: 2, computed: "wavg(enrollments[student].grade, units)"
}
    subject: user
    sort: [-joined, id]
    access:
      read:
        - {roles: [registrar]}
        - {owner: helpers, roles: [student], fields: [name]}
        - {roles: [professor], through: "enrollments[student].section.professor", fields: [name]}
      create: [{roles: [registrar]}]
      update: [{roles: [registrar]}]
  sections:
    fields:
      professor: {type: user, default: caller, immutable: true}
      fee: {type: money}
      seats: {type: integer, default: 0}
      total: {type: money, computed: "fee * seats"}
    access: {read: [{public: true}], create: [{signed_in: true}], delete: [{owner: professor}]}
  enrollments:
    title: Enrollment
    fields:
      student: {type: reference, to: students, required: true}
      section: {type: reference, to: sections, on_delete: cascade}
      grade: {type: decimal}
      units: {type: integer}
    states: {initial: pending, names: [pending, enrolled]}
    transitions:
      enroll: {from: [pending], to: enrolled, allow: [{roles: [registrar]}], guard: "units >= 1"}
    history: [registrar]
    if_match: required
    access: {read: [{roles: [registrar], states: [pending]}]}
)yaml";

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
