// SPDX-License-Identifier: Apache-2.0
#include "policy/document/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace integreat::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A document around the inside of one statement.
std::string around(std::string_view statement) {
    return R"({"Version": "2012-10-17", "Statement": [{)" + std::string(statement) + "}]}";
}

struct Refused {
    DocumentKind kind;
    std::string text;
    std::string pointer;
    std::string message;
    std::string aws;
};

constexpr auto identity = DocumentKind::identity;
constexpr auto resource = DocumentKind::resource;
constexpr auto trust = DocumentKind::trust;

class Refusals : public testing::TestWithParam<Refused> {};

TEST_P(Refusals, NameThePlaceTheFixAndTheWordsOfAws) {
    const auto& [kind, text, pointer, message, aws] = GetParam();
    auto reading = read_document(text, kind);
    ASSERT_FALSE(reading.good()) << text;
    const auto& mistake = first_for_aws(reading.mistakes);
    EXPECT_EQ(mistake.pointer, pointer) << text;
    EXPECT_THAT(mistake.message, HasSubstr(message)) << text;
    EXPECT_EQ(mistake.aws, aws) << text;
}

const std::string may_get = R"("Effect": "Allow", "Action": "s3:GetObject", "Resource": "*")";
const std::string may_assume =
    R"("Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "123456789012"})";

INSTANTIATE_TEST_SUITE_P(
    OfAnyKind, Refusals,
    testing::Values(
        Refused{identity, "", "", "not a JSON object", "Syntax errors in policy."},
        Refused{identity, "[]", "", "must be an object", "Syntax errors in policy."},
        Refused{trust, "{", "", "not a JSON object", "This policy contains invalid Json"},
        Refused{resource, "x", "", "not a JSON object",
                "Policies must be valid JSON and the first byte must be '{'"},
        Refused{identity, R"({"Statement": [], "Statement": []})", "", "is given twice",
                "Syntax errors in policy."},
        Refused{identity, R"({"Version": "2012-10-17"})", "", "has no Statement", "Syntax errors in policy."},
        Refused{identity, R"({"Statement": []})", "/Statement", "is empty", "Syntax errors in policy."},
        Refused{resource, R"({"Statement": []})", "/Statement", "is empty",
                "Could not parse the policy: Statement is empty!"},
        Refused{identity, R"({"Statement": [7]})", "/Statement/0", "must be an object, not a number",
                "Syntax errors in policy."},
        Refused{identity, R"({"Version": "2013-10-17", "Statement": {)" + may_get + "}}", "/Version",
                "Version must be", "Syntax errors in policy."},
        Refused{trust, R"({"Version": 2012, "Statement": {)" + may_assume + "}}", "/Version",
                "Version must be", "The policy must contain a valid version string"},
        Refused{identity, around(R"("Effect": "Allow", "Action": "s3:Get*", "Resources": "*")"),
                "/Statement/0/Resources", "did you mean \"Resource\"?", "Syntax errors in policy."},
        Refused{trust, around(may_assume + R"(, "Conditions": {})"), "/Statement/0/Conditions",
                "did you mean \"Condition\"?", "Unknown field Conditions"},
        Refused{identity, around(R"("Action": "s3:Get*", "Resource": "*")"), "/Statement/0", "has no Effect",
                "Syntax errors in policy."},
        Refused{resource, around(R"("Action": "s3:Get*", "Resource": "*", "Principal": "*")"), "/Statement/0",
                "has no Effect", "Missing required field Effect"},
        Refused{trust, around(R"("Effect": "allow", "Action": "sts:AssumeRole", "Principal": "*")"),
                "/Statement/0/Effect", "not \"allow\"", "Invalid effect: allow"},
        Refused{identity, around(may_get + R"(, "Sid": "may get")"), "/Statement/0/Sid", "letters and digits",
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
                "expression [0-9A-Za-z]*"},
        Refused{identity, around(may_get + R"(, "Sid": "a"}, {)" + may_get + R"(, "Sid": "a")"),
                "/Statement/1/Sid", "given twice",
                "Statement IDs (SID) in a single policy must be unique."}));

