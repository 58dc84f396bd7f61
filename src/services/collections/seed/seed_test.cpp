// SPDX-License-Identifier: Apache-2.0
#include "services/collections/seed/seed.h"

#include <set>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "config/testing/load_model.h"
#include "services/collections/seed/seed_file.h"
#include "services/collections/seed/seed_store.h"
#include "services/collections/testing/collections_fixture.h"
#include "services/collections/testing/shipped_apps.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

using testing::load_app;
using testing::read_source_file;

const SeedContext context{.now = from_unix_seconds(1'795'000'000),
                          .users = {{"student", "uid-of-student"}, {"professor", "uid-of-professor"}}};

Result<std::vector<GeneratedRows>> generate(const Model& model, const std::string& name,
                                            const SeedContext& seed_context = context) {
    auto result = parse_seed({"apps/seed/" + name + ".yaml", read_source_file("apps/seed/" + name + ".yaml")},
                             {"apps/seed/words.yaml", read_source_file("apps/seed/words.yaml")}, model);
    for (const auto& diagnostic : result.errors)
        ADD_FAILURE() << to_string(diagnostic);
    return generate_seed(result.seed, model, seed_context);
}

class AppSeeds : public ::testing::TestWithParam<std::string> {};

std::set<std::string> record_ids(const std::vector<GeneratedRows>& batches, const std::string& collection) {
    std::set<std::string> ids;
    for (const auto& batch : batches) {
        if (batch.collection->name != collection) continue;
        for (const auto& record : batch.records)
            EXPECT_TRUE(ids.emplace(record.at("id").as_string()).second);
    }
    return ids;
}

void expect_valid(const std::vector<GeneratedRows>& batches, const Collection& collection,
                  const bj::object& record) {
    for (const auto& field : collection.fields) {
        const auto* value = record.if_contains(field.name);
        EXPECT_TRUE(value || !field.required || !field.writable()) << collection.name << "." << field.name;
        if (!value) continue;
        if (field.type == FieldType::enumeration) {
            std::string text(value->as_string());
            EXPECT_NE(std::find(field.values.begin(), field.values.end(), text), field.values.end()) << text;
        }
        if (field.type == FieldType::reference) {
            EXPECT_TRUE(record_ids(batches, field.target).contains(std::string(value->as_string())))
                << collection.name << "." << field.name;
        }
    }
}

TEST_P(AppSeeds, GenerateHundredsOfValidRecords) {
    auto model = load_app(GetParam());
    auto batches = generate(*model, GetParam());
    ASSERT_TRUE(batches) << batches.error().message;
    std::size_t records = 0;
    for (const auto& batch : *batches) {
        records += batch.records.size();
        expect_valid(*batches, *batch.collection, batch.records.front().as_object());
        expect_valid(*batches, *batch.collection, batch.records.back().as_object());
    }
    EXPECT_GE(records, 500u);
    for (const auto& collection : model->collections)
        EXPECT_FALSE(record_ids(*batches, collection.name).empty()) << "no seed for " << collection.name;
}

TEST_P(AppSeeds, AreReproducibleOnTheSameDay) {
    auto model = load_app(GetParam());
    auto first = generate(*model, GetParam());
    auto second = generate(*model, GetParam());
    auto other = context;
    other.rng_seed = 2;
    auto third = generate(*model, GetParam(), other);
    ASSERT_TRUE(first && second && third);
    ASSERT_EQ(first->size(), second->size());
    ASSERT_FALSE(first->empty());
    for (std::size_t i = 0; i < first->size(); ++i)
        EXPECT_EQ((*first)[i].records, (*second)[i].records);
    EXPECT_NE(first->front().records, third->front().records);
}

TEST_P(AppSeeds, InsertIntoTheTablesOfTheirManifest) {
    auto model = load_app(GetParam());
    auto database = testing::make_database(*model);
    FixedClock clock;
    auto settings = database.pool;
    settings.url = database.superuser_url;
    settings.max_connections = 1;
    settings.statement_timeout = std::chrono::seconds(60);
    postgres::Pool owner(settings, clock);
    auto batches = generate(*model, GetParam());
    ASSERT_TRUE(batches) << batches.error().message;
    auto deadline = [] { return Monotonic::max(); };
    auto inserted = insert_seed(owner, *model, *batches, SeedMode::empty_only, deadline());
    ASSERT_TRUE(inserted) << inserted.error().message << " " << inserted.error().cause;
    auto second_insert = insert_seed(owner, *model, *batches, SeedMode::empty_only, deadline());
    ASSERT_FALSE(second_insert);
    EXPECT_EQ(second_insert.error().fault, Fault::conflict);
    auto replaced = insert_seed(owner, *model, *batches, SeedMode::replace, deadline());
    EXPECT_TRUE(replaced) << replaced.error().message << " " << replaced.error().cause;
}

INSTANTIATE_TEST_SUITE_P(All, AppSeeds, ::testing::Values("campus", "evntgarde", "pillars", "teleo"),
                         [](const auto& name) { return name.param; });

const std::string shop = R"yaml(
integreat: 1
app: shop
title: Shop
project: shop-project
roles: [admin]
collections:
  goods:
    fields:
      name: {type: text, required: true}
      sku: {type: text, unique: true}
      price: {type: decimal, precision: 6, scale: 2}
      stars: {type: integer, default: 3}
      tags: {type: list, of: enum, values: [a, b, c]}
      seller: {type: user}
      total: {type: decimal, computed: "price * 2"}
    states: {initial: draft, names: [draft, listed]}
    transitions: {list: {from: [draft], to: listed, allow: [{roles: [admin]}]}}
    access: {read: [{roles: [admin]}]}
  orders:
    fields:
      good: {type: reference, to: goods, required: true}
      seller: {type: user}
      due: {type: date}
    access: {read: [{roles: [admin]}]}
)yaml";

