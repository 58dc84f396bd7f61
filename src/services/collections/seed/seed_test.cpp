// SPDX-License-Identifier: Apache-2.0
#include "services/collections/seed/seed.h"

#include <fstream>
#include <iterator>
#include <set>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "services/collections/testing/collections_fixture.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

std::string contents(const std::string& name) {
    std::ifstream stream(INTEGREAT_SOURCE_DIR "/apps/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::shared_ptr<const Model> model_of(const std::string& text, const std::string& file) {
    auto checked = config::load_manifest(text, file, [](std::string_view) { return std::nullopt; });
    for (const auto& mistake : checked.mistakes)
        ADD_FAILURE() << to_string(mistake);
    return compile_model(checked.value);
}

std::shared_ptr<const Model> app(const std::string& name) {
    return model_of(contents(name + ".yaml"), name + ".yaml");
}

const Soil soil{.now = from_unix_seconds(1'795'000'000),
                .people = {{"student", "uid-of-student"}, {"professor", "uid-of-professor"}}};

Result<std::vector<Grown>> grown(const Model& model, const std::string& name, const Soil& in = soil) {
    auto reading = read_seed({"apps/seed/" + name + ".yaml", contents("seed/" + name + ".yaml")},
                             {"apps/seed/words.yaml", contents("seed/words.yaml")}, model);
    for (const auto& mistake : reading.mistakes)
        ADD_FAILURE() << to_string(mistake);
    return grow(reading.seed, model, in);
}

class AppSeeds : public ::testing::TestWithParam<std::string> {};

std::set<std::string> ids_of(const std::vector<Grown>& beds, const std::string& collection) {
    std::set<std::string> ids;
    for (const auto& bed : beds) {
        if (bed.collection->name != collection) continue;
        for (const auto& record : bed.records)
            EXPECT_TRUE(ids.emplace(record.at("id").as_string()).second);
    }
    return ids;
}

void expect_sound(const std::vector<Grown>& beds, const Collection& collection, const bj::object& record) {
    for (const auto& field : collection.fields) {
        const auto* value = record.if_contains(field.name);
        EXPECT_TRUE(value || !field.required || !field.writable()) << collection.name << "." << field.name;
        if (!value) continue;
        if (field.type == FieldType::enumeration) {
            std::string text(value->as_string());
            EXPECT_NE(std::find(field.values.begin(), field.values.end(), text), field.values.end()) << text;
        }
        if (field.type == FieldType::reference) {
            EXPECT_TRUE(ids_of(beds, field.target).contains(std::string(value->as_string())))
                << collection.name << "." << field.name;
        }
    }
}

TEST_P(AppSeeds, GrowHundredsOfSoundRecords) {
    auto model = app(GetParam());
    auto beds = grown(*model, GetParam());
    ASSERT_TRUE(beds) << beds.error().message;
    std::size_t records = 0;
    for (const auto& bed : *beds) {
        records += bed.records.size();
        expect_sound(*beds, *bed.collection, bed.records.front().as_object());
        expect_sound(*beds, *bed.collection, bed.records.back().as_object());
    }
    EXPECT_GE(records, 500u);
    for (const auto& collection : model->collections)
        EXPECT_FALSE(ids_of(*beds, collection.name).empty()) << "no seed for " << collection.name;
}

TEST_P(AppSeeds, GrowTheSameAgainOnTheSameDay) {
    auto model = app(GetParam());
    auto first = grown(*model, GetParam());
    auto second = grown(*model, GetParam());
    auto other = soil;
    other.number = 2;
    auto third = grown(*model, GetParam(), other);
    ASSERT_TRUE(first && second && third);
    ASSERT_EQ(first->size(), second->size());
    ASSERT_FALSE(first->empty());
    for (std::size_t i = 0; i < first->size(); ++i)
        EXPECT_EQ((*first)[i].records, (*second)[i].records);
    EXPECT_NE(first->front().records, third->front().records);
}

TEST_P(AppSeeds, TakeRootInTheTablesOfTheirManifest) {
    auto model = app(GetParam());
    auto database = testing::database_for(*model);
    FixedClock clock;
    auto settings = database.pool;
    settings.url = database.superuser_url;
    settings.connections_max = 1;
    settings.statement_timeout = std::chrono::seconds(60);
    postgres::Pool owner(settings, clock);
    auto beds = grown(*model, GetParam());
    ASSERT_TRUE(beds) << beds.error().message;
    auto deadline = [] { return Monotonic::max(); };
    auto sown = sow(owner, *model, *beds, Sowing::empty_only, deadline());
    ASSERT_TRUE(sown) << sown.error().message << " " << sown.error().cause;
    auto twice = sow(owner, *model, *beds, Sowing::empty_only, deadline());
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().fault, Fault::conflict);
    auto anew = sow(owner, *model, *beds, Sowing::anew, deadline());
    EXPECT_TRUE(anew) << anew.error().message << " " << anew.error().cause;
}

INSTANTIATE_TEST_SUITE_P(All, AppSeeds, ::testing::Values("campus", "evntgarde", "pillars", "teleo"),
                         [](const auto& name) { return name.param; });

const std::string shop = R"yaml(
app: shop
title: Shop
project: shop-project
roles: [admin]
collections:
  goods:
    fields:
      name: {type: text, required: true}
      sku: {type: text, unique: true}
      price: {type: decimal, digits: 6, scale: 2}
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

std::string mistakes_of(const std::string& seed) {
    auto model = model_of(shop, "shop.yaml");
    auto reading = read_seed({"seed.yaml", seed}, {"words.yaml", "fruits: [mango, langka]\n"}, *model);
    std::string all;
    for (const auto& mistake : reading.mistakes)
        all += to_string(mistake) + "\n";
    return all;
}

std::string problem_of(const std::string& seed) {
    auto model = model_of(shop, "shop.yaml");
    auto reading = read_seed({"seed.yaml", seed}, {"words.yaml", "fruits: [mango, langka]\n"}, *model);
    EXPECT_TRUE(reading.mistakes.empty()) << to_string(reading.mistakes.front());
    auto beds = grow(reading.seed, *model, soil);
    return beds ? "" : beds.error().message;
}

TEST(Seed, SaysWhatIsWrongInItsFile) {
    EXPECT_EQ(mistakes_of("- {collection: good}\n"),
              "seed.yaml:1:16 unknown collection \"good\", did you mean \"goods\"?\n");
    EXPECT_EQ(mistakes_of("- collection: goods\n  count: 0\n  rows: [{nmae: x}]\n"),
              "seed.yaml:2:10 count must be 1 to 5000\n"
              "seed.yaml:3:17 unknown field \"nmae\", did you mean \"name\"?\n");
    EXPECT_EQ(
        mistakes_of("- collection: goods\n  count: 1\n  states: {lost: 1}\n  values: {total: pick a}\n"),
        "seed.yaml:3:18 unknown state \"lost\"\n"
        "seed.yaml:4:19 nobody writes \"total\"\n");
    EXPECT_EQ(mistakes_of("- collection: goods\n  conut: 1\n"),
              "seed.yaml:2:10 unknown key \"conut\", did you mean \"count\"?\n");
    EXPECT_EQ(mistakes_of("goods: 1\n"), "seed.yaml:1:1 a seed is a list of at most 200 beds\n");
    EXPECT_EQ(
        mistakes_of("- {collection: goods, count: 1, values: {name: {make: pick fruits, share: 101}}}\n"),
        "seed.yaml:1:75 share must be 1 to 100\n");
}

TEST(Seed, SaysWhichMakerCannotDoItsWork) {
    auto with = [](const std::string& maker) {
        return problem_of("- collection: goods\n  count: 3\n  values:\n    name: " + maker + "\n");
    };
    EXPECT_EQ(with("pick fruits"), "");
    EXPECT_EQ(with("pik fruits"), "seed.yaml:4: \"pik\" of name is unknown, did you mean \"pick\"?");
    EXPECT_EQ(
        with("pick fruit"),
        "seed.yaml:4: \"pick\" of name names the unknown list of words \"fruit\", did you mean \"fruits\"?");
    EXPECT_EQ(with("text {sku}"), "seed.yaml:4: \"text\" of name has no value yet for {sku}");
    EXPECT_EQ(with("any"), "seed.yaml:4: \"any\" of name is for references");
    EXPECT_EQ(with("between 5 1"), "seed.yaml:4: \"between\" of name begins behind its end");
    EXPECT_EQ(problem_of("- collection: goods\n  count: 3\n"),
              "seed.yaml:1: goods gets no name, which is required");
    EXPECT_EQ(
        problem_of("- collection: goods\n  count: 3\n  values: {name: pick fruits, sku: pick fruits}\n"),
        "seed.yaml:1: goods finds no record 3 that is unlike the others: fewer of them, or more to choose "
        "from");
}

TEST(Seed, MakesValuesOfEveryKind) {
    auto model = model_of(shop, "shop.yaml");
    auto reading = read_seed({"seed.yaml", R"yaml(
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
    auto beds = grow(reading.seed, *model, soil);
    ASSERT_TRUE(beds) << beds.error().message;
    const auto& goods = (*beds)[0].records;
    EXPECT_EQ(goods[0].at("sku"), "Mangga-001");
    EXPECT_EQ(goods[3].at("sku"), "Kape-004");
    EXPECT_EQ(goods[0].at("tags"), (bj::array{"a", "b"}));
    EXPECT_EQ(goods[0].at("stars"), 3);
    EXPECT_EQ(goods[0].at("state"), "listed");
    EXPECT_EQ(goods[0].at("seller"), "uid-of-student");
    EXPECT_EQ(goods[1].at("seller"), "seed-student-002");
    EXPECT_EQ(goods[2].at("seller"), "uid-of-student");
    EXPECT_EQ(goods[1].at("price").as_string().size(), 4u);
    const auto& orders = (*beds)[1].records;
    EXPECT_EQ(orders[1].at("good"), goods[1].at("id"));
    EXPECT_EQ(orders[1].at("seller"), "seed-student-002");
    EXPECT_EQ(orders[0].at("due"), "2026-11-19");
    EXPECT_EQ((*beds)[2].records[0].at("good"), goods[1].at("id"));
}

}  // namespace

}  // namespace integreat::collections
