// SPDX-License-Identifier: Apache-2.0
#include "policy/document/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/document/wildcard.h"

namespace integreat::policy {
namespace {

using Values = std::vector<std::string>;

// Returns whether `op` on "test:key" with the policy's `operands` holds for the request's values `actual`.
bool outcome(const std::string& op, const Values& operands, const std::optional<Values>& actual) {
    auto parsed = parse_operator(op);
    EXPECT_TRUE(parsed) << op;
    Condition condition{.operator_name = op, .key_name = "test:key", .op = *parsed, .key = "test:key"};
    for (const auto& text : operands) {
        auto operand = parse_operand(*parsed, text, true);
        EXPECT_TRUE(operand) << op << " " << text;
        condition.operands.push_back(*operand);
        condition.operand_texts.push_back(text);
    }
    Context context;
    set(context, "aws:username", std::string("Ann"));
    set(context, "aws:truth", std::string("true"));
    if (actual) set(context, "test:key", *actual);
    return holds(condition, context);
}

struct Single {
    const char* op;
    Values operands;
    const char* actual;
    bool holds;
};

void expect_outcomes(const std::vector<Single>& table) {
    for (const auto& [op, operands, actual, expected] : table) {
        EXPECT_EQ(outcome(op, operands, Values{actual}), expected)
            << op << " " << ::testing::PrintToString(operands) << " on " << actual;
    }
}

TEST(Condition, ComparesTexts) {
    expect_outcomes({{"StringEquals", {"a"}, "a", true},
                     {"StringEquals", {"a"}, "A", false},
                     {"StringEquals", {"a", "b"}, "b", true},
                     {"StringEquals", {}, "a", false},
                     {"StringEquals", {"*"}, "a", false},
                     {"StringEquals", {"*"}, "*", true},
                     {"StringEquals", {"${aws:username}"}, "Ann", true},
                     {"StringEquals", {"${aws:none}"}, "", false},
                     {"StringEquals", {"${aws:none, 'x'}"}, "x", true},
                     {"StringNotEquals", {"a"}, "a", false},
                     {"StringNotEquals", {"a"}, "b", true},
                     {"StringNotEquals", {"a", "b"}, "b", false},
                     {"StringNotEquals", {"a", "b"}, "c", true},
                     {"StringNotEquals", {}, "a", true},
                     {"StringNotEquals", {"${aws:none}"}, "a", true},
                     {"StringEqualsIgnoreCase", {"aB"}, "Ab", true},
                     {"StringEqualsIgnoreCase", {"${aws:username}"}, "aNN", true},
                     {"StringEqualsIgnoreCase", {"a"}, "b", false},
                     {"StringNotEqualsIgnoreCase", {"aB"}, "Ab", false},
                     {"StringNotEqualsIgnoreCase", {"aB"}, "c", true},
                     {"StringLike", {"home/*"}, "home/", true},
                     {"StringLike", {"home/?"}, "home/", false},
                     {"StringLike", {"", "home/", "home/${aws:username}/*"}, "home/Ann/x", true},
                     {"StringLike", {"", "home/", "home/${aws:username}/*"}, "", true},
                     {"StringLike", {"home/*"}, "HOME/x", false},
                     {"StringNotLike", {"home/*"}, "home/x", false},
                     {"StringNotLike", {"home/*"}, "work/x", true}});
}

TEST(Condition, ComparesNumbersAndDates) {
    expect_outcomes({{"NumericEquals", {"10"}, "10.0", true},
                     {"NumericEquals", {"10"}, "11", false},
                     {"NumericEquals", {"10"}, "ten", false},
                     {"NumericNotEquals", {"10"}, "11", true},
                     {"NumericNotEquals", {"10", "11"}, "11", false},
                     {"NumericLessThan", {"10"}, "9", true},
                     {"NumericLessThan", {"10"}, "10", false},
                     {"NumericLessThanEquals", {"10"}, "10", true},
                     {"NumericLessThanEquals", {"10"}, "10.5", false},
                     {"NumericGreaterThan", {"10"}, "10", false},
                     {"NumericGreaterThan", {"10"}, "100", true},
                     {"NumericGreaterThanEquals", {"10"}, "10", true},
                     {"NumericGreaterThanEquals", {"10"}, "-10", false},
                     {"DateEquals", {"2020-01-01T00:00:01Z"}, "2020-01-01T01:00:01+01:00", true},
                     {"DateEquals", {"2020-01-01"}, "1577836800", true},
                     {"DateNotEquals", {"2020-01-01"}, "2020-01-02", true},
                     {"DateLessThan", {"2020-01-01T00:00:01Z"}, "2020-01-01T00:00:00Z", true},
                     {"DateLessThan", {"2020-01-01"}, "2020-01-01", false},
                     {"DateLessThanEquals", {"2020"}, "2020-01-01", true},
                     {"DateGreaterThan", {"2020-01-01T00:00:01Z"}, "2026-11-22T08:15:00Z", true},
                     {"DateGreaterThan", {"1577836800"}, "1577836800", false},
                     {"DateGreaterThanEquals", {"1577836800"}, "1577836800", true},
                     {"DateGreaterThan", {"2020"}, "soon", false}});
}

TEST(Condition, ComparesBooleansBytesAddressesAndArns) {
    expect_outcomes(
        {{"Bool", {"true"}, "true", true},
         {"Bool", {"TRUE"}, "True", true},
         {"Bool", {"true"}, "false", false},
         {"Bool", {"true"}, "1", false},
         {"Bool", {"${aws:truth}"}, "true", true},
         {"Bool", {"${aws:truth}"}, "false", false},
         {"Bool", {"${aws:none}"}, "true", false},
         {"BinaryEquals", {"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, "BinaryValueInBase64", true},
         {"BinaryEquals", {"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, "binary", false},
         {"IpAddress", {"203.0.113.0/24", "2001:DB8:1234:5678::/64"}, "203.0.113.99", true},
         {"IpAddress", {"203.0.113.0/24", "2001:DB8:1234:5678::/64"}, "2001:db8:1234:5678::1", true},
         {"IpAddress", {"203.0.113.0/24"}, "203.0.114.1", false},
         {"IpAddress", {"203.0.113.0/24"}, "unknown", false},
         {"NotIpAddress", {"203.0.113.0/24"}, "203.0.114.1", true},
         {"NotIpAddress", {"203.0.113.0/24", "10.0.0.0/8"}, "10.1.1.1", false},
         {"ArnEquals", {"arn:aws:iam::123456789012:role/x"}, "arn:aws:iam::123456789012:role/x", true},
         {"ArnEquals", {"arn:aws:iam::123456789012:role/*"}, "arn:aws:iam::123456789012:role/a:b/c", true},
         {"ArnLike", {"arn:aws:iam::*:role/${aws:username}"}, "arn:aws:iam::1:role/Ann", true},
         {"ArnLike", {"arn:aws:iam::*:role/x"}, "arn:aws:iam::1:role/X", false},
         {"ArnLike", {"*"}, "arn:aws:iam::1:role/x", true},
         {"ArnLike", {"*"}, "no ARN", false},
         {"ArnNotEquals", {"arn:aws:iam::1:user/a"}, "arn:aws:iam::1:user/b", true},
         {"ArnNotLike", {"arn:aws:iam::1:user/*"}, "arn:aws:iam::1:user/b", false},
         // The example of the user guide: each of the six parts is checked separately.
         {"ArnLike",
          {"arn:aws:someservice:*:111122223333:finance/*"},
          "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
          false},
         {"StringLike",
          {"arn:aws:someservice:*:111122223333:finance/*"},
          "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
          true}});
}

TEST(Condition, AVariableCannotMoveThePartsOfAnArn) {
    auto op = *parse_operator("ArnLike");
    auto operand = parse_operand(op, "arn:aws:s3:::${x:y}:z", true);
    ASSERT_TRUE(operand);
    Condition condition{.op = op, .key = "test:key", .operands = {*operand}};
    Context context;
    set(context, "x:y", std::string("a:b"));
    set(context, "test:key", std::string("arn:aws:s3:::a:b:z"));
    EXPECT_TRUE(holds(condition, context));
    auto account = parse_operand(op, "arn:aws:iam::${x:y}:role/r", true);
    condition.operands = {*account};
    set(context, "x:y", std::string("1:role/r"));
    set(context, "test:key", std::string("arn:aws:iam::1:role/r:role/r"));
    EXPECT_FALSE(holds(condition, context));
}

// Every operator but Null, on a key that the request does not have.
TEST(Condition, AnAbsentKeySatisfiesOnlyNegatedOperatorsAndIfExists) {
    struct Absent {
        const char* op;
        const char* value;
        bool holds;
    };
    for (const auto& [name, value, expected] : {Absent{"StringEquals", "a", false},
                                                Absent{"StringNotEquals", "a", true},
                                                Absent{"StringEqualsIgnoreCase", "a", false},
                                                Absent{"StringNotEqualsIgnoreCase", "a", true},
                                                Absent{"StringLike", "*", false},
                                                Absent{"StringNotLike", "*", true},
                                                Absent{"NumericEquals", "1", false},
                                                Absent{"NumericNotEquals", "1", true},
                                                Absent{"NumericLessThan", "1", false},
                                                Absent{"NumericGreaterThan", "1", false},
                                                Absent{"NumericLessThanEquals", "1", false},
                                                Absent{"NumericGreaterThanEquals", "1", false},
                                                Absent{"DateEquals", "2020", false},
                                                Absent{"DateNotEquals", "2020", true},
                                                Absent{"DateLessThan", "2020", false},
                                                Absent{"DateGreaterThan", "2020", false},
                                                Absent{"DateLessThanEquals", "2020", false},
                                                Absent{"DateGreaterThanEquals", "2020", false},
                                                Absent{"Bool", "false", false},
                                                Absent{"BinaryEquals", "", false},
                                                Absent{"IpAddress", "0.0.0.0/0", false},
                                                Absent{"NotIpAddress", "0.0.0.0/0", true},
                                                Absent{"ArnEquals", "*", false},
                                                Absent{"ArnLike", "*", false},
                                                Absent{"ArnNotEquals", "*", true},
                                                Absent{"ArnNotLike", "*", true}}) {
        auto op = std::string(name);
        EXPECT_EQ(outcome(op, {value}, std::nullopt), expected) << op;
        EXPECT_EQ(outcome(op, {value}, Values{}), expected) << op;
        EXPECT_TRUE(outcome(op + "IfExists", {value}, std::nullopt)) << op;
        EXPECT_TRUE(outcome("ForAllValues:" + op, {value}, std::nullopt)) << op;
        EXPECT_TRUE(outcome("ForAllValues:" + op + "IfExists", {value}, std::nullopt)) << op;
        EXPECT_FALSE(outcome("ForAnyValue:" + op, {value}, std::nullopt)) << op;
        EXPECT_FALSE(outcome("ForAnyValue:" + op + "IfExists", {value}, std::nullopt)) << op;
    }
    EXPECT_FALSE(outcome("StringEqualsIfExists", {"a"}, Values{"b"}));
    EXPECT_TRUE(outcome("StringEqualsIfExists", {"a"}, Values{"a"}));
    EXPECT_FALSE(outcome("BoolIfExists", {"true"}, Values{"false"}));
}

TEST(Condition, NullTestsWhetherTheKeyIsPresent) {
    EXPECT_TRUE(outcome("Null", {"true"}, std::nullopt));
    EXPECT_TRUE(outcome("Null", {"true"}, Values{}));
    EXPECT_FALSE(outcome("Null", {"true"}, Values{"x"}));
    EXPECT_TRUE(outcome("Null", {"false"}, Values{"x"}));
    EXPECT_FALSE(outcome("Null", {"false"}, std::nullopt));
    EXPECT_TRUE(outcome("Null", {"false", "true"}, std::nullopt));
}

TEST(Condition, SetOperatorsCheckEveryValue) {
    struct Set {
        const char* op;
        Values operands;
        Values actual;
        bool holds;
    };
    // The examples with the DynamoDB attributes are those of the user guide.
    for (const auto& [op, operands, actual, expected] : std::vector<Set>{
             {"ForAllValues:StringLike",
              {"PostDateTime", "Message", "Tags"},
              {"PostDateTime", "Message"},
              true},
             {"ForAllValues:StringLike", {"PostDateTime", "Message", "Tags"}, {"PostDateTime", "ID"}, false},
             {"ForAnyValue:StringLike", {"ID", "PostDateTime"}, {"PostDateTime", "Message"}, true},
             {"ForAnyValue:StringLike", {"ID", "PostDateTime"}, {"UserName"}, false},
             {"ForAnyValue:StringLike",
              {"ID", "PostDateTime"},
              {"UserName", "Message", "PostDateTime"},
              true},
             {"ForAllValues:StringEquals", {"a"}, {""}, true},
             {"ForAnyValue:StringEquals", {""}, {""}, false},
             {"ForAllValues:StringEquals", {"a"}, {"", "b"}, false},
             {"ForAllValues:StringNotEquals", {"a", "b"}, {"c", "d"}, true},
             {"ForAllValues:StringNotEquals", {"a", "b"}, {"c", "a"}, false},
             {"ForAnyValue:StringNotEquals", {"a", "b"}, {"a", "c"}, true},
             {"ForAnyValue:StringNotEquals", {"a", "b"}, {"a", "b"}, false},
             {"ForAllValues:NumericLessThan", {"10"}, {"1", "9"}, true},
             {"ForAnyValue:IpAddress", {"10.0.0.0/8"}, {"1.1.1.1", "10.0.0.1"}, true},
             // Without a set operator a key must have one value, unless all must differ.
             {"StringEquals", {"a", "b"}, {"a", "b"}, false},
             {"StringNotEquals", {"a"}, {"b", "c"}, true},
             {"StringNotEquals", {"a"}, {"b", "a"}, false},
         }) {
        EXPECT_EQ(outcome(op, operands, actual), expected) << op << " " << ::testing::PrintToString(actual);
    }
}

TEST(Condition, RejectsUnknownOperators) {
    for (auto name : {"", "StringEqual", "stringequals", "ForAll:StringEquals", "IfExists", "Like",
                      "ForAnyValue:", "StringEqualsIfExistsIfExists", "NullIfExists", "ForAnyValue:Null",
                      "NumericLike", "BoolNot"}) {
        EXPECT_FALSE(parse_operator(name)) << name;
    }
}

}  // namespace
}  // namespace integreat::policy
