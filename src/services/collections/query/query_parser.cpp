// SPDX-License-Identifier: Apache-2.0
#include "services/collections/query/query_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/text/ascii.h"
#include "base/text/closest_match.h"
#include "config/collections/collection_settings.h"

namespace integreat::collections {

namespace {

constexpr std::array operators{std::pair{std::string_view("eq"), Operator::eq},
                               std::pair{std::string_view("ne"), Operator::ne},
                               std::pair{std::string_view("lt"), Operator::lt},
                               std::pair{std::string_view("le"), Operator::le},
                               std::pair{std::string_view("gt"), Operator::gt},
                               std::pair{std::string_view("ge"), Operator::ge},
                               std::pair{std::string_view("in"), Operator::in},
                               std::pair{std::string_view("like"), Operator::like},
                               std::pair{std::string_view("starts"), Operator::starts},
                               std::pair{std::string_view("null"), Operator::null}};

// Scope and error list of one query string under parsing.
struct ParseContext {
    const QueryScope& scope;
    ValidationErrors& errors;

    void add_error(std::string_view parameter, std::string detail) const {
        // Not ValidationErrors::add(): the location is a query parameter, not a JSON pointer.
        if (!errors.full()) errors.list.push_back({"?" + std::string(parameter), std::move(detail)});
    }
};

std::vector<std::string> field_names(const std::vector<const Field*>& fields) {
    std::vector<std::string> names;
    for (const auto* field : fields)
        names.push_back(field->name);
    return names;
}

const Field* find_field(const ParseContext& context, std::string_view parameter, std::string_view name) {
    const auto& view = context.scope.view;
    const auto* field = view.find_readable(name);
    if (!field) {
        context.add_error(parameter, "there is no field \"" + std::string(name.substr(0, 60)) + "\"" +
                                         did_you_mean(name, field_names(view.readable)));
    }
    return field;
}

bool is_ordered(FieldType type) {
    return type != FieldType::list && type != FieldType::json && type != FieldType::address &&
           type != FieldType::file;
}

// Cursors contain the values of sort keys, so these must be short.
bool is_short(const Field& field) {
    return field.type != FieldType::text || (field.max_length && *field.max_length <= sorted_characters_max);
}

bool is_textual(FieldType type) {
    return type == FieldType::text || type == FieldType::email || type == FieldType::phone ||
           type == FieldType::user || type == FieldType::enumeration;
}

// Returns why the operator does not apply to the field; empty if it does.
std::string operator_error(const Field& field, Operator op) {
    switch (op) {
        case Operator::null: return {};
        case Operator::like:
        case Operator::starts:
            return is_textual(field.type) ? "" : "like and starts apply to text fields only";
        case Operator::eq:
        case Operator::ne:
        case Operator::in:
            return is_ordered(field.type) || field.type == FieldType::list
                       ? ""
                       : "supports null.true and null.false only";
        default: return is_ordered(field.type) ? "" : "has no order: lt, le, gt and ge do not apply";
    }
}

// Parses "eq.12", or "12" alone. A prefix that is not an operator belongs to the value: "v.2".
std::pair<Operator, std::string_view> parse_operator(std::string_view text) {
    auto dot = text.find('.');
    if (dot != std::string_view::npos) {
        for (const auto& [name, op] : operators) {
            if (text.substr(0, dot) == name) return {op, text.substr(dot + 1)};
        }
    }
    return {Operator::eq, text};
}

// Parses the list of in.(…): separated by commas; a value with commas or quotes is in double quotes.
std::optional<std::vector<std::string>> parse_choices(std::string_view text) {
    if (text.size() < 2 || text.front() != '(' || text.back() != ')') return std::nullopt;
    text = text.substr(1, text.size() - 2);
    std::vector<std::string> choices;
    for (std::size_t at = 0;; ++at) {
        std::string choice;
        if (at < text.size() && text[at] == '"') {
            for (++at; at < text.size() && text[at] != '"'; ++at) {
                if (text[at] == '\\' && at + 1 < text.size()) ++at;
                choice += text[at];
            }
            if (at++ >= text.size()) return std::nullopt;
        } else {
            auto end = std::min(text.find(',', at), text.size());
            choice = text.substr(at, end - at);
            at = end;
        }
        choices.push_back(std::move(choice));
        if (at >= text.size()) return choices;
        if (text[at] != ',') return std::nullopt;
    }
}

std::optional<std::vector<std::string>> parse_operands(const ParseContext& context, const Field& field,
                                                       Operator op, std::string_view text) {
    if (op == Operator::null) {
        if (text == "true" || text == "false") return std::vector{std::string(text)};
        context.add_error(field.name, "must be null.true or null.false");
        return std::nullopt;
    }
    if (op == Operator::like || op == Operator::starts) {
        if (text.find('\0') == std::string_view::npos) return std::vector{std::string(text)};
        context.add_error(field.name, "must not contain a NUL character");
        return std::nullopt;
    }
    std::optional<std::vector<std::string>> raw;
    if (op == Operator::in) {
        raw = parse_choices(text);
        if (!raw || raw->size() > choices_max) {
            context.add_error(field.name,
                              "must be in.(a,b) with at most " + std::to_string(choices_max) + " values");
            return std::nullopt;
        }
    } else {
        raw.emplace().emplace_back(text);
    }
    for (auto& operand : *raw) {
        auto checked = normalize_operand(field, operand);
        if (!checked) {
            context.add_error(field.name, checked.error().message);
            return std::nullopt;
        }
        operand = *std::move(checked);
    }
    return raw;
}

void parse_filter(const ParseContext& context, std::vector<Filter>& filters, const std::string& name,
                  std::string_view value) {
    const auto* field = context.scope.view.find_readable(name);
    if (!field) {
        context.add_error(name.substr(0, 60),
                          "is unknown" + did_you_mean(name, field_names(context.scope.view.readable)));
        return;
    }
    auto [op, operand] = parse_operator(value);
    if (auto error = operator_error(*field, op); !error.empty()) return context.add_error(name, error);
    auto operands = parse_operands(context, *field, op, operand);
    if (!operands) return;
    if (filters.size() >= filters_max)
        return context.add_error(name, "exceeds the maximum of " + std::to_string(filters_max) + " filters");
    filters.push_back({field, op, *std::move(operands)});
}

void check_patterns(const ParseContext& context, const std::vector<Filter>& filters) {
    bool anonymous = context.scope.view.role == config::role_anonymous;
    auto max = anonymous ? anonymous_pattern_cost_max : pattern_cost_max;
    std::size_t cost = 0;
    for (const auto& filter : filters) {
        if (filter.op != Operator::like) continue;
        const auto& pattern = filter.operands.front();
        cost += 1 + static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
        if (cost > max) {
            return context.add_error(filter.field->name, "exceeds the cost of all like filters, at most " +
                                                             std::to_string(max) +
                                                             (anonymous ? " without a token" : "") +
                                                             ": each counts 1, and each * in it 1");
        }
    }
}

void parse_search(const ParseContext& context, std::string& search, std::string_view text) {
    const auto& fields = context.scope.collection.collection->search;
    bool reads_all = !fields.empty() && std::all_of(fields.begin(), fields.end(), [&](const auto& name) {
        return context.scope.view.find_readable(name) != nullptr;
    });
    if (!reads_all) return context.add_error("q", "is unknown: no field can be searched");
    if (text.empty() || text.size() > search_bytes_max || text.find('\0') != std::string_view::npos)
        return context.add_error("q", "must have 1 to " + std::to_string(search_bytes_max) + " bytes");
    search = text;
}

void parse_sort(const ParseContext& context, std::vector<SortKey>& sort, std::string_view text) {
    sort.clear();
    for (auto key : split(text, ',')) {
        bool descending = key.starts_with('-');
        if (descending) key.remove_prefix(1);
        const auto* field = find_field(context, "sort", key);
        if (!field) continue;
        if (!is_ordered(field->type) || !is_short(*field)) {
            context.add_error("sort", "\"" + field->name + "\" cannot be sorted by");
            continue;
        }
        bool duplicate =
            std::any_of(sort.begin(), sort.end(), [&](const auto& other) { return other.field == field; });
        if (duplicate)
            context.add_error("sort", "\"" + field->name + "\" is given twice");
        else
            sort.push_back({field, descending});
    }
    if (sort.size() > config::max_sort_keys)
        context.add_error("sort", "may have at most " + std::to_string(config::max_sort_keys) + " fields");
}

std::vector<const Field*> parse_fields(const ParseContext& context, std::string_view text) {
    std::vector<const Field*> fields;
    for (auto name : split(text, ',')) {
        const auto* field = find_field(context, "fields", name);
        if (field && std::find(fields.begin(), fields.end(), field) == fields.end()) fields.push_back(field);
    }
    return fields;
}

void parse_expand(const ParseContext& context, ListQuery& query, std::string_view text) {
    const auto& plan = context.scope.plan;
    for (auto name : split(text, ',')) {
        const auto* field = find_field(context, "expand", name);
        if (!field) continue;
        if (field->type != FieldType::reference) {
            context.add_error("expand", "\"" + field->name + "\" is not a reference");
            continue;
        }
        const auto& target = plan.collection(field->target);
        const auto& view = plan.view(target, context.scope.view.role);
        bool selected = std::find(query.fields.begin(), query.fields.end(), field) != query.fields.end();
        bool duplicate = std::any_of(query.expand.begin(), query.expand.end(),
                                     [&](const auto& other) { return other.reference == field; });
        if (!selected)
            context.add_error("expand", "\"" + field->name + "\" must also be selected by fields");
        else if (duplicate)
            context.add_error("expand", "\"" + field->name + "\" is given twice");
        else
            query.expand.push_back({field, &target, &view});
    }
}

void parse_limit(const ParseContext& context, int& limit, std::string_view text) {
    int number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size() || number < 1 || number > page_max)
        return context.add_error("limit", "must be 1 to " + std::to_string(page_max));
    limit = number;
}

std::vector<SortKey> default_sort(const QueryScope& scope) {
    std::vector<SortKey> sort;
    for (const auto& key : scope.collection.collection->sort) {
        // A field that the role may not read must not influence the order either.
        if (const auto* field = scope.view.find_readable(key.field)) sort.push_back({field, key.descending});
    }
    return sort;
}

// Returns whether the parameter is given; a second value is an error, except for filters.
bool has_parameter(const ParseContext& context, const QueryPairs& pairs, const std::string& name) {
    auto count =
        std::count_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; });
    if (count > 1) context.add_error(name, "is given twice");
    return count == 1;
}

