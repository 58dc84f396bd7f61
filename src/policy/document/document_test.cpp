// SPDX-License-Identifier: Apache-2.0
#include "policy/document/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace integreat::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Returns a document with one statement of these members.
std::string around(std::string_view statement) {
    return R"({"Version": "2012-10-17", "Statement": [{)" + std::string(statement) + "}]}";
}

struct Rejected {
    DocumentKind kind;
    std::string text;
    std::string pointer;
    std::string message;
    std::string aws;
};

constexpr auto identity = DocumentKind::identity;
constexpr auto resource = DocumentKind::resource;
constexpr auto trust = DocumentKind::trust;

class Rejections : public ::testing::TestWithParam<Rejected> {};

TEST_P(Rejections, ReportTheLocationTheFixAndTheAwsMessage) {
    const auto& [kind, text, pointer, message, aws] = GetParam();
    auto result = validate_document(text, kind);
    ASSERT_FALSE(result.good()) << text;
    const auto& error = first_aws_error(result.errors);
    EXPECT_EQ(error.pointer, pointer) << text;
    EXPECT_THAT(error.message, HasSubstr(message)) << text;
    EXPECT_EQ(error.aws_message, aws) << text;
}

const std::string allow_get = R"("Effect": "Allow", "Action": "s3:GetObject", "Resource": "*")";
const std::string allow_assume =
    R"("Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "123456789012"})";

INSTANTIATE_TEST_SUITE_P(
    OfAnyKind, Rejections,
    ::testing::Values(
        Rejected{identity, "", "", "not a JSON object", "Syntax errors in policy."},
        Rejected{identity, "[]", "", "must be an object", "Syntax errors in policy."},
        Rejected{trust, "{", "", "not a JSON object", "This policy contains invalid Json"},
        Rejected{resource, "x", "", "not a JSON object",
                 "Policies must be valid JSON and the first byte must be '{'"},
        Rejected{identity, R"({"Statement": [], "Statement": []})", "", "is given twice",
                 "Syntax errors in policy."},
        Rejected{identity, R"({"Version": "2012-10-17"})", "", "has no Statement",
                 "Syntax errors in policy."},
        Rejected{identity, R"({"Statement": []})", "/Statement", "is empty", "Syntax errors in policy."},
        Rejected{resource, R"({"Statement": []})", "/Statement", "is empty",
                 "Could not parse the policy: Statement is empty!"},
        Rejected{identity, R"({"Statement": [7]})", "/Statement/0", "must be an object, not a number",
                 "Syntax errors in policy."},
        Rejected{identity, R"({"Version": "2013-10-17", "Statement": {)" + allow_get + "}}", "/Version",
                 "Version must be", "Syntax errors in policy."},
        Rejected{trust, R"({"Version": 2012, "Statement": {)" + allow_assume + "}}", "/Version",
                 "Version must be", "The policy must contain a valid version string"},
        Rejected{identity, around(R"("Effect": "Allow", "Action": "s3:Get*", "Resources": "*")"),
                 "/Statement/0/Resources", "did you mean \"Resource\"?", "Syntax errors in policy."},
        Rejected{trust, around(allow_assume + R"(, "Conditions": {})"), "/Statement/0/Conditions",
                 "did you mean \"Condition\"?", "Unknown field Conditions"},
        Rejected{identity, around(R"("Action": "s3:Get*", "Resource": "*")"), "/Statement/0", "has no Effect",
                 "Syntax errors in policy."},
        Rejected{resource, around(R"("Action": "s3:Get*", "Resource": "*", "Principal": "*")"),
                 "/Statement/0", "has no Effect", "Missing required field Effect"},
        Rejected{trust, around(R"("Effect": "allow", "Action": "sts:AssumeRole", "Principal": "*")"),
                 "/Statement/0/Effect", "not \"allow\"", "Invalid effect: allow"},
        Rejected{identity, around(allow_get + R"(, "Sid": "may get")"), "/Statement/0/Sid",
                 "letters and digits",
                 "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
                 "expression [0-9A-Za-z]*"},
        Rejected{identity, around(allow_get + R"(, "Sid": "a"}, {)" + allow_get + R"(, "Sid": "a")"),
                 "/Statement/1/Sid", "given twice",
                 "Statement IDs (SID) in a single policy must be unique."}));

