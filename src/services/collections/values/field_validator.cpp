// SPDX-License-Identifier: Apache-2.0
#include "services/collections/values/field_validator.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include "base/text/closest_match.h"
#include "json/document/node.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

constexpr std::size_t user_bytes_max = 128;
constexpr std::size_t line_characters_max = 200;
constexpr std::size_t file_key_bytes_max = 1024;
// A decimal of so many digits comes out of a double as it went in (IEEE 754 double: DBL_DIG).
constexpr std::size_t exact_digits = 15;

std::string_view text_of(const bj::value& value) {
    const auto& text = value.get_string();
    return {text.data(), text.size()};
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

// The words of the manifest around one value, so that the functions below need few arguments.
struct Check {
    const FieldForm& form;
    const std::string& pointer;
    Mistakes& mistakes;

    const Field& field() const { return *form.field; }
    std::nullopt_t wrong(std::string detail) const {
        mistakes.add(pointer, std::move(detail));
        return std::nullopt;
    }
};

using Checked = std::optional<std::string>;

Checked check_bounds(const Check& check, std::string normal) {
    const auto& field = check.field();
    if (field.least && compare_decimals(normal, *normal_decimal(*field.least)) < 0)
        return check.wrong("must be at least " + *field.least);
    if (field.most && compare_decimals(normal, *normal_decimal(*field.most)) > 0)
        return check.wrong("must be at most " + *field.most);
    return normal;
}

Checked check_text(const Check& check, std::string_view text) {
    const auto& field = check.field();
    if (has_nul(text)) return check.wrong("must not have a NUL character");
    auto length = static_cast<std::int64_t>(characters(text));
    if (field.length_max && length > *field.length_max)
        return check.wrong("must have at most " + std::to_string(*field.length_max) + " characters");
    if (field.length_min && length < *field.length_min)
        return check.wrong("must have at least " + std::to_string(*field.length_min) + " characters");
    if (check.form.pattern &&
        !re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *check.form.pattern))
        return check.wrong("must match " + field.pattern);
    return std::string(text);
}

Checked check_integer(const Check& check, const bj::value& value) {
    if (value.is_int64()) return check_bounds(check, std::to_string(value.get_int64()));
    if (value.is_uint64()) return check.wrong("is too large a number");
    return check.wrong("must be a whole number");
}

// Shortest text that means this double; numbers with more digits than a double keeps are refused.
Result<std::string> decimal_of(const bj::value& value) {
    if (value.is_int64()) return std::to_string(value.get_int64());
    if (value.is_uint64()) return std::to_string(value.get_uint64());
    if (value.is_string()) return normal_decimal(text_of(value));
    if (!value.is_double())
        return Error{Fault::invalid, "must be a decimal number in a text, such as \"12.50\"", ""};
    std::array<char, 400> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.get_double(),
                             std::chars_format::fixed)
                   .ptr;
    std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
    auto normal = normal_decimal(text);
    auto significant =
        normal ? std::count_if(normal->begin(), normal->end(), [](char c) { return c >= '0' && c <= '9'; })
               : 0;
    if (!normal || static_cast<std::size_t>(significant) > exact_digits)
        return Error{Fault::invalid, "has more digits than a JSON number keeps: send it as a text", ""};
    return normal;
}

Checked check_decimal(const Check& check, const bj::value& value) {
    const auto& field = check.field();
    auto normal = decimal_of(value);
    if (!normal) return check.wrong(normal.error().message);
    auto point = normal->find('.');
    auto decimals = point == std::string::npos ? 0 : normal->size() - point - 1;
    if (decimals > static_cast<std::size_t>(field.scale))
        return check.wrong("must have at most " + std::to_string(field.scale) + " decimals");
    auto whole = std::min(point, normal->size()) - (normal->starts_with('-') ? 1 : 0);
    if (whole > static_cast<std::size_t>(field.digits - field.scale) && !normal->starts_with("0"))
        return check.wrong("must have at most " + std::to_string(field.digits - field.scale) +
                           " digits before the point");
    return check_bounds(check, *std::move(normal));
}

Checked check_money(const Check& check, const bj::value& value) {
    constexpr const char* sentence = R"(must be an amount in minor units, such as {"amount": 150000})";
    const auto* object = value.if_object();
    if (!object) return check.wrong(sentence);
    for (const auto& member : *object) {
        if (member.key() != "amount" && member.key() != "currency") {
            check.mistakes.add(json::below(check.pointer, member.key()), "is not a member of money");
            return std::nullopt;
        }
    }
    const auto* amount = object->if_contains("amount");
    if (!amount) return check.wrong(sentence);
    auto below = json::below(check.pointer, "amount");
    if (const auto* currency = object->if_contains("currency");
        currency && (!currency->is_string() || text_of(*currency) != check.field().currency)) {
        check.mistakes.add(json::below(check.pointer, "currency"), "must be " + check.field().currency);
        return std::nullopt;
    }
    Check inner{check.form, below, check.mistakes};
    if (!amount->is_int64()) return inner.wrong("must be a whole number of minor units");
    return check_bounds(inner, std::to_string(amount->get_int64()));
}