std::string_view find_value(const QueryPairs& pairs, const std::string& name) {
    return std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; })
        ->second;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

ListQuery parse_record_query(const QueryScope& scope, const QueryPairs& pairs, ValidationErrors& errors) {
    ParseContext context{scope, errors};
    ListQuery query{.fields = scope.view.readable};
    for (const auto& [name, value] : pairs) {
        if (!is_one_of(name, {"fields", "expand"}))
            context.add_error(name.substr(0, 60), "is unknown: a single record accepts fields and expand");
    }
    if (has_parameter(context, pairs, "fields"))
        query.fields = parse_fields(context, find_value(pairs, "fields"));
    if (has_parameter(context, pairs, "expand")) parse_expand(context, query, find_value(pairs, "expand"));
    return query;
}

ListQuery parse_list_query(const QueryScope& scope, const QueryPairs& pairs, ValidationErrors& errors) {
    ParseContext context{scope, errors};
    ListQuery query{.fields = scope.view.readable, .sort = default_sort(scope)};
    for (const auto& [name, value] : pairs) {
        if (!is_one_of(name, {"q", "sort", "limit", "next", "fields", "expand"}))
            parse_filter(context, query.filters, name, value);
    }
    check_patterns(context, query.filters);
    if (has_parameter(context, pairs, "q")) parse_search(context, query.search, find_value(pairs, "q"));
    if (has_parameter(context, pairs, "sort")) parse_sort(context, query.sort, find_value(pairs, "sort"));
    if (has_parameter(context, pairs, "limit")) parse_limit(context, query.limit, find_value(pairs, "limit"));
    if (has_parameter(context, pairs, "next")) query.next = find_value(pairs, "next");
    if (has_parameter(context, pairs, "fields"))
        query.fields = parse_fields(context, find_value(pairs, "fields"));
    if (has_parameter(context, pairs, "expand")) parse_expand(context, query, find_value(pairs, "expand"));
    return query;
}

