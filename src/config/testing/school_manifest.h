// SPDX-License-Identifier: Apache-2.0
// A small application with references, rules, states and computed fields, for tests of its model and tables.
#pragma once

#include <gtest/gtest.h>

#include "config/configuration/configuration.h"
#include "config/model/model.h"

namespace integreat::collections::testing {

inline const std::string school = R"yaml(
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
      gpa: {type: decimal, digits: 3, scale: 2, computed: "wavg(enrollments[student].grade, units)"
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

inline std::shared_ptr<const Model> compiled(const std::string& text) {
    auto checked = config::load_manifest(text, "school.yaml", nullptr);
    EXPECT_TRUE(checked.good()) << (checked.good() ? "" : to_string(checked.mistakes.front()));
    return compile_model(checked.value);
}

// Returns `text` with its one occurrence of `from` replaced by `to`.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
    auto at = text.find(from);
    EXPECT_NE(at, text.npos);
    return text.replace(at, from.size(), to);
}

}  // namespace integreat::collections::testing