Checked check_enumeration(const Check& check, std::string_view text) {
    const auto& values = check.field().values;
    if (std::find(values.begin(), values.end(), text) != values.end()) return std::string(text);
    std::string all;
    for (const auto& value : values)
        all += (all.empty() ? "" : ", ") + value;
    return check.wrong("must be one of " + all + did_you_mean(text, values));
}

Checked check_user(const Check& check, std::string_view text) {
    bool fits = !text.empty() && text.size() <= user_bytes_max &&
                std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c != 0x7f; });
    return fits ? Checked(std::string(text)) : check.wrong("must be the uid of a user");
}

Checked normal(const Check& check, Result<std::string> result) {
    if (!result) return check.wrong(std::move(result).error().message);
    return *std::move(result);
}

Checked check_date(const Check& check, std::string_view text) {
    auto date = normal_date(text);
    const auto& field = check.field();
    // Dates of this form compare as texts.
    if (date && field.least && *date < *field.least)
        return check.wrong("must be " + *field.least + " or later");
    if (date && field.most && *date > *field.most)
        return check.wrong("must be " + *field.most + " or earlier");
    return normal(check, std::move(date));
}

// A type whose values are texts on the wire.
Checked check_texts(const Check& check, FieldType type, const bj::value& value) {
    if (!value.is_string()) return check.wrong("must be a text");
    auto text = text_of(value);
    switch (type) {
        case FieldType::enumeration: return check_enumeration(check, text);
        case FieldType::email: return normal(check, normal_email(text));
        case FieldType::phone: return normal(check, normal_phone(text));
        case FieldType::date: return check_date(check, text);
        case FieldType::timestamp: return normal(check, normal_timestamp(text));
        case FieldType::reference: return normal(check, normal_uuid(text));
        case FieldType::user: return check_user(check, text);
        default: return check_text(check, text);
    }
}

Checked check_list(const Check& check, const bj::value& value) {
    const auto* array = value.if_array();
    const auto& field = check.field();
    if (!array) return check.wrong("must be a list");
    if (array->size() > field.items_max)
        return check.wrong("must have at most " + std::to_string(field.items_max) + " items");
    std::vector<std::string> elements;
    bool fits = true;
    for (std::size_t i = 0; i < array->size() && !check.mistakes.full(); ++i) {
        auto below = json::below(check.pointer, i);
        Check inner{check.form, below, check.mistakes};
        const auto& item = (*array)[i];
        auto element = field.element == FieldType::integer ? check_integer(inner, item)
                                                           : check_texts(inner, field.element, item);
        if (!element)
            fits = false;
        else
            elements.push_back(*std::move(element));
    }
    return fits ? Checked(array_literal(elements)) : std::nullopt;
}

bool any_nul(const bj::value& value) {
    if (const auto* text = value.if_string()) return has_nul({text->data(), text->size()});
    if (const auto* array = value.if_array()) return std::any_of(array->begin(), array->end(), any_nul);
    if (const auto* object = value.if_object()) {
        return std::any_of(object->begin(), object->end(), [](const auto& member) {
            return has_nul({member.key().data(), member.key().size()}) || any_nul(member.value());
        });
    }
    return false;
}

Checked check_json(const Check& check, const bj::value& value) {
    auto text = bj::serialize(value);
    if (text.size() > check.field().bytes_max)
        return check.wrong("must have at most " + std::to_string(check.field().bytes_max) + " bytes");
    if (any_nul(value)) return check.wrong("must not have a NUL character");
    return text;
}

// One member of an address or a file.
struct Part {
    std::string_view name;
    enum class Kind { line, key, bytes, latitude, longitude } kind = Kind::line;
    bool required = false;
};

constexpr std::array address_parts{Part{"line"},
                                   Part{"barangay"},
                                   Part{"city", Part::Kind::line, true},
                                   Part{"province"},
                                   Part{"region"},
                                   Part{"postal_code"},
                                   Part{"country"},
                                   Part{"latitude", Part::Kind::latitude},
                                   Part{"longitude", Part::Kind::longitude}};
constexpr std::array file_parts{Part{"key", Part::Kind::key, true}, Part{"name"}, Part{"content_type"},
                                Part{"bytes", Part::Kind::bytes}};

