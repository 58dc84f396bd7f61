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

using Kind = Term::Kind;

constexpr std::size_t number_length_max = 30;

ExpressionReading compile_computed_within(const CollectionSettings& collection, const FieldSettings& field,
                                          std::vector<std::string_view> inside);

std::string currency_of(const FieldSettings& field) {
    return field.currency.empty() ? std::string(currency_default) : field.currency;
}

Term logical(const Term& left, std::string_view operation, const Term& right) {
    return {.kind = Kind::boolean,
            .sql = "(" + left.sql + " " + std::string(operation) + " " + right.sql + ")"};
}

// By recursive descent. The first complaint counts: after it the text is at its end for whoever reads on.
class Parser {
public:
    Parser(const CollectionSettings& collection, std::string_view text, std::vector<std::string_view> inside);
    Term whole_text();
    void fail(std::string message) { fail_at(token_.at, std::move(message)); }

    Complaint complaint;
    std::size_t complaint_at = 0;

private:
    void fail_at(std::size_t at, std::string message);
    void advance();
    bool take(std::string_view sign);
    bool take_word(std::string_view word);
    void expect(std::string_view sign);
    Term joined(Joined made, std::size_t at);
    void demand_truth(const Term& term, std::size_t at);

    Term disjunction();
    Term conjunction();
    Term negation();
    Term comparison();
    Term sum();
    Term product();
    Term factor();
    Term primary();
    Term number();
    Term text_literal();
    Term named(std::string_view name, std::size_t at);
    Term call(std::string_view name);
    Term call_coalesce();
    Term call_round();
    Term field(std::string_view name, std::size_t at);
    Term put_in(const FieldSettings& field, std::size_t at);

    const CollectionSettings& collection_;
    std::string_view text_;
    std::vector<std::string_view> inside_;  // Computed fields that are being put in.
    Token token_;
    int depth_ = 0;
};

Parser::Parser(const CollectionSettings& collection, std::string_view text,
               std::vector<std::string_view> inside)
    : collection_(collection), text_(text), inside_(std::move(inside)) {
    advance();
}

Term Parser::whole_text() {
    Term term = disjunction();
    if (token_.type != Token::Type::end) fail("does not go on with " + json::quoted(token_.text));
    return term;
}

void Parser::fail_at(std::size_t at, std::string message) {
    if (complaint) return;
    complaint = std::move(message);
    complaint_at = at;
    token_ = {Token::Type::end, "", text_.size()};
}

void Parser::advance() {
    if (complaint) return;
    token_ = next_token(text_, token_.at + token_.text.size());
    if (token_.type == Token::Type::unknown)
        fail("does not know what to do with " + json::quoted(token_.text));
}

bool Parser::take(std::string_view sign) {
    if (token_.type != Token::Type::sign || token_.text != sign) return false;
    advance();
    return true;
}

bool Parser::take_word(std::string_view word) {
    if (token_.type != Token::Type::name || token_.text != word) return false;
    advance();
    return true;
}

void Parser::expect(std::string_view sign) {
    if (!take(sign)) fail("needs a " + json::quoted(sign));
}

Term Parser::joined(Joined made, std::size_t at) {
    if (made.complaint) fail_at(at, *made.complaint);
    if (made.term.sql.size() > expression_sql_max) fail_at(at, "becomes too long");
    return std::move(made.term);
}

void Parser::demand_truth(const Term& term, std::size_t at) {
    if (term.kind != Kind::boolean) fail_at(at, "needs true or false, not " + name_of(term.kind));
}

Term Parser::disjunction() {
    std::size_t at = token_.at;
    Term left = conjunction();
    while (take_word("or")) {
        demand_truth(left, at);
        std::size_t right_at = token_.at;
        Term right = conjunction();
        demand_truth(right, right_at);
        left = logical(left, "OR", right);
    }
    return left;
}

Term Parser::conjunction() {
    std::size_t at = token_.at;
    Term left = negation();
    while (take_word("and")) {
        demand_truth(left, at);
        std::size_t right_at = token_.at;
        Term right = negation();
        demand_truth(right, right_at);
        left = logical(left, "AND", right);
    }
    return left;
}

Term Parser::negation() {
    std::size_t at = token_.at;
    bool written = false, negated = false;
    while (take_word("not")) {
        written = true;
        negated = !negated;
    }
    Term term = comparison();
    if (written) demand_truth(term, at);
    if (negated) term = {.kind = Kind::boolean, .sql = "(NOT " + term.sql + ")"};
    return term;
}

