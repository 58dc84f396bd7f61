// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/migration_plan.h"

#include <functional>
#include <thread>

#include "services/collections/testing/school_fixture.h"

namespace integreat::collections {
namespace {

using ::testing::HasSubstr;
using testing::School;

struct PlanTest : School {
    SchemaOrder order = testing::order_for(database);

    // The school with something else about it.
    std::shared_ptr<const Model> changed(const std::function<void(Model&)>& change) {
        auto copy = std::make_shared<Model>(*model);
        change(*copy);
        return copy;
    }
    static Field& field(Model& model, std::string_view collection, std::string_view name) {
        auto& fields = find(model, collection).fields;
        return *std::find_if(fields.begin(), fields.end(),
                             [&](const Field& one) { return one.name == name; });
    }
    static Collection& find(Model& model, std::string_view name) {
        return *std::find_if(model.collections.begin(), model.collections.end(),
                             [&](const Collection& one) { return one.name == name; });
    }
    static void remove_field(Model& model, std::string_view collection, const std::string& name) {
        auto& from = find(model, collection);
        std::erase_if(from.fields, [&](const Field& one) { return one.name == name; });
        std::erase(from.search, name);
        for (auto* rules : {&from.read, &from.create, &from.update, &from.remove}) {
            for (auto& rule : *rules)
                std::erase(rule.fields, name);
        }
    }
    Plan planned(const Model& next) {
        auto plan = plan_tables(next, order);
        EXPECT_TRUE(plan) << plan.error().message << " " << plan.error().cause;
        return plan ? *plan : Plan();
    }
    Plan applied(const Model& next) {
        auto plan = apply_plan(next, order);
        EXPECT_TRUE(plan) << plan.error().message << " " << plan.error().cause;
        auto again = planned(next);
        for (const auto& step : again.steps)
            ADD_FAILURE() << "still to be done: " << step.sentence << "\n" << step.sql;
        return plan ? *plan : Plan();
    }
    Danger danger_of(const Plan& plan, const std::string& words) {
        for (const auto& step : plan.steps) {
            if (step.sentence.find(words) != std::string::npos) return step.danger;
        }
        ADD_FAILURE() << "no step says " << words;
        return Danger::none;
    }
};

TEST_F(PlanTest, MakesEverythingOnceAndThenNothing) {
    auto again = planned(*model);
    EXPECT_TRUE(again.steps.empty());
    EXPECT_TRUE(again.leftovers.empty());
    EXPECT_TRUE(applied(*model).steps.empty());
    EXPECT_EQ(owner("SELECT count(*) FROM integreat.models").integer(0, 0), 1);
    EXPECT_TRUE(check_tables(*pool, *model, Monotonic::max()));
}

TEST_F(PlanTest, APlanChangesNothing) {
    auto next = changed([](Model& m) { field(m, "sections", "room").length_max = 10; });
    EXPECT_FALSE(planned(*next).steps.empty());
    EXPECT_FALSE(planned(*next).steps.empty());
    EXPECT_EQ(owner("SELECT count(*) FROM integreat.models").integer(0, 0), 1);
}

TEST_F(PlanTest, AddsFieldsWithoutDanger) {
    auto next = changed([](Model& m) {
        Field nick;
        nick.name = "nick";
        nick.indexed = true;
        nick.required = true;
        nick.default_kind = Field::Default::literal;
        nick.default_literal = "it's";
        find(m, "sections").fields.push_back(nick);
        find(m, "sections").read[0].fields.emplace_back("nick");
    });
    auto plan = applied(*next);
    EXPECT_EQ(danger_of(plan, "gets the field nick"), Danger::none);
    EXPECT_EQ(danger_of(plan, "sections.nick.index"), Danger::lock);
    EXPECT_EQ(as("none", "x", "SELECT nick FROM data.sections LIMIT 1").text(), "it's");
}

TEST_F(PlanTest, RulesAreMadeAnew) {
    auto next = changed([](Model& m) {
        find(m, "sections").read[0].roles = {"registrar"};
        std::erase(m.roles, "none");
    });
    applied(*next);
    EXPECT_FALSE(as("student", "ana", "SELECT id FROM data.sections").done());
    EXPECT_FALSE(as("none", "ana", "SELECT 1").done()) << "nobody may become that role any more";
    EXPECT_EQ(as("registrar", "r", "SELECT id FROM data.sections").rows->size(), 2u);
    applied(*model);
    EXPECT_EQ(as("none", "x", "SELECT id FROM data.sections").rows->size(), 2u);
}

TEST_F(PlanTest, WhatIsGoneFromTheManifestIsKeptOutOfSightUntilLossIsAllowed) {
    auto next = changed([](Model& m) {
        remove_field(m, "sections", "room");
        std::erase_if(m.collections, [](const Collection& one) { return one.name == "inquiries"; });
    });
    owner("UPDATE data.sections SET room = 'B2'");
    owner("INSERT INTO data.inquiries (question) VALUES ('Why?')");
    auto plan = applied(*next);
    EXPECT_FALSE(plan.loses_data());
    ASSERT_EQ(plan.leftovers.size(), 2u);
    EXPECT_EQ(plan.leftovers[0].danger, Danger::data_loss);
    EXPECT_FALSE(as("registrar", "r", "SELECT room FROM data.sections").done());
    EXPECT_FALSE(as("registrar", "r", "SELECT id FROM data.inquiries").done());
    applied(*model);
    EXPECT_EQ(as("registrar", "r", "SELECT room FROM data.sections LIMIT 1").text(), "B2") << "it came back";

    applied(*next);
    order.allow_destructive = true;
    auto silent = apply_plan(*next, order);
    ASSERT_FALSE(silent);
    EXPECT_THAT(silent.error().message, HasSubstr("--backup-note"));
    order.backup_note = "dump of Monday";
    ASSERT_TRUE(apply_plan(*next, order));
    EXPECT_TRUE(planned(*next).leftovers.empty());
    EXPECT_EQ(owner("SELECT to_regclass('data.inquiries') IS NULL").text(0, 0), "t");
    EXPECT_EQ(owner("SELECT backup_note FROM integreat.models WHERE destructive").text(0, 0),
              "dump of Monday");
}

TEST_F(PlanTest, TypesWidenByRewriteAndNarrowByLoss) {
    auto wider = changed([](Model& m) { field(m, "sections", "units").digits = 6; });
    EXPECT_EQ(danger_of(planned(*wider), "numeric(6,2)"), Danger::none);
    auto exact = changed([](Model& m) {
        field(m, "sections", "units").digits = 6;
        field(m, "sections", "units").scale = 4;
    });
    EXPECT_EQ(danger_of(planned(*exact), "numeric(6,4)"), Danger::rewrite);
    auto narrower = changed([](Model& m) { field(m, "sections", "units").scale = 1; });
    EXPECT_EQ(danger_of(planned(*narrower), "numeric(4,1)"), Danger::data_loss);
    auto refused = apply_plan(*narrower, order);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::conflict);
    EXPECT_THAT(refused.error().message, HasSubstr("integreat db apply --app school --allow-destructive"));
    order.allow_destructive = true;
    order.backup_note = "none needed";
    applied(*narrower);
}

TEST_F(PlanTest, ARequiredFieldNeedsValuesFirst) {
    auto next = changed([](Model& m) {
        Field code;
        code.name = "code";
        code.required = true;
        find(m, "sections").fields.push_back(code);
        field(m, "sections", "room").required = true;
    });
    auto plan = planned(*next);
    ASSERT_EQ(plan.obstacles.size(), 2u);
    EXPECT_THAT(plan.obstacles[0] + plan.obstacles[1], HasSubstr("sections.room is required"));
    auto refused = apply_plan(*next, order);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("give it a default"));
    owner("DELETE FROM data.enrollments");
    owner("DELETE FROM data.sections");
    applied(*next);
}

