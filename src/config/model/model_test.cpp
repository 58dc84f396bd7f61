// SPDX-License-Identifier: Apache-2.0
#include "config/model/model.h"

#include <gtest/gtest.h>

#include "config/testing/load_model.h"
#include "config/testing/school_manifest.h"

namespace integreat::config {

namespace {

using testing::school;

std::shared_ptr<const Model> load_school() {
    return testing::load_model(school, "school.yaml");
}

std::vector<std::string> list_field_names(const std::vector<const Field*>& fields) {
    std::vector<std::string> all;
    for (const auto* field : fields)
        all.push_back(field->name);
    return all;
}

using Names = std::vector<std::string>;

TEST(Model, AddsTheSystemFieldsOfARecord) {
    auto model = load_school();
    const auto& enrollments = *model->find("enrollments");
    Names all;
    for (const auto& field : enrollments.fields)
        all.push_back(field.name + (field.system ? "*" : ""));
    EXPECT_EQ(all, (Names{"id*", "state*", "student", "section", "grade", "units", "created_at*",
                          "created_by*", "updated_at*", "version*"}));
    EXPECT_EQ(enrollments.find("state")->values, (Names{"pending", "enrolled"}));
    EXPECT_EQ(enrollments.initial_state, "pending");
    EXPECT_FALSE(enrollments.find("created_by")->required);
    EXPECT_EQ(model->find("students")->find("state"), nullptr);
    EXPECT_EQ(model->find("teachers"), nullptr);
}

TEST(Model, AppliesDefaultsOfTheManifest) {
    auto model = load_school();
    const auto& sections = *model->find("sections");
    EXPECT_EQ(sections.title, "Sections");
    EXPECT_EQ(model->find("enrollments")->title, "Enrollment");
    EXPECT_EQ(sections.find("fee")->currency, "PHP");
    EXPECT_EQ(sections.find("fee")->min, "0");
    EXPECT_EQ(sections.find("total")->min, std::nullopt);
    EXPECT_EQ(model->find("students")->find("name")->max_length, 200);
    EXPECT_EQ(model->find("students")->find("helpers")->max_items, 50u);
    EXPECT_EQ(model->find("enrollments")->find("grade")->precision, 18);
    EXPECT_EQ(model->find("enrollments")->find("grade")->scale, 2);
    EXPECT_EQ(sections.history_roles, Names{});
    EXPECT_EQ(model->find("enrollments")->history_roles, Names{"registrar"});
}

TEST(Model, DistinguishesDefaultKinds) {
    auto model = load_school();
    EXPECT_EQ(model->find("sections")->find("professor")->default_kind, Field::Default::caller);
    EXPECT_EQ(model->find("students")->find("joined")->default_kind, Field::Default::today);
    const auto& seats = *model->find("sections")->find("seats");
    EXPECT_EQ(seats.default_kind, Field::Default::literal);
    EXPECT_EQ(seats.default_literal, "0");
    EXPECT_EQ(model->find("students")->find("name")->default_kind, Field::Default::none);
}

TEST(Model, ResolvesPathsInBothDirections) {
    auto model = load_school();
    const auto& path = model->find("students")->read[2].through;
    ASSERT_TRUE(path);
    EXPECT_EQ(path->steps,
              (std::vector<Path::Step>{{true, "enrollments", "student"}, {false, "sections", "section"}}));
    EXPECT_EQ(path->end, "professor");
    EXPECT_FALSE(path->end_is_list);
    EXPECT_TRUE(model->find("students")->read[1].owner_is_list);
}

TEST(Model, CompilesComputedFieldsAndGuardsToSql) {
    auto model = load_school();
    const auto& total = *model->find("sections")->find("total");
    EXPECT_EQ(total.generated_sql, "((\"fee\" * \"seats\"))::bigint");
    EXPECT_FALSE(total.writable());
    EXPECT_EQ(model->find("students")->find("gpa")->rollup,
              (Rollup{"wavg", "enrollments", "student", "grade", "units"}));
    EXPECT_EQ(model->find("enrollments")->transition("enroll")->guard_sql, "((\"units\" >= 1)) IS TRUE");
    EXPECT_EQ(model->find("enrollments")->transition("expel"), nullptr);
}

TEST(Model, AppliesARuleWithoutRolesToAllSignedInCallers) {
    auto model = load_school();
    const auto& sections = *model->find("sections");
    EXPECT_EQ(sections.read[0].roles, (Names{"student", "professor", "registrar", "none", "anonymous"}));
    EXPECT_EQ(sections.create[0].roles, (Names{"student", "professor", "registrar", "none"}));
    EXPECT_TRUE(sections.read[0].unconditional());
    EXPECT_FALSE(sections.remove[0].unconditional());
    EXPECT_EQ(rules_for(sections.create, "anonymous").size(), 0u);
    EXPECT_EQ(rules_for(sections.create, "none").size(), 1u);
}

TEST(Model, ListsTheFieldsThatARoleMayReadAndWrite) {
    auto model = load_school();
    const auto& students = *model->find("students");
    EXPECT_EQ(list_field_names(fields_for(students, Action::read, "professor")),
              (Names{"id", "name", "created_at", "created_by", "updated_at", "version"}));
    EXPECT_EQ(fields_for(students, Action::read, "registrar").size(), students.fields.size());
    EXPECT_EQ(list_field_names(fields_for(students, Action::create, "registrar")),
              (Names{"user", "name", "helpers", "joined"}));
    EXPECT_EQ(fields_for(students, Action::update, "student").size(), 0u);
    EXPECT_EQ(list_field_names(fields_for(*model->find("sections"), Action::create, "none")),
              (Names{"professor", "fee", "seats"}));
}

TEST(Model, ExistsOnlyWithoutErrors) {
    EXPECT_TRUE(load_manifest(school, "school.yaml", nullptr).value.model);
    EXPECT_FALSE(load_manifest(school, "college.yaml", nullptr).value.model);
    auto text = school;
    text.replace(text.find("units >= 1"), 10, "unit >= 1");
    EXPECT_FALSE(load_manifest(text, "school.yaml", nullptr).value.model);
}

TEST(Model, NamesTypesAndActionsLikeTheManifest) {
    EXPECT_EQ(to_string(FieldType::enumeration), "enum");
    EXPECT_EQ(to_string(FieldType::json), "json");
    EXPECT_EQ(to_string(Action::remove), "delete");
}

}  // namespace

}  // namespace integreat::config
