// SPDX-License-Identifier: Apache-2.0
#include "config/expression/expression.h"

#include <algorithm>

#include "base/text/closest_match.h"
#include "config/collections/literals.h"
#include "config/collections/reference_paths.h"
#include "config/expression/expression_types.h"
#include "json/document/node.h"

namespace integreat::config {

namespace {

using Kind = TypedExpression::Kind;

constexpr std::size_t max_number_length = 30;

CompiledExpression compile_nested(const CollectionSettings& collection, const FieldSettings& field,
                                  std::vector<std::string_view> inlined);

TypedExpression logical(const TypedExpression& left, std::string_view operation,
                        const TypedExpression& right) {
    return {.kind = Kind::boolean,
            .sql = "(" + left.sql + " " + std::string(operation) + " " + right.sql + ")"};
}

// A recursive descent parser that also checks types and generates SQL. After the first error it behaves as at
// the end of the text.
class Parser {
public:
    Parser(const CollectionSettings& collection, std::string_view text,
           std::vector<std::string_view> inlined);
    TypedExpression parse();
    void fail(std::string message) { fail_at(token_.position, std::move(message)); }

    CheckResult error;
    std::size_t error_position = 0;

private:
    void fail_at(std::size_t at, std::string message);
    void advance();
    bool accept(std::string_view symbol);
    bool accept_word(std::string_view word);
    void expect(std::string_view symbol);
    TypedExpression check(TypeCheckResult result, std::size_t at);
    void require_boolean(const TypedExpression& expression, std::size_t at);

    TypedExpression disjunction();
    TypedExpression conjunction();
    TypedExpression negation();
    TypedExpression comparison();
    TypedExpression sum();
    TypedExpression product();
    TypedExpression factor();
    TypedExpression primary();
    TypedExpression number();
    TypedExpression text_literal();
    TypedExpression identifier(std::string_view name, std::size_t at);
    TypedExpression call(std::string_view name);
    TypedExpression call_coalesce();
    TypedExpression call_round();
    TypedExpression field(std::string_view name, std::size_t at);
    TypedExpression inline_computed(const FieldSettings& field, std::size_t at);