std::string parse_errors(const std::string& seed) {
    auto model = config::testing::load_model(shop, "shop.yaml");
    auto result = parse_seed({"seed.yaml", seed}, {"words.yaml", "fruits: [mango, langka]\n"}, *model);
    std::string all;
    for (const auto& diagnostic : result.errors)
        all += to_string(diagnostic) + "\n";
    return all;
}

std::string generation_error(const std::string& seed) {
    auto model = config::testing::load_model(shop, "shop.yaml");
    auto result = parse_seed({"seed.yaml", seed}, {"words.yaml", "fruits: [mango, langka]\n"}, *model);
    EXPECT_TRUE(result.errors.empty()) << to_string(result.errors.front());
    auto batches = generate_seed(result.seed, *model, context);
    return batches ? "" : batches.error().message;
}

TEST(Seed, ReportsErrorsInTheSeedFile) {
    EXPECT_EQ(parse_errors("- {collection: good}\n"),
              "seed.yaml:1:16 unknown collection \"good\", did you mean \"goods\"?\n");
    EXPECT_EQ(parse_errors("- collection: goods\n  count: 0\n  rows: [{nmae: x}]\n"),
              "seed.yaml:2:10 count must be 1 to 5000\n"
              "seed.yaml:3:17 unknown field \"nmae\", did you mean \"name\"?\n");
    EXPECT_EQ(
        parse_errors("- collection: goods\n  count: 1\n  states: {lost: 1}\n  values: {total: pick a}\n"),
        "seed.yaml:3:18 unknown state \"lost\"\n"
        "seed.yaml:4:19 read-only field \"total\"\n");
    EXPECT_EQ(parse_errors("- collection: goods\n  conut: 1\n"),
              "seed.yaml:2:10 unknown key \"conut\", did you mean \"count\"?\n");
    EXPECT_EQ(parse_errors("goods: 1\n"), "seed.yaml:1:1 a seed is a list of at most 200 batches\n");
    EXPECT_EQ(
        parse_errors("- {collection: goods, count: 1, values: {name: {make: pick fruits, share: 101}}}\n"),
        "seed.yaml:1:75 share must be 1 to 100\n");
}

TEST(Seed, ReportsTheFailingGenerator) {
    auto with = [](const std::string& text) {
        return generation_error("- collection: goods\n  count: 3\n  values:\n    name: " + text + "\n");
    };
    EXPECT_EQ(with("pick fruits"), "");
    EXPECT_EQ(with("pik fruits"), "seed.yaml:4: \"pik\" of name is unknown, did you mean \"pick\"?");
    EXPECT_EQ(
        with("pick fruit"),
        "seed.yaml:4: \"pick\" of name names the unknown list of words \"fruit\", did you mean \"fruits\"?");
    EXPECT_EQ(with("text {sku}"), "seed.yaml:4: \"text\" of name has no value yet for {sku}");
    EXPECT_EQ(with("any"), "seed.yaml:4: \"any\" of name applies to reference fields only");
    EXPECT_EQ(with("between 5 1"), "seed.yaml:4: \"between\" of name has an empty range");
    EXPECT_EQ(generation_error("- collection: goods\n  count: 3\n"),
              "seed.yaml:1: goods has no value for the required field name");
    EXPECT_EQ(generation_error(
                  "- collection: goods\n  count: 3\n  values: {name: pick fruits, sku: pick fruits}\n"),
              "seed.yaml:1: goods record 3 is not unique: reduce count or add more choices");
}

TEST(Seed, GeneratesValuesOfEveryKind) {
    auto model = config::testing::load_model(shop, "shop.yaml");
    auto result = parse_seed({"seed.yaml", R"yaml(
- collection: goods
  count: 4
  states: {listed: 1}
  rows: [{name: Mangga, tags: [a, b]}, {name: Kape}]
  values:
    sku: text {name}-{n:3}
    price: between 1 2 by 0.25
    tags: some 1 2
    seller: user student 2
- collection: orders
  count: 4
  values: {good: each listed, seller: of good.seller, due: days 1 1}
- collection: orders
  rows: [{good: Kape}]
)yaml"},
                             {"words.yaml", "fruits: [mango]\n"}, *model);
    auto batches = generate_seed(result.seed, *model, context);
    ASSERT_TRUE(batches) << batches.error().message;
    const auto& goods = (*batches)[0].records;
    EXPECT_EQ(goods[0].at("sku"), "Mangga-001");
    EXPECT_EQ(goods[3].at("sku"), "Kape-004");
    EXPECT_EQ(goods[0].at("tags"), (bj::array{"a", "b"}));
    EXPECT_EQ(goods[0].at("stars"), 3);
    EXPECT_EQ(goods[0].at("state"), "listed");
    EXPECT_EQ(goods[0].at("seller"), "uid-of-student");
    EXPECT_EQ(goods[1].at("seller"), "seed-student-002");
    EXPECT_EQ(goods[2].at("seller"), "uid-of-student");
    EXPECT_EQ(goods[1].at("price").as_string().size(), 4u);
    const auto& orders = (*batches)[1].records;
    EXPECT_EQ(orders[1].at("good"), goods[1].at("id"));
    EXPECT_EQ(orders[1].at("seller"), "seed-student-002");
    EXPECT_EQ(orders[0].at("due"), "2026-11-19");
    EXPECT_EQ((*batches)[2].records[0].at("good"), goods[1].at("id"));
}

}  // namespace

}  // namespace integreat::collections