ListQuery parse_export_query(const QueryScope& scope, const QueryPairs& pairs, ValidationErrors& errors) {
    ParseContext context{scope, errors};
    auto query = parse_list_query(scope, pairs, errors);
    bool sorted = false;
    for (const auto& [name, value] : pairs) {
        sorted = sorted || name == "sort";
        if (is_one_of(name, {"limit", "next", "expand"}))
            context.add_error(name,
                              "does not apply to an export, which contains all records without expansion");
    }
    if (!sorted) query.sort.clear();
    return query;
}

namespace {

bool is_number(FieldType type) {
    return type == FieldType::integer || type == FieldType::decimal || type == FieldType::money;
}

// Parses "count" or "avg(gpa)".
void parse_aggregate(const ParseContext& context, AggregateQuery& query, std::string_view text) {
    using Operation = Aggregate::Operation;
    static constexpr std::array functions{std::pair{std::string_view("sum"), Operation::sum},
                                          std::pair{std::string_view("avg"), Operation::avg},
                                          std::pair{std::string_view("min"), Operation::min},
                                          std::pair{std::string_view("max"), Operation::max}};
    if (text == "count") {
        query.select.push_back({Operation::count, nullptr, "count"});
        return;
    }
    for (const auto& [name, operation] : functions) {
        if (!text.starts_with(name) || text.size() < name.size() + 3 || text[name.size()] != '(' ||
            text.back() != ')')
            continue;
        auto inner = text.substr(name.size() + 1, text.size() - name.size() - 2);
        const auto* field = find_field(context, "select", inner);
        if (!field) return;
        bool numeric = operation == Operation::sum || operation == Operation::avg;
        bool valid = numeric ? is_number(field->type)
                             : is_ordered(field->type) && field->type != FieldType::boolean &&
                                   field->type != FieldType::reference && field->type != FieldType::id;
        if (!valid)
            return context.add_error("select",
                                     std::string(name) + " does not apply to \"" + field->name + "\"");
        query.select.push_back({operation, field, std::string(name) + "_" + field->name});
        return;
    }
    context.add_error("select", "must have count, sum(field), avg(field), min(field) or max(field)");
}

}  // namespace