    const CollectionSettings& collection_;
    std::string_view text_;
    std::vector<std::string_view> inlined_;  // Computed fields that are being inlined.
    Token token_;
    int depth_ = 0;
};

Parser::Parser(const CollectionSettings& collection, std::string_view text,
               std::vector<std::string_view> inlined)
    : collection_(collection), text_(text), inlined_(std::move(inlined)) {
    advance();
}

TypedExpression Parser::parse() {
    TypedExpression expression = disjunction();
    if (token_.type != Token::Type::end) fail("has an unexpected " + json::quoted(token_.text));
    return expression;
}

void Parser::fail_at(std::size_t at, std::string message) {
    if (error) return;
    error = std::move(message);
    error_position = at;
    token_ = {Token::Type::end, "", text_.size()};
}

void Parser::advance() {
    if (error) return;
    token_ = next_token(text_, token_.position + token_.text.size());
    if (token_.type == Token::Type::unknown) fail("has an unexpected " + json::quoted(token_.text));
}

bool Parser::accept(std::string_view symbol) {
    if (token_.type != Token::Type::symbol || token_.text != symbol) return false;
    advance();
    return true;
}

bool Parser::accept_word(std::string_view word) {
    if (token_.type != Token::Type::name || token_.text != word) return false;
    advance();
    return true;
}

void Parser::expect(std::string_view symbol) {
    if (!accept(symbol)) fail("needs " + json::quoted(symbol));
}

TypedExpression Parser::check(TypeCheckResult result, std::size_t at) {
    if (result.error) fail_at(at, *result.error);
    if (result.expression.sql.size() > max_expression_sql) fail_at(at, "becomes too long");
    return std::move(result.expression);
}

void Parser::require_boolean(const TypedExpression& expression, std::size_t at) {
    if (expression.kind != Kind::boolean)
        fail_at(at, "needs true or false, not " + kind_name(expression.kind));
}

TypedExpression Parser::disjunction() {
    std::size_t at = token_.position;
    TypedExpression left = conjunction();
    while (accept_word("or")) {
        require_boolean(left, at);
        std::size_t right_at = token_.position;
        TypedExpression right = conjunction();
        require_boolean(right, right_at);
        left = logical(left, "OR", right);
    }
    return left;
}

TypedExpression Parser::conjunction() {
    std::size_t at = token_.position;
    TypedExpression left = negation();
    while (accept_word("and")) {
        require_boolean(left, at);
        std::size_t right_at = token_.position;
        TypedExpression right = negation();
        require_boolean(right, right_at);
        left = logical(left, "AND", right);
    }
    return left;
}

TypedExpression Parser::negation() {
    std::size_t at = token_.position;
    bool has_not = false, negated = false;
    while (accept_word("not")) {
        has_not = true;
        negated = !negated;
    }
    TypedExpression expression = comparison();
    if (has_not) require_boolean(expression, at);
    if (negated) expression = {.kind = Kind::boolean, .sql = "(NOT " + expression.sql + ")"};
    return expression;
}

TypedExpression Parser::comparison() {
    TypedExpression left = sum();
    for (std::string_view symbol : {"<=", ">=", "!=", "<", ">", "="}) {
        std::size_t at = token_.position;
        if (accept(symbol)) return check(compare(std::move(left), sum(), symbol), at);
    }
    return left;
}

TypedExpression Parser::sum() {
    TypedExpression left = product();
    while (token_.text == "+" || token_.text == "-") {
        auto symbol = token_.text;
        std::size_t at = token_.position;
        advance();
        left = check(add(std::move(left), product(), symbol), at);
    }
    return left;
}

TypedExpression Parser::product() {
    TypedExpression left = factor();
    while (token_.text == "*" || token_.text == "/") {
        bool is_product = token_.text == "*";
        std::size_t at = token_.position;
        advance();
        TypedExpression right = factor();
        left = check(is_product ? multiply(left, right) : divide(left, right), at);
    }
    return left;
}

TypedExpression Parser::factor() {
    std::size_t at = token_.position;
    if (!accept("-")) return primary();
    if (++depth_ > max_expression_depth) fail("is nested too deeply");
    TypedExpression expression = factor();
    --depth_;
    if (!expression.is_numeric()) fail_at(at, "needs a number, not " + kind_name(expression.kind));
    expression.sql = "(- " + expression.sql + ")";
    return expression;
}

TypedExpression Parser::primary() {
    auto token = token_;
    if (token.type == Token::Type::text) return text_literal();
    if (token.type == Token::Type::number) return number();
    if (token.type == Token::Type::name) {
        advance();
        return identifier(token.text, token.position);
    }
    if (!accept("(")) {
        fail(token.type == Token::Type::end ? "ends before a value"
                                            : "needs a value, not " + json::quoted(token.text));
        return {};
    }
    if (++depth_ > max_expression_depth) fail("is nested too deeply");
    TypedExpression expression = disjunction();
    --depth_;
    expect(")");
    return expression;
}

TypedExpression Parser::number() {
    auto text = token_.text;
    bool is_valid = text.size() <= max_number_length && text.back() != '.' &&
                    std::count(text.begin(), text.end(), '.') <= 1 &&
                    (text.size() == 1 || text[0] != '0' || text[1] == '.');
    if (!is_valid) fail("has the invalid number " + json::quoted(text));
    advance();
    return {.is_whole = text.find('.') == text.npos, .is_literal = true, .sql = std::string(text)};
}

TypedExpression Parser::text_literal() {
    auto text = token_.text;
    bool is_valid = std::all_of(text.begin() + 1, text.end() - 1,
                                [](unsigned char c) { return c >= 0x20 && c != '\\' && c != 0x7f; });
    if (!is_valid) fail("has a character in " + json::quoted(text) + " that is not allowed in a text");
    advance();
    return {.kind = Kind::text, .is_whole = false, .sql = std::string(text)};
}

TypedExpression Parser::identifier(std::string_view name, std::size_t at) {
    if (token_.text == "(") return call(name);
    if (find_field(collection_, name)) return field(name, at);
    if (name == "true" || name == "false") return {.kind = Kind::boolean, .sql = std::string(name)};
    bool guard = inlined_.empty();  // A computed column must not depend on the time.
    if (guard && name == "today")
        return {.kind = Kind::date, .sql = "(now() AT TIME ZONE '" + std::string(time_zone) + "')::date"};
    if (guard && name == "now") return {.kind = Kind::timestamp, .sql = "now()"};
    auto names = field_names(collection_);
    fail_at(at, "uses the unknown field " + json::quoted(name) + " of " + collection_.name +
                    did_you_mean(name, names));
    return {};
}

TypedExpression Parser::call(std::string_view name) {
    if (++depth_ > max_expression_depth) fail("is nested too deeply");
    if (name != "coalesce" && name != "round")
        fail("uses the unknown function " + json::quoted(name) + " (available: coalesce, round)");
    advance();
    TypedExpression expression = name == "coalesce" ? call_coalesce() : call_round();
    --depth_;
    expect(")");
    return expression;
}

TypedExpression Parser::call_coalesce() {
    TypedExpression first = sum();
    expect(",");
    std::size_t at = token_.position;
    TypedExpression second = sum();
    return check(coalesce(first, second), at);
}

TypedExpression Parser::call_round() {
    std::size_t at = token_.position;
    TypedExpression value = sum();
    if (!value.is_numeric()) fail_at(at, "needs a number, not " + kind_name(value.kind));
    expect(",");
    auto places = token_.text;
    bool is_valid = token_.type == Token::Type::number && places.size() <= 2 &&
                    places.find('.') == places.npos && std::stoi(std::string(places)) <= max_decimal_scale;
    if (!is_valid)
        fail("needs the number of digits after the point, 0 to " + std::to_string(max_decimal_scale));
    value.sql = "round(" + value.sql + "::numeric, " + std::string(places) + ")";
    value.is_whole = value.is_whole || places == "0";
    advance();
    return value;
}

TypedExpression Parser::field(std::string_view name, std::size_t at) {
    const auto& field = *find_field(collection_, name);
    if (!field.computed.empty() && !is_rollup(field.computed)) return inline_computed(field, at);
    const auto& type = field.type;
    TypedExpression expression{.sql = "\"" + field.name + "\""};
    if (type == "integer") return expression;
    expression.is_whole = false;
    if (type == "decimal") return expression;
    if (type == "money") {
        expression.is_whole = true;
        expression.kind = Kind::money;
        expression.currency = money_currency(field);
    } else if (type == "boolean") {
        expression.kind = Kind::boolean;
    } else if (type == "date") {
        expression.kind = Kind::date;
    } else if (type == "timestamp") {
        expression.kind = Kind::timestamp;
    } else if (type == "text" || type == "enum" || type == "email" || type == "phone") {
        expression.kind = Kind::text;
        if (!field.values.empty()) expression.choice = &field;
    } else {
        fail_at(at, "cannot use " + json::quoted(name) + ", which is of type " +
                        (type.empty() ? "unknown" : type));
    }
    return expression;
}

TypedExpression Parser::inline_computed(const FieldSettings& field, std::size_t at) {
    if (std::find(inlined_.begin(), inlined_.end(), field.name) != inlined_.end()) {
        fail_at(at, "is computed from itself, through " + json::quoted(field.name));
        return {};
    }
    if (inlined_.size() >= static_cast<std::size_t>(max_expression_depth)) {
        fail_at(at, "is nested too deeply");
        return {};
    }
    auto compiled = compile_nested(collection_, field, inlined_);
    if (compiled.error) fail_at(at, "uses " + json::quoted(field.name) + ", which is invalid");
    TypedExpression expression{.is_whole = field.type != "decimal", .sql = std::move(compiled.sql)};
    if (field.type == "money") {
        expression.kind = Kind::money;
        expression.currency = money_currency(field);
    }
    return expression;
}

CompiledExpression make_error(const Parser& parser) {
    return {"", *parser.error + " (character " + std::to_string(parser.error_position + 1) + ")"};
}

std::string column_type(const FieldSettings& field) {
    if (field.type != "decimal") return "bigint";
    return "numeric(" + std::to_string(decimal_precision(field)) + ", " +
           std::to_string(decimal_scale(field)) + ")";
}

// Checks that the column can store the value without implicit rounding.
CheckResult check_expression_result(const FieldSettings& field, const TypedExpression& expression) {
    bool money = field.type == "money";
    if (!expression.is_numeric())
        return "is " + kind_name(expression.kind) + ", but the field is of type " + field.type;
    if (money && !expression.is_literal && expression.kind != Kind::money) return "is a number, not money";
    if (!money && expression.kind == Kind::money) return "is money: make the field money";
    if (money && !expression.is_literal && expression.currency != money_currency(field))
        return "is in " + expression.currency + ", but the field is in " + money_currency(field);
    if (field.type != "decimal" && !expression.is_whole) return "may have fractions: use round(…, 0)";
    return std::nullopt;
}

CompiledExpression compile_nested(const CollectionSettings& collection, const FieldSettings& field,
                                  std::vector<std::string_view> inlined) {
    bool number = field.type == "integer" || field.type == "decimal" || field.type == "money";
    if (!number) return {"", "is allowed for numbers and money only, but the field is of type " + field.type};
    inlined.push_back(field.name);
    Parser parser(collection, field.computed, std::move(inlined));
    TypedExpression expression = parser.parse();
    if (parser.error) return make_error(parser);
    if (auto error = check_expression_result(field, expression)) return {"", error};
    if (expression.sql.size() > max_expression_sql) return {"", "becomes too long"};
    return {"(" + expression.sql + ")::" + column_type(field), std::nullopt};
}

}  // namespace

CompiledExpression compile_computed(const CollectionSettings& collection, const FieldSettings& field) {
    return compile_nested(collection, field, {});
}

CompiledExpression compile_guard(const CollectionSettings& collection, std::string_view guard) {
    Parser parser(collection, guard, {});
    TypedExpression expression = parser.parse();
    if (!parser.error && expression.kind != Kind::boolean)
        parser.fail("must be true or false, but this is " + kind_name(expression.kind));
    if (!parser.error && expression.sql.size() > max_expression_sql) parser.fail("becomes too long");
    if (parser.error) return make_error(parser);
    return {"(" + expression.sql + ") IS TRUE", std::nullopt};
}

}  // namespace integreat::config