Term Parser::comparison() {
    Term left = sum();
    for (std::string_view sign : {"<=", ">=", "!=", "<", ">", "="}) {
        std::size_t at = token_.at;
        if (take(sign)) return joined(compared(std::move(left), sum(), sign), at);
    }
    return left;
}

Term Parser::sum() {
    Term left = product();
    while (token_.text == "+" || token_.text == "-") {
        auto sign = token_.text;
        std::size_t at = token_.at;
        advance();
        left = joined(added(std::move(left), product(), sign), at);
    }
    return left;
}

Term Parser::product() {
    Term left = factor();
    while (token_.text == "*" || token_.text == "/") {
        bool multiply = token_.text == "*";
        std::size_t at = token_.at;
        advance();
        Term right = factor();
        left = joined(multiply ? multiplied(left, right) : divided(left, right), at);
    }
    return left;
}

Term Parser::factor() {
    std::size_t at = token_.at;
    if (!take("-")) return primary();
    if (++depth_ > expression_depth_max) fail("is nested too deeply");
    Term term = factor();
    --depth_;
    if (!term.countable()) fail_at(at, "needs a number, not " + name_of(term.kind));
    term.sql = "(- " + term.sql + ")";
    return term;
}

Term Parser::primary() {
    auto token = token_;
    if (token.type == Token::Type::text) return text_literal();
    if (token.type == Token::Type::number) return number();
    if (token.type == Token::Type::name) {
        advance();
        return named(token.text, token.at);
    }
    if (!take("(")) {
        fail(token.type == Token::Type::end ? "ends where a value was expected"
                                            : "needs a value, not " + json::quoted(token.text));
        return {};
    }
    if (++depth_ > expression_depth_max) fail("is nested too deeply");
    Term term = disjunction();
    --depth_;
    expect(")");
    return term;
}

Term Parser::number() {
    auto text = token_.text;
    bool sound = text.size() <= number_length_max && text.back() != '.' &&
                 std::count(text.begin(), text.end(), '.') <= 1 &&
                 (text.size() == 1 || text[0] != '0' || text[1] == '.');
    if (!sound) fail("cannot read the number " + json::quoted(text));
    advance();
    return {.whole = text.find('.') == text.npos, .literal = true, .sql = std::string(text)};
}

Term Parser::text_literal() {
    auto text = token_.text;
    bool sound = std::all_of(text.begin() + 1, text.end() - 1,
                             [](unsigned char c) { return c >= 0x20 && c != '\\' && c != 0x7f; });
    if (!sound) fail("has a character in " + json::quoted(text) + " that a text here cannot have");
    advance();
    return {.kind = Kind::text, .whole = false, .sql = std::string(text)};
}

Term Parser::named(std::string_view name, std::size_t at) {
    if (token_.text == "(") return call(name);
    if (find_field(collection_, name)) return field(name, at);
    if (name == "true" || name == "false") return {.kind = Kind::boolean, .sql = std::string(name)};
    bool guard = inside_.empty();  // A computed column must not change with time.
    if (guard && name == "today")
        return {.kind = Kind::date, .sql = "(now() AT TIME ZONE '" + std::string(time_zone) + "')::date"};
    if (guard && name == "now") return {.kind = Kind::timestamp, .sql = "now()"};
    auto names = field_names(collection_);
    fail_at(at, "names " + json::quoted(name) + ", which " + collection_.name + " has not" +
                    did_you_mean(name, names));
    return {};
}

Term Parser::call(std::string_view name) {
    if (++depth_ > expression_depth_max) fail("is nested too deeply");
    if (name != "coalesce" && name != "round")
        fail("uses the unknown " + json::quoted(name) + " (there are coalesce and round)");
    advance();
    Term term = name == "coalesce" ? call_coalesce() : call_round();
    --depth_;
    expect(")");
    return term;
}

Term Parser::call_coalesce() {
    Term first = sum();
    expect(",");
    std::size_t at = token_.at;
    Term second = sum();
    return joined(either(first, second), at);
}

Term Parser::call_round() {
    std::size_t at = token_.at;
    Term value = sum();
    if (!value.countable()) fail_at(at, "needs a number, not " + name_of(value.kind));
    expect(",");
    auto places = token_.text;
    bool sound = token_.type == Token::Type::number && places.size() <= 2 &&
                 places.find('.') == places.npos && std::stoi(std::string(places)) <= decimal_scale_max;
    if (!sound)
        fail("needs the number of digits behind the point, 0 to " + std::to_string(decimal_scale_max));
    value.sql = "round(" + value.sql + "::numeric, " + std::string(places) + ")";
    value.whole = value.whole || places == "0";
    advance();
    return value;
}