INSTANTIATE_TEST_SUITE_P(
    OfWho, Refusals,
    testing::Values(
        Refused{identity, around(may_get + R"(, "Principal": "*")"), "/Statement/0/Principal", "remove it",
                "Policy document should not specify a principal."},
        Refused{identity, around(may_get + R"(, "NotPrincipal": "*")"), "/Statement/0/NotPrincipal",
                "remove it", "Policy document should not specify a principal."},
        Refused{resource, around(may_get), "/Statement/0", "has no Principal",
                "Missing required field Principal"},
        Refused{trust, around(R"("Effect": "Allow", "Action": "sts:AssumeRole")"), "/Statement/0",
                "has no Principal", "Missing required field Principal"},
        Refused{resource, around(may_get + R"(, "NotPrincipal": {"AWS": "123456789012"})"),
                "/Statement/0/NotPrincipal", "for Deny only", "Allow with NotPrincipal is not allowed."},
        Refused{
            trust, around(R"("Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "bob"})"),
            "/Statement/0/Principal/AWS", "\"bob\" is nobody", R"(Invalid principal in policy: "AWS":"bob")"},
        Refused{resource,
                around(may_get + R"(, "Principal": {"AWS": ["*", "arn:aws:iam::123456789012:user/*"]})"),
                "/Statement/0/Principal/AWS/1", "without wildcards", "Invalid principal in policy"},
        Refused{resource, around(may_get + R"(, "Principal": "123456789012")"), "/Statement/0/Principal",
                "is nobody", "Invalid principal in policy"},
        Refused{resource, around(may_get + R"(, "Principal": {})"), "/Statement/0/Principal", "is nobody",
                "Invalid principal in policy"},
        Refused{resource, around(may_get + R"(, "Principal": {"Aws": "*"})"), "/Statement/0/Principal/Aws",
                "did you mean \"AWS\"?", "Unknown field Aws"},
        Refused{resource, around(may_get + R"(, "Principal": {"AWS": []})"), "/Statement/0/Principal/AWS",
                "is nobody", "Invalid principal in policy"},
        Refused{trust, around(R"("Effect": "Allow", "Action": "sts:*", "Principal": {"Federated": "*"})"),
                "/Statement/0/Principal/Federated", "is nobody",
                R"(Invalid principal in policy: "Federated":"*")"}));

INSTANTIATE_TEST_SUITE_P(
    OfWhatAndWhere, Refusals,
    testing::Values(
        Refused{identity, around(R"("Effect": "Allow", "Resource": "*")"), "/Statement/0", "has no actions",
                "Policy statement must contain actions."},
        Refused{identity, around(R"("Effect": "Allow", "Action": [], "Resource": "*")"),
                "/Statement/0/Action", "has no actions", "Policy statement must contain actions."},
        Refused{trust, around(R"("Effect": "Allow", "Principal": "*")"), "/Statement/0", "has no actions",
                "Missing required field Action"},
        Refused{identity, around(may_get + R"(, "NotAction": "s3:PutObject")"), "/Statement/0",
                "exclude each other", "Syntax errors in policy."},
        Refused{identity, around(R"("Effect": "Allow", "Action": "GetObject", "Resource": "*")"),
                "/Statement/0/Action", "names no service",
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
        Refused{identity, around(R"("Effect": "Allow", "NotAction": ["s3:a", "s3:b:c"], "Resource": "*")"),
                "/Statement/0/NotAction/1", "more than one colon",
                "Actions/Condition can contain only one colon."},
        Refused{identity, around(R"("Effect": "Allow", "Action": "s*:Get", "Resource": "*")"),
                "/Statement/0/Action", "without wildcards", "Vendor s* is not valid"},
        Refused{resource, around(R"("Effect": "Allow", "Action": "Get", "Resource": "*", "Principal": "*")"),
                "/Statement/0/Action", "names no service", "Policy has invalid action"},
        Refused{trust, around(R"("Effect": "Allow", "Action": "s3:GetObject", "Principal": "*")"),
                "/Statement/0/Action", "STS only",
                "AssumeRole policy may only specify STS AssumeRole actions."},
        Refused{trust, around(may_assume + R"(, "Resource": "*")"), "/Statement/0/Resource", "remove it",
                "Has prohibited field Resource"},
        Refused{identity, around(R"("Effect": "Allow", "Action": "s3:*")"), "/Statement/0",
                "has no resources", "Policy statement must contain resources."},
        Refused{identity, around(R"("Effect": "Allow", "Action": "s3:*", "Resource": "bucket/*")"),
                "/Statement/0/Resource", "must be an ARN",
                "Resource bucket/* must be in ARN format or \"*\"."},
        Refused{identity, around(R"("Effect": "Allow", "Action": "s3:*", "Resource": ["arn:foo:s3:::b"])"),
                "/Statement/0/Resource/0", "must begin with \"arn:aws:\"",
                "Partition \"foo\" is not valid for resource \"arn:foo:s3:::b\"."},
        Refused{identity, around(R"("Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s*:::b")"),
                "/Statement/0/NotResource", "without wildcards",
                "Resource vendor must be fully qualified and cannot contain regexes."},
        Refused{resource, around(R"("Effect": "Allow", "Action": "s3:*", "Resource": "b", "Principal": "*")"),
                "/Statement/0/Resource", "must be an ARN", "Policy has invalid resource"},
        Refused{identity, around(R"("Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${x")"),
                "/Statement/0/Resource", "is not closed", "Syntax errors in policy."},
        Refused{identity, around(R"("Effect": "Allow", "Action": {}, "Resource": 1)"), "/Statement/0/Action",
                "must be a text, not an object", "Syntax errors in policy."}));

INSTANTIATE_TEST_SUITE_P(
    OfConditions, Refusals,
    testing::Values(
        Refused{identity, around(may_get + R"(, "Condition": [])"), "/Statement/0/Condition",
                "must be an object of operators, not a list", "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"StringEqual": {"aws:x": "y"}})"),
                "/Statement/0/Condition/StringEqual", "did you mean \"StringEquals\"?",
                "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"NullIfExists": {"aws:x": true}})"),
                "/Statement/0/Condition/NullIfExists", "Null takes neither", "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"Bool": "aws:x"})"),
                "/Statement/0/Condition/Bool", "must have an object of context keys, not a text",
                "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"Bool": {"x": true}})"),
                "/Statement/0/Condition/Bool/x", "names no service",
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
        Refused{identity, around(may_get + R"(, "Condition": {"Bool": {"aws:x": ["true", "yes"]}})"),
                "/Statement/0/Condition/Bool/aws:x/1", "\"yes\" must be true or false",
                "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"NumericEquals": {"s3:max-keys": "ten"}})"),
                "/Statement/0/Condition/NumericEquals/s3:max-keys", "must be a number",
                "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}})"),
                "/Statement/0/Condition/DateLessThan/aws:CurrentTime", "must be a date",
                "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"IpAddress": {"aws:SourceIp": "1.2.3.4/33"}})"),
                "/Statement/0/Condition/IpAddress/aws:SourceIp", "must be an IP address",
                "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"BinaryEquals": {"a:b": "?"}})"),
                "/Statement/0/Condition/BinaryEquals/a:b", "must be base64", "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3"}})"),
                "/Statement/0/Condition/ArnLike/aws:SourceArn", "must be an ARN of six parts",
                "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"StringLike": {"s3:prefix": "${}"}})"),
                "/Statement/0/Condition/StringLike/s3:prefix", "has no name of a context key",
                "Syntax errors in policy."},
        Refused{identity, around(may_get + R"(, "Condition": {"StringLike": {"s3:prefix": {"a": 1}}})"),
                "/Statement/0/Condition/StringLike/s3:prefix", "must be a text, not an object",
                "Syntax errors in policy."}));

TEST(Document, ReportsEveryMistakeAtOnce) {
    auto reading = read_document(R"({"Version": "2011", "Statment": 1, "Statement": [
        {"Effect": "Alow", "Action": "s3", "Resource": "x"},
        {"Effect": "Deny", "Principal": "*", "NotAction": "s3:*", "Resource": "*"}]})",
                                 DocumentKind::identity);
    std::vector<std::string> pointers;
    for (const auto& mistake : reading.mistakes)
        pointers.push_back(mistake.pointer);
    EXPECT_THAT(pointers, ElementsAre("/Statment", "/Version", "/Statement/0/Effect", "/Statement/0/Action",
                                      "/Statement/0/Resource", "/Statement/1/Principal"));
    auto parsed = parse_document("{}", DocumentKind::identity);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().fault, Fault::invalid);
    EXPECT_EQ(parsed.error().message, "the policy has no Statement: add a list of statements");
}

TEST(Document, TakesSinglesForLists) {
    auto reading = read_document(R"({"Version": "2012-10-17", "Id": "two", "Statement": {
        "Sid": "One", "Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "NotAction": "S3:Get*",
        "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::b/${aws:username}/*"],
        "Condition": {"NumericLessThan": {"s3:max-keys": [10, "20"]}, "Bool": {"aws:SecureTransport": false}}
        }})",
                                 DocumentKind::resource);
    ASSERT_TRUE(reading.good()) << reading.mistakes[0].message;
    EXPECT_EQ(reading.document.id, "two");
    ASSERT_EQ(reading.document.statements.size(), 1u);
    const auto& statement = reading.document.statements[0];
    EXPECT_EQ(name_of(statement), "statement \"One\"");
    EXPECT_EQ(statement.effect, Effect::deny);
    EXPECT_TRUE(statement.principals.is_not && statement.is_not_action && statement.is_not_resource);
    EXPECT_EQ(statement.principals.named[0].account, "123456789012");
    EXPECT_EQ(statement.actions[0].source, "S3:Get*");
    EXPECT_EQ(statement.resources[1].pieces.size(), 2u);
    ASSERT_EQ(statement.conditions.size(), 2u);
    EXPECT_EQ(statement.conditions[0].key, "s3:max-keys");
    EXPECT_THAT(statement.conditions[0].operand_texts, ElementsAre("10", "20"));
    EXPECT_EQ(std::get<bool>(statement.conditions[1].operands[0]), false);
}

TEST(Document, TakesWildcardsForTheLastPartsOfAnArn) {
    for (std::string_view arn :
         {"arn:aws:s3:*", "arn:aws:s3:::*", "arn:aws-cn:s3:::b/*", "arn:aws:sqs:*:*:q-?"}) {
        auto statement = R"("Effect": "Allow", "Action": "*", "Resource": ")" + std::string(arn) + "\"";
        EXPECT_TRUE(read_document(around(statement), identity).good()) << arn;
    }
}

TEST(Document, CountsSizeWithoutWhiteSpace) {
    auto text = around(may_get);
    auto counted = counted_bytes(text);
    EXPECT_LT(counted, text.size());
    EXPECT_TRUE(read_document(text, identity, {.bytes_max = counted}).good());
    auto refused = read_document(text, identity, {.bytes_max = counted - 1});
    ASSERT_EQ(refused.mistakes.size(), 1u);
    EXPECT_EQ(refused.mistakes[0].complaint, Complaint::too_long);
    EXPECT_EQ(refused.mistakes[0].aws, "Cannot exceed quota for PolicySize: " + std::to_string(counted - 1));
    EXPECT_FALSE(read_document(std::string(131'073, ' ') + text, identity).good());
}

TEST(Document, LimitsStatementsValuesTextsNestingAndMistakes) {
    auto statement = "{" + may_get + "}";
    auto two = R"({"Statement": [)" + statement + "," + statement + "]}";
    EXPECT_TRUE(read_document(two, identity, {.statements_max = 2}).good());
    EXPECT_EQ(read_document(two, identity, {.statements_max = 1}).mistakes[0].pointer, "/Statement");

    auto actions = around(R"("Effect": "Allow", "Action": ["s3:a", "s3:b"], "Resource": "*")");
    EXPECT_TRUE(read_document(actions, identity, {.values_max = 2}).good());
    EXPECT_EQ(read_document(actions, identity, {.values_max = 1}).mistakes[0].pointer, "/Statement/0/Action");
    auto values = around(may_get + R"(, "Condition": {"StringLike": {"a:b": ["c", "d"]}})");
    EXPECT_TRUE(read_document(values, identity, {.values_max = 2}).good());
    EXPECT_THAT(read_document(values, identity, {.values_max = 1}).mistakes[0].message,
                HasSubstr("more than 1 values"));

    EXPECT_TRUE(read_document(around(may_get), identity, {.text_bytes_max = 12}).good());
    EXPECT_THAT(read_document(around(may_get), identity, {.text_bytes_max = 11}).mistakes[0].message,
                HasSubstr("longer than 11 bytes"));

    auto deep = R"({"Statement": )" + std::string(9, '[') + std::string(9, ']') + "}";
    EXPECT_THAT(read_document(deep, identity).mistakes[0].message, HasSubstr("nested too deep"));

    std::string many = "[1";
    for (int i = 0; i < 200; ++i)
        many += ",1";
    EXPECT_EQ(read_document(R"({"Statement": )" + many + "]}", identity).mistakes.size(), 100u);
}

TEST(Document, ReportsOfSeveralMistakesTheOneThatAwsFindsFirst) {
    auto reading = read_document(
        around(
            R"("Effect": "Allow", "Action": "get", "Resource": "x"}, {"Effect": "Allow", "Resource": "*")"),
        identity);
    ASSERT_EQ(reading.mistakes.size(), 3u);
    EXPECT_EQ(first_for_aws(reading.mistakes).aws, "Policy statement must contain actions.");
}

}  // namespace
}  // namespace integreat::policy
