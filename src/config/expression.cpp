// SPDX-License-Identifier: Apache-2.0
#include "config/expression.h"

#include <algorithm>
#include <array>

#include "base/suggest.h"
#include "config/literals.h"
#include "config/paths.h"
#include "json/node.h"

namespace integreat::config {

namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz_";
constexpr std::size_t number_length_max = 30;

enum class Kind { number, money, text, date, timestamp, boolean };

struct Term {
    Kind kind = Kind::number;
    bool whole = true;     // Of a number or money: certainly without fractions.
    bool literal = false;  // Built of literals only, so that it may count as money too.
    std::string currency;  // Of money.
    std::string sql;
    const FieldSettings* choice = nullptr;  // The enum that this text is one of.
};

struct Token {
    enum class Type { end, name, number, text, sign };
    Type type = Type::end;
    std::string_view text;
    std::size_t at = 0;
};

std::string_view name_of(Kind kind) {
    constexpr std::array<std::string_view, 6> names{"a number", "money",       "a text",
                                                    "a date",   "a timestamp", "true or false"};
    return names[static_cast<std::size_t>(kind)];
}

ExpressionReading compile_computed_within(const CollectionSettings& collection, const FieldSettings& field,
                                          std::vector<std::string_view> inside);

// The first complaint counts: after it, the text is at its end for whoever goes on reading.
class Parser {
public:
    Parser(const CollectionSettings& collection, std::string_view text, std::vector<std::string_view> inside)
        : collection_(collection), text_(text), inside_(std::move(inside)) {
        advance();
    }

    Term whole_text() {
        Term term = disjunction();
        if (token_.type != Token::Type::end) fail("does not go on with " + json::quoted(token_.text));
        return term;
    }

    Complaint complaint;
    std::size_t complaint_at = 0;

    void fail(std::string message) { fail_at(token_.at, std::move(message)); }

private:
    void fail_at(std::size_t at, std::string message) {
        if (complaint) return;
        complaint = std::move(message);
        complaint_at = at;
        token_ = {Token::Type::end, "", text_.size()};
        text_ = text_.substr(0, 0);  // Everything above finds the end and returns.
        next_ = 0;
    }

    void advance();
    bool take(std::string_view sign);
    bool take_word(std::string_view word);
    void expect(std::string_view sign);

    Term disjunction();
    Term conjunction();
    Term negation();
    Term comparison();
    Term sum();
    Term product();
    Term factor();
    Term primary();
    Term named(std::string_view name, std::size_t at);
    Term call(std::string_view name);
    Term call_coalesce();
    Term call_round();
    Term field(std::string_view name, std::size_t at);
    Term put_in(const FieldSettings& field, std::size_t at);
    Term text_literal();

    void demand(const Term& term, Kind kind, std::size_t at);
    void demand_countable(const Term& term, std::size_t at);
    Term joined(Term left, Term right, std::string_view sign, std::size_t at);
    Term multiplied(Term left, Term right, std::size_t at);
    Term divided(Term left, Term right, std::size_t at);
    Term compared(Term left, Term right, std::string_view sign, std::size_t at);
    void check_choice(const Term& field, const Term& literal, std::size_t at);
    Term sized(Term term);