Term Parser::field(std::string_view name, std::size_t at) {
    const auto& field = *find_field(collection_, name);
    if (!field.computed.empty() && !is_rollup(field.computed)) return put_in(field, at);
    const auto& type = field.type;
    Term term{.sql = "\"" + field.name + "\""};
    if (type == "integer") return term;
    term.whole = false;
    if (type == "decimal") return term;
    if (type == "money") {
        term.whole = true;
        term.kind = Kind::money;
        term.currency = currency_of(field);
    } else if (type == "boolean") {
        term.kind = Kind::boolean;
    } else if (type == "date") {
        term.kind = Kind::date;
    } else if (type == "timestamp") {
        term.kind = Kind::timestamp;
    } else if (type == "text" || type == "enum" || type == "email" || type == "phone") {
        term.kind = Kind::text;
        if (!field.values.empty()) term.choice = &field;
    } else {
        fail_at(at, "cannot use " + json::quoted(name) + ", which is of type " +
                        (type.empty() ? "unknown" : type));
    }
    return term;
}

Term Parser::put_in(const FieldSettings& field, std::size_t at) {
    if (std::find(inside_.begin(), inside_.end(), field.name) != inside_.end()) {
        fail_at(at, "is computed from itself, through " + json::quoted(field.name));
        return {};
    }
    if (inside_.size() >= static_cast<std::size_t>(expression_depth_max)) {
        fail_at(at, "is nested too deeply");
        return {};
    }
    auto reading = compile_computed_within(collection_, field, inside_);
    if (reading.complaint) fail_at(at, "uses " + json::quoted(field.name) + ", which is wrong itself");
    Term term{.whole = field.type != "decimal", .sql = std::move(reading.sql)};
    if (field.type == "money") {
        term.kind = Kind::money;
        term.currency = currency_of(field);
    }
    return term;
}

ExpressionReading complaint_of(const Parser& parser) {
    return {"", *parser.complaint + " (character " + std::to_string(parser.complaint_at + 1) + ")"};
}

std::string column_type(const FieldSettings& field) {
    if (field.type != "decimal") return "bigint";
    auto scale = field.scale.value_or(decimal_scale_default);
    auto digits = field.digits.value_or(std::max(decimal_digits_default, scale));
    return "numeric(" + std::to_string(digits) + ", " + std::to_string(scale) + ")";
}

// Can the column hold the value, without rounding where nobody asked for it?
Complaint check_result(const FieldSettings& field, const Term& term) {
    bool money = field.type == "money";
    if (!term.countable()) return "gives " + name_of(term.kind) + ", and the field is of type " + field.type;
    if (money && !term.literal && term.kind != Kind::money) return "gives a number, not money";
    if (!money && term.kind == Kind::money) return "gives money: make the field money";
    if (money && !term.literal && term.currency != currency_of(field))
        return "gives " + term.currency + ", and the field is in " + currency_of(field);
    if (field.type != "decimal" && !term.whole) return "may have fractions: put it into round(…, 0)";
    return std::nullopt;
}

ExpressionReading compile_computed_within(const CollectionSettings& collection, const FieldSettings& field,
                                          std::vector<std::string_view> inside) {
    bool number = field.type == "integer" || field.type == "decimal" || field.type == "money";
    if (!number) return {"", "is of numbers and money only, and the field is of type " + field.type};
    inside.push_back(field.name);
    Parser parser(collection, field.computed, std::move(inside));
    Term term = parser.whole_text();
    if (parser.complaint) return complaint_of(parser);
    if (auto complaint = check_result(field, term)) return {"", complaint};
    if (term.sql.size() > expression_sql_max) return {"", "becomes too long"};
    return {"(" + term.sql + ")::" + column_type(field), std::nullopt};
}

}  // namespace

ExpressionReading compile_computed(const CollectionSettings& collection, const FieldSettings& field) {
    return compile_computed_within(collection, field, {});
}

ExpressionReading compile_guard(const CollectionSettings& collection, std::string_view guard) {
    Parser parser(collection, guard, {});
    Term term = parser.whole_text();
    if (!parser.complaint && term.kind != Kind::boolean)
        parser.fail("must be true or false, and this is " + name_of(term.kind));
    if (!parser.complaint && term.sql.size() > expression_sql_max) parser.fail("becomes too long");
    if (parser.complaint) return complaint_of(parser);
    return {"(" + term.sql + ") IS TRUE", std::nullopt};
}

}  // namespace integreat::config
