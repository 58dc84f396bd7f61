// SPDX-License-Identifier: Apache-2.0
#include "services/collections/query/query_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/text/closest_match.h"

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

// Reads the parameters of one request; each of its functions takes one of them.
struct Reading {
    const Reader& reader;
    Mistakes& mistakes;

    void wrong(std::string_view parameter, std::string detail) const {
        // Not a JSON pointer: the mistake is in the query.
        if (!mistakes.full()) mistakes.all.push_back({"?" + std::string(parameter), std::move(detail)});
    }
};

std::vector<std::string> names_of(const std::vector<const Field*>& fields) {
    std::vector<std::string> names;
    for (const auto* field : fields)
        names.push_back(field->name);
    return names;
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (true) {
        auto end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

const Field* known_field(const Reading& reading, std::string_view parameter, std::string_view name) {
    const auto& view = reading.reader.view;
    const auto* field = view.sees(name);
    if (!field) {
        reading.wrong(parameter, "there is no field \"" + std::string(name.substr(0, 60)) + "\"" +
                                     did_you_mean(name, names_of(view.readable)));
    }
    return field;
}

bool has_order(FieldType type) {
    return type != FieldType::list && type != FieldType::json && type != FieldType::address &&
           type != FieldType::file;
}

// Cursors hold the values of sort keys, so those must be short.
bool is_short(const Field& field) {
    return field.type != FieldType::text || (field.length_max && *field.length_max <= sorted_characters_max);
}

bool is_textual(FieldType type) {
    return type == FieldType::text || type == FieldType::email || type == FieldType::phone ||
           type == FieldType::user || type == FieldType::enumeration;
}

// Why the operator does not go with the field; empty if it does.
std::string unfit(const Field& field, Operator op) {
    switch (op) {
        case Operator::null: return {};
        case Operator::like:
        case Operator::starts: return is_textual(field.type) ? "" : "only texts can be compared so";
        case Operator::eq:
        case Operator::ne:
        case Operator::in:
            return has_order(field.type) || field.type == FieldType::list
                       ? ""
                       : "can only be asked whether it is null: null.true";
        default: return has_order(field.type) ? "" : "has no order";
    }
}

// "eq.12", or "12" alone. A text that only looks like an operator is still a value if it is none: "v.2".
std::pair<Operator, std::string_view> operator_of(std::string_view text) {
    auto dot = text.find('.');
    if (dot != std::string_view::npos) {
        for (const auto& [name, op] : operators) {
            if (text.substr(0, dot) == name) return {op, text.substr(dot + 1)};
        }
    }
    return {Operator::eq, text};
}

// Commas divide what is in in.(…); a value with commas or quotes stands in double quotes.
std::optional<std::vector<std::string>> choices_of(std::string_view text) {
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

std::optional<std::vector<std::string>> operands_of(const Reading& reading, const Field& field, Operator op,
                                                    std::string_view text) {
    if (op == Operator::null) {
        if (text == "true" || text == "false") return std::vector{std::string(text)};
        reading.wrong(field.name, "must be null.true or null.false");
        return std::nullopt;
    }
    if (op == Operator::like || op == Operator::starts) {
        if (text.find('\0') == std::string_view::npos) return std::vector{std::string(text)};
        reading.wrong(field.name, "must not have a NUL character");
        return std::nullopt;
    }
    std::optional<std::vector<std::string>> raw;
    if (op == Operator::in) {
        raw = choices_of(text);
        if (!raw || raw->size() > choices_max) {
            reading.wrong(field.name,
                          "must be in.(a,b) with at most " + std::to_string(choices_max) + " values");
            return std::nullopt;
        }
    } else {
        raw.emplace().emplace_back(text);
    }
    for (auto& operand : *raw) {
        auto checked = check_operand(field, operand);
        if (!checked) {
            reading.wrong(field.name, checked.error().message);
            return std::nullopt;
        }
        operand = *std::move(checked);
    }
    return raw;
}

void take_filter(const Reading& reading, std::vector<Filter>& filters, const std::string& name,
                 std::string_view value) {
    const auto* field = reading.reader.view.sees(name);
    if (!field) {
        reading.wrong(name.substr(0, 60),
                      "is not known here" + did_you_mean(name, names_of(reading.reader.view.readable)));
        return;
    }
    auto [op, operand] = operator_of(value);
    if (auto why = unfit(*field, op); !why.empty()) return reading.wrong(name, why);
    auto operands = operands_of(reading, *field, op, operand);
    if (!operands) return;
    if (filters.size() >= filters_max)
        return reading.wrong(name, "is one filter too many: at most " + std::to_string(filters_max));
    filters.push_back({field, op, *std::move(operands)});
}

void take_search(const Reading& reading, std::string& search, std::string_view text) {
    const auto& fields = reading.reader.collection.collection->search;
    bool sees_all = !fields.empty() && std::all_of(fields.begin(), fields.end(), [&](const auto& name) {
        return reading.reader.view.sees(name) != nullptr;
    });
    if (!sees_all) return reading.wrong("q", "is not known here: nothing can be searched");
    if (text.empty() || text.size() > search_bytes_max || text.find('\0') != std::string_view::npos)
        return reading.wrong("q", "must have 1 to " + std::to_string(search_bytes_max) + " bytes");
    search = text;
}

void take_sort(const Reading& reading, std::vector<SortedBy>& sort, std::string_view text) {
    sort.clear();
    for (auto key : split(text, ',')) {
        bool descending = key.starts_with('-');
        if (descending) key.remove_prefix(1);
        const auto* field = known_field(reading, "sort", key);
        if (!field) continue;
        if (!has_order(field->type) || !is_short(*field)) {
            reading.wrong("sort", "\"" + field->name + "\" cannot be sorted by");
            continue;
        }
        bool twice =
            std::any_of(sort.begin(), sort.end(), [&](const auto& other) { return other.field == field; });
        if (twice)
            reading.wrong("sort", "\"" + field->name + "\" is given twice");
        else
            sort.push_back({field, descending});
    }
    if (sort.size() > sort_keys_max)
        reading.wrong("sort", "may have at most " + std::to_string(sort_keys_max) + " fields");
}

std::vector<const Field*> take_fields(const Reading& reading, std::string_view text) {
    std::vector<const Field*> fields;
    for (auto name : split(text, ',')) {
        const auto* field = known_field(reading, "fields", name);
        if (field && std::find(fields.begin(), fields.end(), field) == fields.end()) fields.push_back(field);
    }
    return fields;
}

void take_expand(const Reading& reading, ListQuery& query, std::string_view text) {
    const auto& plan = reading.reader.plan;
    for (auto name : split(text, ',')) {
        const auto* field = known_field(reading, "expand", name);
        if (!field) continue;
        if (field->type != FieldType::reference) {
            reading.wrong("expand", "\"" + field->name + "\" is not a reference");
            continue;
        }
        const auto& target = plan.of(field->target);
        const auto& view = plan.view(target, reading.reader.view.role);
        bool shown = std::find(query.fields.begin(), query.fields.end(), field) != query.fields.end();
        bool twice = std::any_of(query.expand.begin(), query.expand.end(),
                                 [&](const auto& other) { return other.reference == field; });
        if (!shown)
            reading.wrong("expand", "\"" + field->name + "\" is not among fields");
        else if (twice)
            reading.wrong("expand", "\"" + field->name + "\" is given twice");
        else
            query.expand.push_back({field, &target, &view});
    }
}

void take_limit(const Reading& reading, int& limit, std::string_view text) {
    int number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size() || number < 1 || number > page_max)
        return reading.wrong("limit", "must be 1 to " + std::to_string(page_max));
    limit = number;
}

std::vector<SortedBy> default_sort(const Reader& reader) {
    std::vector<SortedBy> sort;
    for (const auto& key : reader.collection.collection->sort) {
        // What the role may not see must not show in the order either.
        if (const auto* field = reader.view.sees(key.field)) sort.push_back({field, key.descending});
    }
    return sort;
}

// Several values of one parameter contradict each other, but for filters.
bool once(const Reading& reading, const QueryPairs& pairs, const std::string& name) {
    auto count =
        std::count_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; });
    if (count > 1) reading.wrong(name, "is given twice");
    return count == 1;
}