AggregateQuery parse_aggregate_query(const QueryScope& scope, const QueryPairs& pairs,
                                     ValidationErrors& errors) {
    ParseContext context{scope, errors};
    AggregateQuery query;
    for (const auto& [name, value] : pairs) {
        if (!is_one_of(name, {"q", "select", "group"})) parse_filter(context, query.filters, name, value);
    }
    check_patterns(context, query.filters);
    if (has_parameter(context, pairs, "q")) parse_search(context, query.search, find_value(pairs, "q"));
    if (has_parameter(context, pairs, "select")) {
        auto parts = split(find_value(pairs, "select"), ',');
        if (parts.size() > filters_max)
            context.add_error("select", "has too many parts");
        else
            for (auto part : parts)
                parse_aggregate(context, query, part);
    } else if (errors.empty()) {
        query.select.push_back({Aggregate::Operation::count, nullptr, "count"});
    }
    if (has_parameter(context, pairs, "group")) {
        for (auto name : split(find_value(pairs, "group"), ',')) {
            const auto* field = find_field(context, "group", name);
            if (field && !is_ordered(field->type))
                context.add_error("group", "\"" + field->name + "\" cannot be grouped by");
            else if (field && std::find(query.group.begin(), query.group.end(), field) == query.group.end())
                query.group.push_back(field);
        }
        if (query.group.size() > config::max_sort_keys)
            context.add_error("group",
                              "may have at most " + std::to_string(config::max_sort_keys) + " fields");
    }
    for (const auto* field : query.group) {
        bool is_duplicate = std::any_of(query.select.begin(), query.select.end(),
                                        [&](const auto& aggregate) { return aggregate.name == field->name; });
        if (is_duplicate)
            context.add_error("group", "\"" + field->name + "\" is also the name of an aggregate");
    }
    return query;
}

HistoryPage parse_history_query(const QueryPairs& pairs, ValidationErrors& errors) {
    HistoryPage page;
    auto number = [&](const std::string& name, std::string_view text, std::int64_t max) -> std::int64_t {
        std::int64_t value = 0;
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        bool valid = failure == std::errc() && end == text.data() + text.size() && value >= 1 && value <= max;
        if (!valid)
            errors.list.push_back({"?" + name, "must be a whole number from 1 to " + std::to_string(max)});
        return valid ? value : 1;
    };
    for (const auto& [name, value] : pairs) {
        if (name == "limit")
            page.limit = static_cast<int>(number(name, value, page_max));
        else if (name == "next")
            page.before = number(name, value, std::numeric_limits<std::int64_t>::max());
        else
            errors.list.push_back({"?" + name.substr(0, 60), "is unknown: a history accepts limit and next"});
    }
    return page;
}

}  // namespace integreat::collections