INSTANTIATE_TEST_SUITE_P(
    OfWho, Rejections,
    ::testing::Values(
        Rejected{identity, around(allow_get + R"(, "Principal": "*")"), "/Statement/0/Principal", "remove it",
                 "Policy document should not specify a principal."},
        Rejected{identity, around(allow_get + R"(, "NotPrincipal": "*")"), "/Statement/0/NotPrincipal",
                 "remove it", "Policy document should not specify a principal."},
        Rejected{resource, around(allow_get), "/Statement/0", "has no Principal",
                 "Missing required field Principal"},
        Rejected{trust, around(R"("Effect": "Allow", "Action": "sts:AssumeRole")"), "/Statement/0",
                 "has no Principal", "Missing required field Principal"},
        Rejected{resource, around(allow_get + R"(, "NotPrincipal": {"AWS": "123456789012"})"),
                 "/Statement/0/NotPrincipal", "for Deny only", "Allow with NotPrincipal is not allowed."},
        Rejected{trust,
                 around(R"("Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "bob"})"),
                 "/Statement/0/Principal/AWS", "\"bob\" is not a principal",
                 R"(Invalid principal in policy: "AWS":"bob")"},
        Rejected{resource,
                 around(allow_get + R"(, "Principal": {"AWS": ["*", "arn:aws:iam::123456789012:user/*"]})"),
                 "/Statement/0/Principal/AWS/1", "without wildcards", "Invalid principal in policy"},
        Rejected{resource, around(allow_get + R"(, "Principal": "123456789012")"), "/Statement/0/Principal",
                 "is not a principal", "Invalid principal in policy"},
        Rejected{resource, around(allow_get + R"(, "Principal": {})"), "/Statement/0/Principal",
                 "is not a principal", "Invalid principal in policy"},
        Rejected{resource, around(allow_get + R"(, "Principal": {"Aws": "*"})"), "/Statement/0/Principal/Aws",
                 "did you mean \"AWS\"?", "Unknown field Aws"},
        Rejected{resource, around(allow_get + R"(, "Principal": {"AWS": []})"), "/Statement/0/Principal/AWS",
                 "is not a principal", "Invalid principal in policy"},
        Rejected{trust, around(R"("Effect": "Allow", "Action": "sts:*", "Principal": {"Federated": "*"})"),
                 "/Statement/0/Principal/Federated", "is not a principal",
                 R"(Invalid principal in policy: "Federated":"*")"}));

INSTANTIATE_TEST_SUITE_P(
    OfWhatAndWhere, Rejections,
    ::testing::Values(
        Rejected{identity, around(R"("Effect": "Allow", "Resource": "*")"), "/Statement/0", "has no actions",
                 "Policy statement must contain actions."},
        Rejected{identity, around(R"("Effect": "Allow", "Action": [], "Resource": "*")"),
                 "/Statement/0/Action", "has no actions", "Policy statement must contain actions."},
        Rejected{trust, around(R"("Effect": "Allow", "Principal": "*")"), "/Statement/0", "has no actions",
                 "Missing required field Action"},
        Rejected{identity, around(allow_get + R"(, "NotAction": "s3:PutObject")"), "/Statement/0",
                 "exclude each other", "Syntax errors in policy."},
        Rejected{identity, around(R"("Effect": "Allow", "Action": "GetObject", "Resource": "*")"),
                 "/Statement/0/Action", "has no service prefix",
                 "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
        Rejected{identity, around(R"("Effect": "Allow", "NotAction": ["s3:a", "s3:b:c"], "Resource": "*")"),
                 "/Statement/0/NotAction/1", "more than one colon",
                 "Actions/Condition can contain only one colon."},
        Rejected{identity, around(R"("Effect": "Allow", "Action": "s*:Get", "Resource": "*")"),
                 "/Statement/0/Action", "without wildcards", "Vendor s* is not valid"},
        Rejected{resource, around(R"("Effect": "Allow", "Action": "Get", "Resource": "*", "Principal": "*")"),
                 "/Statement/0/Action", "has no service prefix", "Policy has invalid action"},
        Rejected{trust, around(R"("Effect": "Allow", "Action": "s3:GetObject", "Principal": "*")"),
                 "/Statement/0/Action", "STS only",
                 "AssumeRole policy may only specify STS AssumeRole actions."},
        Rejected{trust, around(allow_assume + R"(, "Resource": "*")"), "/Statement/0/Resource", "remove it",
                 "Has prohibited field Resource"},
        Rejected{identity, around(R"("Effect": "Allow", "Action": "s3:*")"), "/Statement/0",
                 "has no resources", "Policy statement must contain resources."},
        Rejected{identity, around(R"("Effect": "Allow", "Action": "s3:*", "Resource": "bucket/*")"),
                 "/Statement/0/Resource", "must be an ARN",
                 "Resource bucket/* must be in ARN format or \"*\"."},
        Rejected{identity, around(R"("Effect": "Allow", "Action": "s3:*", "Resource": ["arn:foo:s3:::b"])"),
                 "/Statement/0/Resource/0", "must begin with \"arn:aws:\"",
                 "Partition \"foo\" is not valid for resource \"arn:foo:s3:::b\"."},
        Rejected{identity, around(R"("Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s*:::b")"),
                 "/Statement/0/NotResource", "without wildcards",
                 "Resource vendor must be fully qualified and cannot contain regexes."},
        Rejected{resource,
                 around(R"("Effect": "Allow", "Action": "s3:*", "Resource": "b", "Principal": "*")"),
                 "/Statement/0/Resource", "must be an ARN", "Policy has invalid resource"},
        Rejected{identity, around(R"("Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${x")"),
                 "/Statement/0/Resource", "has no closing", "Syntax errors in policy."},
        Rejected{identity, around(R"("Effect": "Allow", "Action": {}, "Resource": 1)"), "/Statement/0/Action",
                 "must be a string, not an object", "Syntax errors in policy."}));

INSTANTIATE_TEST_SUITE_P(
    OfConditions, Rejections,
    ::testing::Values(
        Rejected{identity, around(allow_get + R"(, "Condition": [])"), "/Statement/0/Condition",
                 "must be an object of operators, not a list", "Syntax errors in policy."},
        Rejected{identity, around(allow_get + R"(, "Condition": {"StringEqual": {"aws:x": "y"}})"),
                 "/Statement/0/Condition/StringEqual", "did you mean \"StringEquals\"?",
                 "Syntax errors in policy."},
        Rejected{identity, around(allow_get + R"(, "Condition": {"NullIfExists": {"aws:x": true}})"),
                 "/Statement/0/Condition/NullIfExists", "Null takes neither", "Syntax errors in policy."},
        Rejected{identity, around(allow_get + R"(, "Condition": {"Bool": "aws:x"})"),
                 "/Statement/0/Condition/Bool", "must have an object of context keys, not a string",
                 "Syntax errors in policy."},
        Rejected{identity, around(allow_get + R"(, "Condition": {"Bool": {"x": true}})"),
                 "/Statement/0/Condition/Bool/x", "has no service prefix",
                 "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
        Rejected{identity, around(allow_get + R"(, "Condition": {"Bool": {"aws:x": ["true", "yes"]}})"),
                 "/Statement/0/Condition/Bool/aws:x/1", "\"yes\" must be true or false",
                 "Syntax errors in policy."},
        Rejected{identity, around(allow_get + R"(, "Condition": {"NumericEquals": {"s3:max-keys": "ten"}})"),
                 "/Statement/0/Condition/NumericEquals/s3:max-keys", "must be a number",
                 "Syntax errors in policy."},
        Rejected{identity,
                 around(allow_get + R"(, "Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}})"),
                 "/Statement/0/Condition/DateLessThan/aws:CurrentTime", "must be a date",
                 "Syntax errors in policy."},
        Rejected{identity,
                 around(allow_get + R"(, "Condition": {"IpAddress": {"aws:SourceIp": "1.2.3.4/33"}})"),
                 "/Statement/0/Condition/IpAddress/aws:SourceIp", "must be an IP address",
                 "Syntax errors in policy."},
        Rejected{identity, around(allow_get + R"(, "Condition": {"BinaryEquals": {"a:b": "?"}})"),
                 "/Statement/0/Condition/BinaryEquals/a:b", "must be base64", "Syntax errors in policy."},
        Rejected{identity,
                 around(allow_get + R"(, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3"}})"),
                 "/Statement/0/Condition/ArnLike/aws:SourceArn", "must be an ARN of six parts",
                 "Syntax errors in policy."},
        Rejected{identity, around(allow_get + R"(, "Condition": {"StringLike": {"s3:prefix": "${}"}})"),
                 "/Statement/0/Condition/StringLike/s3:prefix", "has no name of a context key",
                 "Syntax errors in policy."},
        Rejected{identity, around(allow_get + R"(, "Condition": {"StringLike": {"s3:prefix": {"a": 1}}})"),
                 "/Statement/0/Condition/StringLike/s3:prefix", "must be a string, not an object",
                 "Syntax errors in policy."}));

TEST(Document, ReportsEveryError) {
    auto result = validate_document(R"({"Version": "2011", "Statment": 1, "Statement": [
        {"Effect": "Alow", "Action": "s3", "Resource": "x"},
        {"Effect": "Deny", "Principal": "*", "NotAction": "s3:*", "Resource": "*"}]})",
                                    DocumentKind::identity);
    std::vector<std::string> pointers;
    for (const auto& error : result.errors)
        pointers.push_back(error.pointer);
    EXPECT_THAT(pointers, ElementsAre("/Statment", "/Version", "/Statement/0/Effect", "/Statement/0/Action",
                                      "/Statement/0/Resource", "/Statement/1/Principal"));
    auto parsed = parse_document("{}", DocumentKind::identity);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().fault, Fault::invalid);
    EXPECT_EQ(parsed.error().message, "the policy has no Statement: add a list of statements");
}

TEST(Document, AcceptsSingleValuesForLists) {
    auto result = validate_document(R"({"Version": "2012-10-17", "Id": "two", "Statement": {
        "Sid": "One", "Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "NotAction": "S3:Get*",
        "NotResource": ["arn:aws:s3:::b", "arn:aws:s3:::b/${aws:username}/*"],
        "Condition": {"NumericLessThan": {"s3:max-keys": [10, "20"]}, "Bool": {"aws:SecureTransport": false}}
        }})",
                                    DocumentKind::resource);
    ASSERT_TRUE(result.good()) << result.errors[0].message;
    EXPECT_EQ(result.document.id, "two");
    ASSERT_EQ(result.document.statements.size(), 1u);
    const auto& statement = result.document.statements[0];
    EXPECT_EQ(statement_label(statement), "statement \"One\"");
    EXPECT_EQ(statement.effect, Effect::deny);
    EXPECT_TRUE(statement.principals.is_not && statement.is_not_action && statement.is_not_resource);
    EXPECT_EQ(statement.principals.entries[0].account, "123456789012");
    EXPECT_EQ(statement.actions[0].source, "S3:Get*");
    EXPECT_EQ(statement.resources[1].segments.size(), 2u);
    ASSERT_EQ(statement.conditions.size(), 2u);
    EXPECT_EQ(statement.conditions[0].key, "s3:max-keys");
    EXPECT_THAT(statement.conditions[0].operand_texts, ElementsAre("10", "20"));
    EXPECT_EQ(std::get<bool>(statement.conditions[1].operands[0]), false);
}

TEST(Document, AcceptsWildcardsForTheLastPartsOfAnArn) {
    for (std::string_view arn :
         {"arn:aws:s3:*", "arn:aws:s3:::*", "arn:aws-cn:s3:::b/*", "arn:aws:sqs:*:*:q-?"}) {
        auto statement = R"("Effect": "Allow", "Action": "*", "Resource": ")" + std::string(arn) + "\"";
        EXPECT_TRUE(validate_document(around(statement), identity).good()) << arn;
    }
}

TEST(Document, CountsSizeWithoutWhitespace) {
    auto text = around(allow_get);
    auto counted = size_without_whitespace(text);
    EXPECT_LT(counted, text.size());
    EXPECT_TRUE(validate_document(text, identity, {.max_bytes = counted}).good());
    auto rejected = validate_document(text, identity, {.max_bytes = counted - 1});
    ASSERT_EQ(rejected.errors.size(), 1u);
    EXPECT_EQ(rejected.errors[0].kind, ErrorKind::too_long);
    EXPECT_EQ(rejected.errors[0].aws_message,
              "Cannot exceed quota for PolicySize: " + std::to_string(counted - 1));
    EXPECT_FALSE(validate_document(std::string(131'073, ' ') + text, identity).good());
}

TEST(Document, LimitsStatementsValuesTextsNestingAndErrors) {
    auto statement = "{" + allow_get + "}";
    auto two = R"({"Statement": [)" + statement + "," + statement + "]}";
    EXPECT_TRUE(validate_document(two, identity, {.statements_max = 2}).good());
    EXPECT_EQ(validate_document(two, identity, {.statements_max = 1}).errors[0].pointer, "/Statement");

    auto actions = around(R"("Effect": "Allow", "Action": ["s3:a", "s3:b"], "Resource": "*")");
    EXPECT_TRUE(validate_document(actions, identity, {.values_max = 2}).good());
    EXPECT_EQ(validate_document(actions, identity, {.values_max = 1}).errors[0].pointer,
              "/Statement/0/Action");
    auto values = around(allow_get + R"(, "Condition": {"StringLike": {"a:b": ["c", "d"]}})");
    EXPECT_TRUE(validate_document(values, identity, {.values_max = 2}).good());
    EXPECT_THAT(validate_document(values, identity, {.values_max = 1}).errors[0].message,
                HasSubstr("more than 1 values"));

    EXPECT_TRUE(validate_document(around(allow_get), identity, {.text_bytes_max = 12}).good());
    EXPECT_THAT(validate_document(around(allow_get), identity, {.text_bytes_max = 11}).errors[0].message,
                HasSubstr("longer than 11 bytes"));

    auto deep = R"({"Statement": )" + std::string(9, '[') + std::string(9, ']') + "}";
    EXPECT_THAT(validate_document(deep, identity).errors[0].message, HasSubstr("nested too deep"));

    std::string many = "[1";
    for (int i = 0; i < 200; ++i)
        many += ",1";
    EXPECT_EQ(validate_document(R"({"Statement": )" + many + "]}", identity).errors.size(), 100u);
}

TEST(Document, SelectsTheErrorThatAwsReportsFirst) {
    auto result = validate_document(
        around(
            R"("Effect": "Allow", "Action": "get", "Resource": "x"}, {"Effect": "Allow", "Resource": "*")"),
        identity);
    ASSERT_EQ(result.errors.size(), 3u);
    EXPECT_EQ(first_aws_error(result.errors).aws_message, "Policy statement must contain actions.");
}

}  // namespace
}  // namespace integreat::policy