    const CollectionSettings& collection_;
    std::string_view text_;
    std::vector<std::string_view> inside_;  // Computed fields that are being put in.
    std::size_t next_ = 0;
    Token token_;
    int depth_ = 0;
};

void Parser::advance() {
    while (next_ < text_.size() && text_[next_] == ' ')
        ++next_;
    std::size_t begin = next_;
    auto rest = text_.substr(begin);
    auto cut = [&](Token::Type type, std::size_t length) {
        next_ = begin + length;
        token_ = {type, rest.substr(0, length), begin};
    };
    if (rest.empty()) return cut(Token::Type::end, 0);
    if (letters.find(rest[0]) != letters.npos) {
        auto end = std::find_if(rest.begin(), rest.end(), [](char c) {
            return letters.find(c) == letters.npos && digits.find(c) == digits.npos;
        });
        return cut(Token::Type::name, static_cast<std::size_t>(end - rest.begin()));
    }
    if (digits.find(rest[0]) != digits.npos) {
        auto end = std::min(rest.find_first_not_of("0123456789."), rest.size());
        return cut(Token::Type::number, end);
    }
    if (rest[0] == '\'') {
        auto end = rest.find('\'', 1);
        if (end != rest.npos) return cut(Token::Type::text, end + 1);
    }
    for (std::string_view sign : {"<=", ">=", "!=", "<", ">", "=", "+", "-", "*", "/", "(", ")", ","})
        if (rest.starts_with(sign)) return cut(Token::Type::sign, sign.size());
    token_.at = begin;
    fail("does not know what to do with " + json::quoted(rest.substr(0, 12)));
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

Term Parser::sized(Term term) {
    if (term.sql.size() > expression_sql_max) fail("becomes too long");
    return term;
}

void Parser::demand(const Term& term, Kind kind, std::size_t at) {
    if (term.kind != kind)
        fail_at(at, "needs " + std::string(name_of(kind)) + ", not " + std::string(name_of(term.kind)));
}

void Parser::demand_countable(const Term& term, std::size_t at) {
    if (term.kind != Kind::number && term.kind != Kind::money)
        fail_at(at, "needs a number, not " + std::string(name_of(term.kind)));
}

Term Parser::disjunction() {
    std::size_t at = token_.at;
    Term left = conjunction();
    while (!complaint && token_.text == "or" && take_word("or")) {
        demand(left, Kind::boolean, at);
        std::size_t right_at = token_.at;
        Term right = conjunction();
        demand(right, Kind::boolean, right_at);
        left = sized({.kind = Kind::boolean, .sql = "(" + left.sql + " OR " + right.sql + ")"});
    }
    return left;
}

Term Parser::conjunction() {
    std::size_t at = token_.at;
    Term left = negation();
    while (!complaint && take_word("and")) {
        demand(left, Kind::boolean, at);
        std::size_t right_at = token_.at;
        Term right = negation();
        demand(right, Kind::boolean, right_at);
        left = sized({.kind = Kind::boolean, .sql = "(" + left.sql + " AND " + right.sql + ")"});
    }
    return left;
}

Term Parser::negation() {
    bool negated = false;
    std::size_t at = token_.at;
    while (take_word("not"))
        negated = !negated;
    Term term = comparison();
    if (at != token_.at && negated) {
        demand(term, Kind::boolean, at);
        return {.kind = Kind::boolean, .sql = "(NOT " + term.sql + ")"};
    }
    return term;
}

Term Parser::comparison() {
    Term left = sum();
    for (std::string_view sign : {"<=", ">=", "!=", "<", ">", "="}) {
        std::size_t at = token_.at;
        if (!take(sign)) continue;
        return compared(std::move(left), sum(), sign, at);
    }
    return left;
}

Term Parser::compared(Term left, Term right, std::string_view sign, std::size_t at) {
    bool money = left.kind == Kind::money || right.kind == Kind::money;
    if (money && left.literal) left = {.kind = Kind::money, .currency = right.currency, .sql = left.sql};
    if (money && right.literal) right = {.kind = Kind::money, .currency = left.currency, .sql = right.sql};
    if (left.kind != right.kind || left.currency != right.currency)
        fail_at(at, "cannot compare " + std::string(name_of(left.kind)) + " with " +
                        std::string(name_of(right.kind)) +
                        (left.kind == right.kind ? " of another currency" : ""));
    check_choice(left, right, at);
    check_choice(right, left, at);
    bool ordered = left.kind != Kind::boolean && left.kind != Kind::text;
    if (!ordered && sign != "=" && sign != "!=")
        fail_at(at, "can say of " + std::string(name_of(left.kind)) + " only whether it is equal: = or !=");
    std::string operation(sign == "!=" ? "<>" : sign);
    return sized({.kind = Kind::boolean, .sql = "(" + left.sql + " " + operation + " " + right.sql + ")"});
}

// An enum is never what it has no value for.
void Parser::check_choice(const Term& field, const Term& literal, std::size_t at) {
    if (!field.choice || !literal.sql.starts_with('\'')) return;
    auto text = literal.sql.substr(1, literal.sql.size() - 2);
    const auto& values = field.choice->values;
    if (std::find(values.begin(), values.end(), text) != values.end()) return;
    fail_at(at, "compares " + field.choice->name + " with " + json::quoted(text) + ", which it cannot be" +
                    did_you_mean(text, values));
}

Term Parser::sum() {
    Term left = product();
    while (!complaint && token_.type == Token::Type::sign && (token_.text == "+" || token_.text == "-")) {
        std::string sign(token_.text);
        std::size_t at = token_.at;
        advance();
        left = joined(std::move(left), product(), sign, at);
    }
    return left;
}

Term Parser::joined(Term left, Term right, std::string_view sign, std::size_t at) {
    demand_countable(left, at);
    demand_countable(right, at);
    bool money = left.kind == Kind::money || right.kind == Kind::money;
    if (money && left.literal)
        left = {.kind = Kind::money, .whole = left.whole, .currency = right.currency, .sql = left.sql};
    if (money && right.literal)
        right = {.kind = Kind::money, .whole = right.whole, .currency = left.currency, .sql = right.sql};
    if (left.kind != right.kind) fail_at(at, "cannot add money and a number");
    if (left.currency != right.currency) fail_at(at, "mixes " + left.currency + " and " + right.currency);
    return sized({.kind = left.kind,
                  .whole = left.whole && right.whole,
                  .literal = left.literal && right.literal,
                  .currency = left.currency,
                  .sql = "(" + left.sql + " " + std::string(sign) + " " + right.sql + ")"});
}

Term Parser::product() {
    Term left = factor();
    while (!complaint && token_.type == Token::Type::sign && (token_.text == "*" || token_.text == "/")) {
        bool multiply = token_.text == "*";
        std::size_t at = token_.at;
        advance();
        Term right = factor();
        left = multiply ? multiplied(std::move(left), std::move(right), at)
                        : divided(std::move(left), std::move(right), at);
    }
    return left;
}

Term Parser::multiplied(Term left, Term right, std::size_t at) {
    demand_countable(left, at);
    demand_countable(right, at);
    if (left.kind == Kind::money && right.kind == Kind::money) fail_at(at, "cannot multiply money by money");
    bool money = left.kind == Kind::money || right.kind == Kind::money;
    return sized({.kind = money ? Kind::money : Kind::number,
                  .whole = left.whole && right.whole,
                  .literal = left.literal && right.literal,
                  .currency = left.currency + right.currency,
                  .sql = "(" + left.sql + " * " + right.sql + ")"});
}

Term Parser::divided(Term left, Term right, std::size_t at) {
    demand_countable(left, at);
    demand_countable(right, at);
    bool ratio = left.kind == Kind::money && right.kind == Kind::money;
    if (right.kind == Kind::money && !ratio) fail_at(at, "cannot divide a number by money");
    if (ratio && left.currency != right.currency)
        fail_at(at, "mixes " + left.currency + " and " + right.currency);
    return sized({.kind = ratio ? Kind::number : left.kind,
                  .whole = false,
                  .literal = left.literal && right.literal,
                  .currency = ratio ? "" : left.currency,
                  .sql = "(" + left.sql + "::numeric / NULLIF(" + right.sql + ", 0))"});
}

Term Parser::factor() {
    std::size_t at = token_.at;
    if (!take("-")) return primary();
    if (++depth_ > expression_depth_max) fail("is nested too deeply");
    Term term = factor();
    --depth_;
    demand_countable(term, at);
    term.sql = "(- " + term.sql + ")";
    return sized(std::move(term));
}

Term Parser::primary() {
    std::size_t at = token_.at;
    auto text = token_.text;
    if (token_.type == Token::Type::end) {
        fail("ends where a value was expected");
        return {};
    }
    if (token_.type == Token::Type::text) return text_literal();
    if (token_.type == Token::Type::number) {
        bool fraction = text.find('.') != text.npos;
        bool sound = text.size() <= number_length_max && text.back() != '.' &&
                     std::count(text.begin(), text.end(), '.') <= 1 &&
                     (text.size() == 1 || text[0] != '0' || text[1] == '.');
        if (!sound) fail("cannot read the number " + json::quoted(text));
        advance();
        return {.whole = !fraction, .literal = true, .sql = std::string(text)};
    }
    if (token_.type == Token::Type::name) {
        advance();
        return named(text, at);
    }
    if (!take("(")) {
        fail("needs a value, not " + json::quoted(text));
        return {};
    }
    if (++depth_ > expression_depth_max) fail("is nested too deeply");
    Term term = disjunction();
    --depth_;
    expect(")");
    return term;
}

Term Parser::text_literal() {
    auto text = token_.text;
    advance();
    bool sound = std::all_of(text.begin() + 1, text.end() - 1,
                             [](unsigned char c) { return c >= 0x20 && c != '\\' && c != 0x7f; });
    if (!sound) fail("has a character in " + json::quoted(text) + " that a text here cannot have");
    return {.kind = Kind::text, .whole = false, .sql = std::string(text)};
}

Term Parser::named(std::string_view name, std::size_t at) {
    if (token_.type == Token::Type::sign && token_.text == "(") return call(name);
    if (find_field(collection_, name)) return field(name, at);
    bool clock = inside_.empty();  // Of a guard only: a generated column must not change with time.
    if (name == "true" || name == "false") return {.kind = Kind::boolean, .sql = std::string(name)};
    if (clock && name == "today") {
        return {.kind = Kind::date, .sql = "(now() AT TIME ZONE '" + std::string(time_zone) + "')::date"};
    }
    if (clock && name == "now") return {.kind = Kind::timestamp, .sql = "now()"};
    auto names = field_names(collection_);
    fail_at(at, "names " + json::quoted(name) + ", which " + collection_.name + " has not" +
                    did_you_mean(name, names));
    return {};
}

Term Parser::call(std::string_view name) {
    if (++depth_ > expression_depth_max) fail("is nested too deeply");
    if (name != "coalesce" && name != "round") {
        fail("uses the unknown " + json::quoted(name) + " (there are coalesce and round)");
        return {};
    }
    advance();
    Term term = name == "coalesce" ? call_coalesce() : call_round();
    --depth_;
    expect(")");
    return sized(std::move(term));
}

Term Parser::call_coalesce() {
    std::size_t at = token_.at;
    Term first = sum();
    expect(",");
    std::size_t second_at = token_.at;
    Term second = sum();
    if (first.kind == Kind::money && second.literal) {
        second.kind = Kind::money;
        second.currency = first.currency;
    }
    demand_countable(first, at);
    demand(second, first.kind, second_at);
    if (first.currency != second.currency)
        fail_at(second_at, "mixes " + first.currency + " and " + second.currency);
    return {.kind = first.kind,
            .whole = first.whole && second.whole,
            .literal = first.literal && second.literal,
            .currency = first.currency,
            .sql = "coalesce(" + first.sql + ", " + second.sql + ")"};
}

Term Parser::call_round() {
    std::size_t at = token_.at;
    Term value = sum();
    demand_countable(value, at);
    expect(",");
    auto places = token_.text;
    if (token_.type != Token::Type::number || places.size() > 2 || places.find('.') != places.npos ||
        std::stoi(std::string(places)) > decimal_scale_max)
        fail("needs the number of digits behind the point, 0 to " + std::to_string(decimal_scale_max));
    value.sql = "round(" + value.sql + "::numeric, " + std::string(places) + ")";
    value.whole = value.whole || places == "0";
    advance();
    return value;
}

Term Parser::field(std::string_view name, std::size_t at) {
    const auto& field = *find_field(collection_, name);
    std::string column = "\"" + field.name + "\"";
    if (!field.computed.empty() && !is_rollup(field.computed)) return put_in(field, at);
    const auto& type = field.type;
    if (type == "integer") return {.kind = Kind::number, .sql = column};
    if (type == "decimal") return {.kind = Kind::number, .whole = false, .sql = column};
    if (type == "money") {
        auto currency = field.currency.empty() ? std::string(currency_default) : field.currency;
        return {.kind = Kind::money, .currency = currency, .sql = column};
    }
    if (type == "boolean") return {.kind = Kind::boolean, .sql = column};
    if (type == "date") return {.kind = Kind::date, .sql = column};
    if (type == "timestamp") return {.kind = Kind::timestamp, .sql = column};
    if (type == "enum")
        return {.kind = Kind::text, .sql = column, .choice = field.values.empty() ? nullptr : &field};
    if (type == "text" || type == "email" || type == "phone") return {.kind = Kind::text, .sql = column};
    fail_at(at,
            "cannot use " + json::quoted(name) + ", which is of type " + (type.empty() ? "unknown" : type));
    return {};
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
    Term term{.kind = field.type == "money" ? Kind::money : Kind::number,
              .whole = field.type != "decimal",
              .sql = std::move(reading.sql)};
    if (field.type == "money")
        term.currency = field.currency.empty() ? std::string(currency_default) : field.currency;
    return sized(std::move(term));
}

ExpressionReading complaint_of(const Parser& parser) {
    return {"", *parser.complaint + " (character " + std::to_string(parser.complaint_at + 1) + ")"};
}

std::string column_type(const FieldSettings& field) {
    if (field.type != "decimal") return "bigint";
    auto scale = field.scale.value_or(decimal_scale_default);
    auto precision = field.digits.value_or(std::max(decimal_digits_default, scale));
    return "numeric(" + std::to_string(precision) + ", " + std::to_string(scale) + ")";
}

// Can the column hold the value, without rounding where nobody asked for it?
Complaint check_result(const FieldSettings& field, const Term& term) {
    bool money = field.type == "money";
    if (term.kind != Kind::number && term.kind != Kind::money)
        return "gives " + std::string(name_of(term.kind)) + ", and the field is of type " + field.type;
    if (money && !term.literal && term.kind != Kind::money) return "gives a number, not money";
    if (!money && term.kind == Kind::money) return "gives money: make the field money";
    auto currency = field.currency.empty() ? currency_default : std::string_view(field.currency);
    if (money && !term.literal && term.currency != currency)
        return "gives " + term.currency + ", and the field is in " + std::string(currency);
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
        parser.fail("must be true or false, and this is " + std::string(name_of(term.kind)));
    if (parser.complaint) return complaint_of(parser);
    return {"(" + term.sql + ") IS TRUE", std::nullopt};
}

}  // namespace integreat::config