TEST_F(PlanTest, RecordsThatDoNotFitStopItAndNothingHasChanged) {
    owner("UPDATE data.sections SET room = 'a very long name'");
    auto next = changed([](Model& m) {
        field(m, "sections", "room").length_max = 3;
        find(m, "sections").read[0].roles = {"admin"};
    });
    auto refused = apply_plan(*next, order);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::conflict);
    EXPECT_THAT(refused.error().message, HasSubstr("some records do not fit"));
    EXPECT_TRUE(as("student", "ana", "SELECT id FROM data.sections").done());
    EXPECT_TRUE(check_tables(*pool, *model, Monotonic::max()));
}

TEST_F(PlanTest, FormulasAndSumsAreComputedAnew) {
    owner("UPDATE data.enrollments SET paid = 70");
    auto next = changed([](Model& m) {
        field(m, "sections", "total").generated_sql = "(\"fee\" * 2)";
        field(m, "sections", "collected").rollup->operation = "max";
        field(m, "sections", "enrolled").rollup->value = "";
    });
    auto plan = applied(*next);
    EXPECT_EQ(danger_of(plan, "sections.total is computed anew"), Danger::rewrite);
    auto row = owner("SELECT total, collected, enrolled FROM data.sections WHERE title = 'Physics'");
    EXPECT_EQ(row.text(0, 0), "20000");
    EXPECT_EQ(row.text(0, 1), "70");
    EXPECT_EQ(row.text(0, 2), "1");
}

