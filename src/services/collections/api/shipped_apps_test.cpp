// SPDX-License-Identifier: Apache-2.0
// The applications in apps/: their manifests are valid, have the expected collections, and give no role more
// access than it needs.
#include "services/collections/testing/shipped_apps.h"

#include <gtest/gtest.h>

#include "config/testing/load_model.h"

namespace integreat::collections {

namespace {

using testing::load_app;

bool may(const Model& model, std::string_view role, Action action, std::string_view collection) {
    return !rules_for(model.find(collection)->rules(action), role).empty();
}

bool may_transition(const Model& model, std::string_view role, std::string_view collection,
                    std::string_view transition) {
    return !rules_for(model.find(collection)->transition(transition)->allow, role).empty();
}

std::vector<std::string> writable(const Model& model, std::string_view role, Action action,
                                  std::string_view collection) {
    std::vector<std::string> names;
    for (const auto* field : fields_for(*model.find(collection), action, role))
        names.push_back(field->name);
    return names;
}

struct ExpectedApp {
    std::string app;
    std::vector<std::string> collections;
    std::string with_states;
    std::vector<std::string> states;
};

class Apps : public ::testing::TestWithParam<ExpectedApp> {};

TEST_P(Apps, HaveTheExpectedCollectionsAndStates) {
    auto model = load_app(GetParam().app);
    for (const auto& name : GetParam().collections)
        EXPECT_NE(model->find(name), nullptr) << name;
    const auto* with_states = model->find(GetParam().with_states);
    ASSERT_NE(with_states, nullptr);
    const auto& known = with_states->find("state")->values;
    for (const auto& state : GetParam().states)
        EXPECT_NE(std::find(known.begin(), known.end(), state), known.end()) << state;
}

TEST_P(Apps, RejectWritesWithoutAToken) {
    auto model = load_app(GetParam().app);
    for (const auto& collection : model->collections) {
        for (auto action : {Action::create, Action::update, Action::remove})
            EXPECT_FALSE(may(*model, role_anonymous, action, collection.name)) << collection.name;
        EXPECT_FALSE(collection.summary.empty() && collection.title.empty()) << collection.name;
    }
}

TEST_P(Apps, HidePersonalDataWithoutAToken) {
    auto model = load_app(GetParam().app);
    for (const auto& collection : model->collections) {
        for (const auto* field : fields_for(collection, Action::read, role_anonymous))
            EXPECT_FALSE(field->personal) << collection.name << "." << field->name;
    }
}

INSTANTIATE_TEST_SUITE_P(
    All, Apps,
    ::testing::Values(
        ExpectedApp{"evntgarde",
                    {"events", "venues", "services", "bookings", "guests", "reviews"},
                    "bookings",
                    {"requested", "accepted", "deposit_paid", "confirmed", "completed", "reviewed",
                     "declined", "cancelled"}},
        ExpectedApp{"pillars",
                    {"programs", "instruments", "criteria", "assessments", "evidence", "ratings", "surveys"},
                    "assessments",
                    {"draft", "submitted", "under_review", "returned", "approved", "published"}},
        ExpectedApp{"teleo",
                    {"churches", "members", "ministries", "services", "service_requests", "donations",
                     "gatherings", "attendance", "announcements"},
                    "service_requests",
                    {"requested", "scheduled", "done"}},
        ExpectedApp{"campus",
                    {"applicants", "students", "programs", "courses", "sections", "enrollments", "grades",
                     "invoices", "clearances"},
                    "students",
                    {"active", "on_leave", "graduated", "alumni"}}),
    [](const auto& expected) { return expected.param.app; });

// Returns the example manifest of docs/describe-an-app/add-an-application.md.
std::string fifth_application() {
    auto page = testing::read_source_file("docs/describe-an-app/add-an-application.md");
    auto heading = page.find("## The manifest");
    auto begin = page.find("```yaml\n", heading);
    auto end = page.find("```\n", begin + 8);
    if (heading == page.npos || begin == page.npos || end == page.npos) return "";
    return page.substr(begin + 8, end - begin - 8);
}

std::vector<std::string> errors_of(const std::string& text) {
    auto checked = config::load_manifest(text, "apps/clinic.yaml", nullptr);
    std::vector<std::string> messages;
    for (const auto& mistake : checked.errors)
        messages.push_back(to_string(mistake));
    return messages;
}

std::string with_typo(std::string text, const std::string& from, const std::string& to) {
    auto at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(FifthApplication, IsValidAsInTheManual) {
    auto text = fifth_application();
    auto model = config::testing::load_model(text, "apps/clinic.yaml");
    ASSERT_TRUE(model);
    EXPECT_EQ(writable(*model, "patient", Action::update, "patients"),
              (std::vector<std::string>{"mobile", "address"}));
    EXPECT_FALSE(may(*model, "doctor", Action::update, "patients"));
    EXPECT_TRUE(may_transition(*model, "doctor", "appointments", "finish"));
    EXPECT_FALSE(may_transition(*model, "patient", "appointments", "confirm"));
}

TEST(FifthApplication, HasTheErrorsOfTheManual) {
    auto text = fifth_application();
    auto page = testing::read_source_file("docs/describe-an-app/add-an-application.md");
    for (auto [from, to] : {std::pair{"roles: [doctor], through", "roles: [docter], through"},
                            std::pair{"appointments[patient].doctor", "appointments[patient].docter"},
                            std::pair{"and discount <=", "and discuont <="},
                            std::pair{"update: [{roles: [nurse]}, {roles: [patient]",
                                      "update: [{roles: [patient]}, {roles: [patient]"}}) {
        auto messages = errors_of(with_typo(text, from, to));
        ASSERT_EQ(messages.size(), 1u) << from;
        EXPECT_NE(page.find(messages.front() + "\n"), page.npos)
            << "not in docs/describe-an-app/add-an-application.md: " << messages.front();
    }
}

TEST(Campus, LetsProfessorsGradeAndRegistrarsEnrol) {
    auto model = load_app("campus");
    EXPECT_TRUE(may(*model, "professor", Action::create, "grades"));
    EXPECT_FALSE(rules_for(model->find("grades")->create, "professor")[0]->unconditional());
    for (auto role : {"student", "registrar", "admin"}) {
        EXPECT_FALSE(may(*model, role, Action::create, "grades")) << role;
        EXPECT_FALSE(may(*model, role, Action::update, "grades")) << role;
    }
    EXPECT_TRUE(may_transition(*model, "registrar", "enrollments", "enroll"));
    EXPECT_FALSE(may_transition(*model, "student", "enrollments", "enroll"));
    EXPECT_FALSE(may_transition(*model, "professor", "enrollments", "enroll"));
    EXPECT_EQ(writable(*model, "student", Action::update, "students"),
              (std::vector<std::string>{"mobile", "address", "guardian", "guardian_mobile"}));
    EXPECT_FALSE(may(*model, "professor", Action::read, "invoices"));
}

TEST(Evntgarde, LetsOnlyAdminsConfirmDeposits) {
    auto model = load_app("evntgarde");
    EXPECT_TRUE(may_transition(*model, "vendor", "bookings", "accept"));
    EXPECT_TRUE(may_transition(*model, "admin", "bookings", "pay_deposit"));
    for (auto role : {"customer", "organizer", "vendor", "none"})
        EXPECT_FALSE(may_transition(*model, role, "bookings", "pay_deposit")) << role;
    EXPECT_EQ(writable(*model, "vendor", Action::update, "reviews"), std::vector<std::string>{"reply"});
    EXPECT_FALSE(may(*model, "vendor", Action::read, "guests"));
}

TEST(Pillars, ComputesReadOnlyScores) {
    auto model = load_app("pillars");
    const auto& score = *model->find("assessments")->find("score");
    EXPECT_EQ(score.rollup, (config::Rollup{"wavg", "ratings", "assessment", "score", "weight"}));
    EXPECT_FALSE(score.writable());
    EXPECT_EQ(writable(*model, "professor", Action::update, "ratings"),
              (std::vector<std::string>{"score", "comment"}));
    EXPECT_FALSE(may_transition(*model, "professor", "assessments", "approve"));
    EXPECT_FALSE(may(*model, "employer", Action::read, "ratings"));
    EXPECT_FALSE(may(*model, "student", Action::read, "evidence"));
}

TEST(Teleo, LetsPastorsScheduleAndHidesDonors) {
    auto model = load_app("teleo");
    EXPECT_TRUE(may_transition(*model, "pastor", "service_requests", "schedule"));
    EXPECT_FALSE(may_transition(*model, "church_admin", "service_requests", "schedule"));
    EXPECT_FALSE(may_transition(*model, "member", "donations", "pay"));
    for (const auto* rule : rules_for(model->find("donations")->read, "pastor"))
        EXPECT_EQ(rule->owner, "donor");
    for (const auto* rule : rules_for(model->find("donations")->read, "church_admin"))
        EXPECT_FALSE(rule->unconditional());
}

}  // namespace

}  // namespace integreat::collections
