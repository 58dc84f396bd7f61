// SPDX-License-Identifier: Apache-2.0
// A small application with references, rules, states and computed fields, for tests of models and tables.
#pragma once

#include <string>

namespace integreat::config::testing {

inline const std::string school = R"yaml(
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

}  // namespace integreat::config::testing