TEST_F(PlanTest, ATableInUseIsNotWaitedForLong) {
    auto busy = *owner_pool->begin(model->app);
    ASSERT_TRUE(busy.execute("SELECT * FROM data.sections"));
    order.lock_timeout = std::chrono::milliseconds(50);
    auto next = changed([](Model& m) { find(m, "sections").read[0].roles = {"admin"}; });
    auto late = apply_plan(*next, order);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().fault, Fault::unavailable);
    EXPECT_THAT(late.error().message, HasSubstr("a table is in use"));
}

TEST_F(PlanTest, ManyMayApplyAtOnce) {
    auto next = changed([](Model& m) { field(m, "sections", "room").length_max = 30; });
    std::atomic<int> worked{0}, found{0};
    std::vector<std::thread> appliers;
    for (int i = 0; i < 4; ++i) {
        appliers.emplace_back([&] {
            auto plan = apply_plan(*next, order);
            EXPECT_TRUE(plan) << plan.error().cause;
            if (plan) ++(plan->steps.empty() ? found : worked);
        });
    }
    for (auto& one : appliers)
        one.join();
    EXPECT_EQ(worked, 1);
    EXPECT_EQ(found, 3);
}

TEST_F(PlanTest, DriftIsFoundAndMended) {
    owner("ALTER TABLE data.sections DISABLE ROW LEVEL SECURITY");
    auto open = check_tables(*pool, *model, Monotonic::max());
    ASSERT_FALSE(open);
    EXPECT_THAT(open.error().message, HasSubstr("without row-level security (sections)"));
    owner("DROP INDEX data.\"students.+order.index\"");
    EXPECT_EQ(applied(*model).leftovers.size(), 0u);
    EXPECT_TRUE(check_tables(*pool, *model, Monotonic::max()));
}

TEST_F(PlanTest, AModelNotAppliedIsToldWithItsCure) {
    auto next = changed([](Model& m) { field(m, "sections", "room").length_max = 30; });
    auto stale = check_tables(*pool, *next, Monotonic::max());
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().fault, Fault::conflict);
    EXPECT_THAT(stale.error().message, HasSubstr("run integreat db apply --app school"));
}

}  // namespace
}  // namespace integreat::collections