// What is wrong with a member; empty if nothing is.
std::string mistake_in(const Part& part, const bj::value& value) {
    if (part.kind == Part::Kind::latitude || part.kind == Part::Kind::longitude) {
        double most = part.kind == Part::Kind::latitude ? 90 : 180;
        double degrees = value.is_number() ? value.to_number<double>() : 1000;
        if (std::abs(degrees) <= most) return {};
        return "must be a number of degrees, at most " + std::to_string(static_cast<int>(most));
    }
    if (part.kind == Part::Kind::bytes)
        return value.is_int64() && value.get_int64() >= 0 ? "" : "must be a whole number, at least 0";
    if (!value.is_string()) return "must be a text";
    auto text = text_of(value);
    if (has_nul(text)) return "must not have a NUL character";
    if (part.name == "country" && !(text.size() == 2 && std::all_of(text.begin(), text.end(), [](char c) {
                                        return c >= 'A' && c <= 'Z';
                                    })))
        return "must be two letters of ISO 3166, such as PH";
    if (part.kind == Part::Kind::key && (text.empty() || text.size() > file_key_bytes_max))
        return "must have 1 to " + std::to_string(file_key_bytes_max) + " bytes";
    if (characters(text) > line_characters_max && part.kind == Part::Kind::line)
        return "must have at most " + std::to_string(line_characters_max) + " characters";
    return part.required && text.empty() ? "must not be empty" : "";
}

template <std::size_t Count>
Checked check_parts(const Check& check, const std::array<Part, Count>& parts, const bj::value& value) {
    const auto* object = value.if_object();
    if (!object) return check.wrong("must be an object");
    auto before = check.mistakes.all.size();
    bj::object kept;
    for (const auto& member : *object) {
        std::string_view name(member.key().data(), member.key().size());
        auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& p) { return p.name == name; });
        auto below = json::below(check.pointer, name);
        if (part == parts.end()) {
            std::vector<std::string> names;
            for (const auto& known : parts)
                names.emplace_back(known.name);
            check.mistakes.add(below, "is not known here" + did_you_mean(name, names));
        } else if (member.value().is_null()) {
            continue;
        } else if (auto mistake = mistake_in(*part, member.value()); !mistake.empty()) {
            check.mistakes.add(below, mistake);
        } else {
            kept.emplace(name, member.value());
        }
    }
    for (const auto& part : parts) {
        bool given =
            kept.contains(part.name) || (object->contains(part.name) && !object->at(part.name).is_null());
        if (part.required && !given) check.mistakes.add(json::below(check.pointer, part.name), "is required");
    }
    if (check.mistakes.all.size() > before) return std::nullopt;
    if (check.field().type == FieldType::address && !kept.contains("country")) kept.emplace("country", "PH");
    return bj::serialize(kept);
}

}  // namespace

void Mistakes::add(std::string pointer, std::string detail) {
    if (!full()) all.push_back({"#" + std::move(pointer), std::move(detail)});
}

FieldForm form_of(const Field& field) {
    FieldForm form{.field = &field, .pattern = nullptr};
    if (field.pattern.empty()) return form;
    auto pattern = std::make_shared<const re2::RE2>(field.pattern, re2::RE2::Quiet);
    ASSERT(pattern->ok());  // The manifest's check has compiled it before.
    form.pattern = std::move(pattern);
    return form;
}

std::optional<std::string> check_value(const FieldForm& form, const bj::value& value,
                                       const std::string& pointer, Mistakes& mistakes) {
    Check check{form, pointer, mistakes};
    switch (form.field->type) {
        case FieldType::integer: return check_integer(check, value);
        case FieldType::decimal: return check_decimal(check, value);
        case FieldType::money: return check_money(check, value);
        case FieldType::boolean:
            if (!value.is_bool()) return check.wrong("must be true or false");
            return value.get_bool() ? "true" : "false";
        case FieldType::address: return check_parts(check, address_parts, value);
        case FieldType::file: return check_parts(check, file_parts, value);
        case FieldType::list: return check_list(check, value);
        case FieldType::json: return check_json(check, value);
        default: return check_texts(check, form.field->type, value);
    }
}

Result<std::string> check_operand(const Field& field, std::string_view text) {
    auto wrong = [](const char* sentence) { return Error{Fault::invalid, sentence, ""}; };
    if (has_nul(text)) return wrong("must not have a NUL character");
    auto type = field.type == FieldType::list ? field.element : field.type;
    switch (type) {
        case FieldType::integer:
        case FieldType::money: {
            std::int64_t number = 0;
            auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (failure != std::errc() || end != text.data() + text.size())
                return wrong("must be a whole number");
            return std::to_string(number);
        }
        case FieldType::decimal: return normal_decimal(text);
        case FieldType::boolean:
            if (text != "true" && text != "false") return wrong("must be true or false");
            return std::string(text);
        case FieldType::date: return normal_date(text);
        case FieldType::timestamp: return normal_timestamp(text);
        case FieldType::reference:
        case FieldType::id: return normal_uuid(text);
        case FieldType::phone: return normal_phone(text);
        case FieldType::address:
        case FieldType::file:
        case FieldType::json: return wrong("can only be asked whether it is null");
        default: return std::string(text);
    }
}

}  // namespace integreat::collections
