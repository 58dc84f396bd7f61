// SPDX-License-Identifier: Apache-2.0
#include "services/collections/schema/migration_plan.h"

#include <functional>
#include <thread>

#include "services/collections/schema/verify_schema.h"
#include "services/collections/testing/school_fixture.h"

namespace integreat::collections {
namespace {

using ::testing::HasSubstr;
using testing::SchoolFixture;

struct MigrationPlanTest : SchoolFixture {
    MigrationOptions order = testing::make_migration_options(database);

    // Returns a changed copy of the model.
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
    MigrationPlan plan_for(const Model& next) {
        auto plan = plan_migration(next, order);
        EXPECT_TRUE(plan) << plan.error().message << " " << plan.error().cause;
        return plan ? *plan : MigrationPlan();
    }
    MigrationPlan apply(const Model& next) {
        auto plan = apply_migration(next, order);
        EXPECT_TRUE(plan) << plan.error().message << " " << plan.error().cause;
        auto again = plan_for(next);
        for (const auto& step : again.steps)
            ADD_FAILURE() << "not applied: " << step.description << "\n" << step.sql;
        return plan ? *plan : MigrationPlan();
    }
    MigrationRisk risk_of(const MigrationPlan& plan, const std::string& words) {
        for (const auto& step : plan.steps) {
            if (step.description.find(words) != std::string::npos) return step.risk;
        }
        ADD_FAILURE() << "no step says " << words;
        return MigrationRisk::none;
    }
};

TEST_F(MigrationPlanTest, IsEmptyOnceApplied) {
    auto again = plan_for(*model);
    EXPECT_TRUE(again.steps.empty());
    EXPECT_TRUE(again.retired.empty());
    EXPECT_TRUE(apply(*model).steps.empty());
    EXPECT_EQ(query_as_owner("SELECT count(*) FROM integreat.models").integer(0, 0), 1);
    EXPECT_TRUE(verify_schema(*pool, *model, Monotonic::max()));
}

TEST_F(MigrationPlanTest, PlanningChangesNothing) {
    auto next = changed([](Model& m) { field(m, "sections", "room").max_length = 10; });
    EXPECT_FALSE(plan_for(*next).steps.empty());
    EXPECT_FALSE(plan_for(*next).steps.empty());
    EXPECT_EQ(query_as_owner("SELECT count(*) FROM integreat.models").integer(0, 0), 1);
}

TEST_F(MigrationPlanTest, AddsFieldsWithoutRisk) {
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
    auto plan = apply(*next);
    EXPECT_EQ(risk_of(plan, "field sections.nick is added"), MigrationRisk::none);
    EXPECT_EQ(risk_of(plan, "sections.nick.index"), MigrationRisk::lock);
    EXPECT_EQ(query_as("none", "x", "SELECT nick FROM data.sections LIMIT 1").text(), "it's");
}

TEST_F(MigrationPlanTest, RecreatesPolicies) {
    auto next = changed([](Model& m) {
        find(m, "sections").read[0].roles = {"registrar"};
        std::erase(m.roles, "none");
    });
    apply(*next);
    EXPECT_FALSE(query_as("student", "ana", "SELECT id FROM data.sections").ok());
    EXPECT_FALSE(query_as("none", "ana", "SELECT 1").ok()) << "the role is revoked";
    EXPECT_EQ(query_as("registrar", "r", "SELECT id FROM data.sections").rows->size(), 2u);
    apply(*model);
    EXPECT_EQ(query_as("none", "x", "SELECT id FROM data.sections").rows->size(), 2u);
}

TEST_F(MigrationPlanTest, RetiresRemovedObjectsUntilDroppingIsAllowed) {
    auto next = changed([](Model& m) {
        remove_field(m, "sections", "room");
        std::erase_if(m.collections, [](const Collection& one) { return one.name == "inquiries"; });
    });
    query_as_owner("UPDATE data.sections SET room = 'B2'");
    query_as_owner("INSERT INTO data.inquiries (question) VALUES ('Why?')");
    auto plan = apply(*next);
    EXPECT_FALSE(plan.loses_data());
    ASSERT_EQ(plan.retired.size(), 2u);
    EXPECT_EQ(plan.retired[0].risk, MigrationRisk::data_loss);
    EXPECT_FALSE(query_as("registrar", "r", "SELECT room FROM data.sections").ok());
    EXPECT_FALSE(query_as("registrar", "r", "SELECT id FROM data.inquiries").ok());
    apply(*model);
    EXPECT_EQ(query_as("registrar", "r", "SELECT room FROM data.sections LIMIT 1").text(), "B2")
        << "it came back";

    apply(*next);
    order.allow_destructive = true;
    auto silent = apply_migration(*next, order);
    ASSERT_FALSE(silent);
    EXPECT_THAT(silent.error().message, HasSubstr("--backup-note"));
    order.backup_note = "dump of Monday";
    ASSERT_TRUE(apply_migration(*next, order));
    EXPECT_TRUE(plan_for(*next).retired.empty());
    EXPECT_EQ(query_as_owner("SELECT to_regclass('data.inquiries') IS NULL").text(0, 0), "t");
    EXPECT_EQ(query_as_owner("SELECT backup_note FROM integreat.models WHERE destructive").text(0, 0),
              "dump of Monday");
}

TEST_F(MigrationPlanTest, WideningRewritesAndNarrowingLosesData) {
    auto wider = changed([](Model& m) { field(m, "sections", "units").precision = 6; });
    EXPECT_EQ(risk_of(plan_for(*wider), "numeric(6,2)"), MigrationRisk::none);
    auto exact = changed([](Model& m) {
        field(m, "sections", "units").precision = 6;
        field(m, "sections", "units").scale = 4;
    });
    EXPECT_EQ(risk_of(plan_for(*exact), "numeric(6,4)"), MigrationRisk::rewrite);
    auto narrower = changed([](Model& m) { field(m, "sections", "units").scale = 1; });
    EXPECT_EQ(risk_of(plan_for(*narrower), "numeric(4,1)"), MigrationRisk::data_loss);
    auto rejected = apply_migration(*narrower, order);
    ASSERT_FALSE(rejected);
    EXPECT_EQ(rejected.error().fault, Fault::conflict);
    EXPECT_THAT(rejected.error().message, HasSubstr("integreat db apply --app school --allow-destructive"));
    order.allow_destructive = true;
    order.backup_note = "none needed";
    apply(*narrower);
}

TEST_F(MigrationPlanTest, RequiredFieldsNeedValuesFirst) {
    auto next = changed([](Model& m) {
        Field code;
        code.name = "code";
        code.required = true;
        find(m, "sections").fields.push_back(code);
        field(m, "sections", "room").required = true;
    });
    auto plan = plan_for(*next);
    ASSERT_EQ(plan.blockers.size(), 2u);
    EXPECT_THAT(plan.blockers[0] + plan.blockers[1], HasSubstr("sections.room is required"));
    auto rejected = apply_migration(*next, order);
    ASSERT_FALSE(rejected);
    EXPECT_THAT(rejected.error().message, HasSubstr("give it a default"));
    query_as_owner("DELETE FROM data.enrollments");
    query_as_owner("DELETE FROM data.sections");
    apply(*next);
}

TEST_F(MigrationPlanTest, RollsBackIfRecordsDoNotFit) {
    query_as_owner("UPDATE data.sections SET room = 'a very long name'");
    auto next = changed([](Model& m) {
        field(m, "sections", "room").max_length = 3;
        find(m, "sections").read[0].roles = {"admin"};
    });
    auto rejected = apply_migration(*next, order);
    ASSERT_FALSE(rejected);
    EXPECT_EQ(rejected.error().fault, Fault::conflict);
    EXPECT_THAT(rejected.error().message, HasSubstr("some records do not fit"));
    EXPECT_TRUE(query_as("student", "ana", "SELECT id FROM data.sections").ok());
    EXPECT_TRUE(verify_schema(*pool, *model, Monotonic::max()));
}

TEST_F(MigrationPlanTest, RecomputesFormulasAndRollups) {
    query_as_owner("UPDATE data.enrollments SET paid = 70");
    auto next = changed([](Model& m) {
        field(m, "sections", "total").generated_sql = "(\"fee\" * 2)";
        field(m, "sections", "collected").rollup->operation = "max";
        field(m, "sections", "enrolled").rollup->value = "";
    });
    auto plan = apply(*next);
    EXPECT_EQ(risk_of(plan, "sections.total is recomputed"), MigrationRisk::rewrite);
    auto row = query_as_owner("SELECT total, collected, enrolled FROM data.sections WHERE title = 'Physics'");
    EXPECT_EQ(row.text(0, 0), "20000");
    EXPECT_EQ(row.text(0, 1), "70");
    EXPECT_EQ(row.text(0, 2), "1");
}

TEST_F(MigrationPlanTest, DoesNotWaitLongForABusyTable) {
    auto busy = *owner_pool->begin(model->app);
    ASSERT_TRUE(busy.execute("SELECT * FROM data.sections"));
    order.lock_timeout = std::chrono::milliseconds(50);
    auto next = changed([](Model& m) { find(m, "sections").read[0].roles = {"admin"}; });
    auto conflicts = apply_migration(*next, order);
    ASSERT_FALSE(conflicts);
    EXPECT_EQ(conflicts.error().fault, Fault::unavailable);
    EXPECT_THAT(conflicts.error().message, HasSubstr("a table is in use"));
}

TEST_F(MigrationPlanTest, AppliesConcurrently) {
    auto next = changed([](Model& m) { field(m, "sections", "room").max_length = 30; });
    std::atomic<int> worked{0}, found{0};
    std::vector<std::thread> appliers;
    for (int i = 0; i < 4; ++i) {
        appliers.emplace_back([&] {
            auto plan = apply_migration(*next, order);
            EXPECT_TRUE(plan) << plan.error().cause;
            if (plan) ++(plan->steps.empty() ? found : worked);
        });
    }
    for (auto& one : appliers)
        one.join();
    EXPECT_EQ(worked, 1);
    EXPECT_EQ(found, 3);
}

TEST_F(MigrationPlanTest, DetectsAndRepairsDrift) {
    query_as_owner("ALTER TABLE data.sections DISABLE ROW LEVEL SECURITY");
    auto open = verify_schema(*pool, *model, Monotonic::max());
    ASSERT_FALSE(open);
    EXPECT_THAT(open.error().message, HasSubstr("lack row-level security (sections)"));
    query_as_owner("DROP INDEX data.\"students.+order.index\"");
    EXPECT_EQ(apply(*model).retired.size(), 0u);
    EXPECT_TRUE(verify_schema(*pool, *model, Monotonic::max()));
}

TEST_F(MigrationPlanTest, ReportsAnUnappliedModelWithTheFix) {
    auto next = changed([](Model& m) { field(m, "sections", "room").max_length = 30; });
    auto stale = verify_schema(*pool, *next, Monotonic::max());
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().fault, Fault::conflict);
    EXPECT_THAT(stale.error().message, HasSubstr("run integreat db apply --app school"));
}

}  // namespace
}  // namespace integreat::collections