std::string_view value_of(const QueryPairs& pairs, const std::string& name) {
    return std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; })
        ->second;
}

bool among(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

ListQuery check_single(const Reader& reader, const QueryPairs& pairs, Mistakes& mistakes) {
    Reading reading{reader, mistakes};
    ListQuery query{.fields = reader.view.readable};
    for (const auto& [name, value] : pairs) {
        if (!among(name, {"fields", "expand"}))
            reading.wrong(name.substr(0, 60), "is not known here: fields and expand are");
    }
    if (once(reading, pairs, "fields")) query.fields = take_fields(reading, value_of(pairs, "fields"));
    if (once(reading, pairs, "expand")) take_expand(reading, query, value_of(pairs, "expand"));
    return query;
}

ListQuery check_list(const Reader& reader, const QueryPairs& pairs, Mistakes& mistakes) {
    Reading reading{reader, mistakes};
    ListQuery query{.fields = reader.view.readable, .sort = default_sort(reader)};
    for (const auto& [name, value] : pairs) {
        if (!among(name, {"q", "sort", "limit", "next", "fields", "expand"}))
            take_filter(reading, query.filters, name, value);
    }
    if (once(reading, pairs, "q")) take_search(reading, query.search, value_of(pairs, "q"));
    if (once(reading, pairs, "sort")) take_sort(reading, query.sort, value_of(pairs, "sort"));
    if (once(reading, pairs, "limit")) take_limit(reading, query.limit, value_of(pairs, "limit"));
    if (once(reading, pairs, "next")) query.next = value_of(pairs, "next");
    if (once(reading, pairs, "fields")) query.fields = take_fields(reading, value_of(pairs, "fields"));
    if (once(reading, pairs, "expand")) take_expand(reading, query, value_of(pairs, "expand"));
    return query;
}

ListQuery check_export(const Reader& reader, const QueryPairs& pairs, Mistakes& mistakes) {
    Reading reading{reader, mistakes};
    auto query = check_list(reader, pairs, mistakes);
    bool sorted = false;
    for (const auto& [name, value] : pairs) {
        sorted = sorted || name == "sort";
        if (among(name, {"limit", "next", "expand"}))
            reading.wrong(name, "does not go with an export, which has all records and their own fields");
    }
    if (!sorted) query.sort.clear();
    return query;
}

namespace {

bool is_number(FieldType type) {
    return type == FieldType::integer || type == FieldType::decimal || type == FieldType::money;
}

// "count", "avg(gpa)"
void take_aggregate(const Reading& reading, AggregateQuery& query, std::string_view text) {
    using Operation = Aggregate::Operation;
    static constexpr std::array known{std::pair{std::string_view("sum"), Operation::sum},
                                      std::pair{std::string_view("avg"), Operation::avg},
                                      std::pair{std::string_view("min"), Operation::min},
                                      std::pair{std::string_view("max"), Operation::max}};
    if (text == "count") {
        query.select.push_back({Operation::count, nullptr, "count"});
        return;
    }
    for (const auto& [name, operation] : known) {
        if (!text.starts_with(name) || text.size() < name.size() + 3 || text[name.size()] != '(' ||
            text.back() != ')')
            continue;
        auto inner = text.substr(name.size() + 1, text.size() - name.size() - 2);
        const auto* field = known_field(reading, "select", inner);
        if (!field) return;
        bool adds = operation == Operation::sum || operation == Operation::avg;
        bool fits = adds ? is_number(field->type)
                         : has_order(field->type) && field->type != FieldType::boolean &&
                               field->type != FieldType::reference && field->type != FieldType::id;
        if (!fits)
            return reading.wrong("select", std::string(name) + " does not go with \"" + field->name + "\"");
        query.select.push_back({operation, field, std::string(name) + "_" + field->name});
        return;
    }
    reading.wrong("select", "must have count, sum(field), avg(field), min(field) or max(field)");
}

}  // namespace

AggregateQuery check_aggregate(const Reader& reader, const QueryPairs& pairs, Mistakes& mistakes) {
    Reading reading{reader, mistakes};
    AggregateQuery query;
    for (const auto& [name, value] : pairs) {
        if (!among(name, {"q", "select", "group"})) take_filter(reading, query.filters, name, value);
    }
    if (once(reading, pairs, "q")) take_search(reading, query.search, value_of(pairs, "q"));
    if (once(reading, pairs, "select")) {
        auto parts = split(value_of(pairs, "select"), ',');
        if (parts.size() > filters_max)
            reading.wrong("select", "has too many parts");
        else
            for (auto part : parts)
                take_aggregate(reading, query, part);
    } else if (mistakes.none()) {
        query.select.push_back({Aggregate::Operation::count, nullptr, "count"});
    }
    if (once(reading, pairs, "group")) {
        for (auto name : split(value_of(pairs, "group"), ',')) {
            const auto* field = known_field(reading, "group", name);
            if (field && !has_order(field->type))
                reading.wrong("group", "\"" + field->name + "\" cannot be grouped by");
            else if (field && std::find(query.group.begin(), query.group.end(), field) == query.group.end())
                query.group.push_back(field);
        }
        if (query.group.size() > sort_keys_max)
            reading.wrong("group", "may have at most " + std::to_string(sort_keys_max) + " fields");
    }
    for (const auto* field : query.group) {
        bool taken = std::any_of(query.select.begin(), query.select.end(),
                                 [&](const auto& aggregate) { return aggregate.name == field->name; });
        if (taken) reading.wrong("group", "\"" + field->name + "\" is what a sum is called");
    }
    return query;
}

HistoryPage check_history(const QueryPairs& pairs, Mistakes& mistakes) {
    HistoryPage page;
    auto number = [&](const std::string& name, std::string_view text, std::int64_t most) -> std::int64_t {
        std::int64_t value = 0;
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        bool fits = failure == std::errc() && end == text.data() + text.size() && value >= 1 && value <= most;
        if (!fits) mistakes.all.push_back({"?" + name, "is not one of those that are answered"});
        return fits ? value : 1;
    };
    for (const auto& [name, value] : pairs) {
        if (name == "limit")
            page.limit = static_cast<int>(number(name, value, page_max));
        else if (name == "next")
            page.before = number(name, value, std::numeric_limits<std::int64_t>::max());
        else
            mistakes.all.push_back({"?" + name.substr(0, 60), "is not known here: limit and next are"});
    }
    return page;
}

}  // namespace integreat::collections
