// SPDX-License-Identifier: Apache-2.0
#include "config/expression/expression.h"

#include <gtest/gtest.h>

namespace integreat::config {

namespace {

FieldSettings field(std::string name, std::string type, std::string computed = "") {
    FieldSettings made;
    made.name = std::move(name);
    made.type = std::move(type);
    made.computed = std::move(computed);
    return made;
}

CollectionSettings orders() {
    CollectionSettings made;
    made.name = "orders";
    made.fields = {field("price", "money"),
                   field("quantity", "integer"),
                   field("share", "decimal"),
                   field("paid", "boolean"),
                   field("due", "date"),
                   field("note", "text"),
                   field("total", "money", "price * quantity")};
    made.states.emplace().names = {"open"};
    return made;
}

std::string computed(std::string type, std::string expression) {
    auto compiled = compile_computed(orders(), field("result", std::move(type), std::move(expression)));
    return compiled.error ? "refused: " + *compiled.error : compiled.sql;
}

std::string guard(std::string_view expression) {
    auto compiled = compile_guard(orders(), expression);
    return compiled.error ? "refused: " + *compiled.error : compiled.sql;
}

TEST(Expression, QuotesEveryName) {
    EXPECT_EQ(computed("money", "price * quantity"), R"((("price" * "quantity"))::bigint)");
    EXPECT_EQ(computed("integer", "quantity"), R"(("quantity")::bigint)");
}

TEST(Expression, MultipliesBeforeItAdds) {
    EXPECT_EQ(computed("integer", "1 + quantity * 2 - 3"), R"((((1 + ("quantity" * 2)) - 3))::bigint)");
    EXPECT_EQ(computed("integer", "(1 + quantity) * -2"), R"((((1 + "quantity") * (- 2)))::bigint)");
}

TEST(Expression, DividesWithFractionsAndGuardsAgainstZero) {
    EXPECT_EQ(computed("decimal", "quantity / 3"),
              R"((("quantity"::numeric / NULLIF(3, 0)))::numeric(18, 2))");
    EXPECT_EQ(computed("money", "round(price / 3, 0)"),
              R"((round(("price"::numeric / NULLIF(3, 0))::numeric, 0))::bigint)");
}

TEST(Expression, DistinguishesMoneyFromNumbers) {
    EXPECT_EQ(computed("decimal", "price / price"),
              R"((("price"::numeric / NULLIF("price", 0)))::numeric(18, 2))");
    EXPECT_EQ(computed("money", "coalesce(price, 0) + 100"), R"(((coalesce("price", 0) + 100))::bigint)");
    EXPECT_EQ(computed("money", "price + quantity"), "refused: cannot add money and a number (character 7)");
    EXPECT_EQ(computed("decimal", "price"), "refused: is money: make the field money");
}

TEST(Expression, InlinesComputedFields) {
    EXPECT_EQ(computed("money", "total - price"),
              R"((((("price" * "quantity"))::bigint - "price"))::bigint)");
}

TEST(Expression, HasAMaximumSize) {
    auto collection = orders();
    collection.fields.push_back(field("f0", "integer", "quantity"));
    for (int i = 1; i < 15; ++i) {
        auto before = "f" + std::to_string(i - 1);
        collection.fields.push_back(field("f" + std::to_string(i), "integer", before + " + " + before));
    }
    auto compiled = compile_computed(collection, collection.fields.back());
    ASSERT_TRUE(compiled.error);
    auto small = compile_computed(collection, collection.fields[10]);
    EXPECT_FALSE(small.error);
    EXPECT_LE(small.sql.size(), max_expression_sql);
}

TEST(Expression, CompilesGuardsToTrueOrFalse) {
    EXPECT_EQ(guard("price <= 0"), R"((("price" <= 0)) IS TRUE)");
    EXPECT_EQ(guard("paid"), R"(("paid") IS TRUE)");
    EXPECT_EQ(guard("not paid or due < today"),
              R"((((NOT "paid") OR ("due" < (now() AT TIME ZONE 'Asia/Manila')::date))) IS TRUE)");
    EXPECT_EQ(guard("created_at < now and note != 'x'"),
              R"(((("created_at" < now()) AND ("note" <> 'x'))) IS TRUE)");
}

TEST(Expression, RefusesInjectedSql) {
    for (auto attack :
         {"note = 'a' || pg_sleep(1)", "note = 'a'; DROP TABLE x", "note = $$a$$", "\"note\" = 'a'",
          "note = 'a\\' or true", "note::text = 'a'", "pg_sleep(1) = 1", "note = E'a'", "(select 1) = 1",
          "note -- = 'a'", "note /* */ = 'a'", "paid = true\nor true"}) {
        EXPECT_TRUE(guard(attack).starts_with("refused: ")) << attack << " became " << guard(attack);
    }
}

TEST(Expression, ReportsThePositionOfAnError) {
    EXPECT_EQ(guard("price <="), "refused: ends before a value (character 9)");
    EXPECT_EQ(guard(""), "refused: ends before a value (character 1)");
    EXPECT_EQ(guard("price <= 0 price"), "refused: has an unexpected \"price\" (character 12)");
    EXPECT_EQ(guard("prize <= 0"),
              "refused: uses the unknown field \"prize\" of orders, did you mean \"price\"? (character 1)");
}

TEST(Expression, RefusesDeepNesting) {
    EXPECT_TRUE(
        guard(std::string(21, '(') + "paid" + std::string(21, ')')).starts_with("refused: is nested"));
    EXPECT_FALSE(guard(std::string(20, '(') + "paid" + std::string(20, ')')).starts_with("refused"));
    EXPECT_TRUE(computed("integer", std::string(400, '-') + "1").starts_with("refused: is nested"));
}

}  // namespace

}  // namespace integreat::config
