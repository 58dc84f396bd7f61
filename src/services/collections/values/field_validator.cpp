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

#include "base/text/ascii.h"
#include "base/text/closest_match.h"
#include "config/collections/literals.h"
#include "json/document/node.h"
#include "services/collections/values/field_formats.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

constexpr std::size_t user_bytes_max = 128;
constexpr std::size_t line_characters_max = 200;
constexpr std::size_t file_key_bytes_max = 1024;
// Significant decimal digits that survive a round trip through an IEEE 754 double (DBL_DIG).
constexpr std::size_t exact_digits = 15;

std::string_view to_view(const bj::value& value) {
    const auto& text = value.get_string();
    return {text.data(), text.size()};
}

std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

// The field, location and error list of one value under validation.
struct ValueContext {
    const CompiledField& compiled;
    const std::string& pointer;
    ValidationErrors& errors;

    const Field& field() const { return *compiled.field; }
    std::nullopt_t fail(std::string detail) const {
        errors.add(pointer, std::move(detail));
        return std::nullopt;
    }
};

// Postgres text, or nothing after an error was added.
using PostgresText = std::optional<std::string>;

PostgresText validate_bounds(const ValueContext& context, std::string normalized) {
    const auto& field = context.field();
    if (field.min && config::compare_decimals(normalized, *field.min) < 0)
        return context.fail("must be at least " + *field.min);
    if (field.max && config::compare_decimals(normalized, *field.max) > 0)
        return context.fail("must be at most " + *field.max);
    return normalized;
}

PostgresText validate_text(const ValueContext& context, std::string_view text) {
    const auto& field = context.field();
    if (has_nul(text)) return context.fail("must not contain a NUL character");
    auto length = static_cast<std::int64_t>(count_characters(text));
    if (field.max_length && length > *field.max_length)
        return context.fail("must have at most " + std::to_string(*field.max_length) + " characters");
    if (field.min_length && length < *field.min_length)
        return context.fail("must have at least " + std::to_string(*field.min_length) + " characters");
    if (context.compiled.pattern &&
        !re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *context.compiled.pattern))
        return context.fail("must match " + field.pattern);
    return std::string(text);
}

PostgresText validate_integer(const ValueContext& context, const bj::value& value) {
    if (value.is_int64()) return validate_bounds(context, std::to_string(value.get_int64()));
    if (value.is_uint64()) return context.fail("is out of range");
    return context.fail("must be a whole number");
}

// Returns the shortest text of the number; a double with more digits than it can hold exactly is rejected.
Result<std::string> parse_decimal(const bj::value& value) {
    if (value.is_int64()) return std::to_string(value.get_int64());
    if (value.is_uint64()) return std::to_string(value.get_uint64());
    if (value.is_string()) return normalize_decimal(to_view(value));
    if (!value.is_double())
        return Error{Fault::invalid, "must be a decimal number as a string, such as \"12.50\"", ""};
    std::array<char, 400> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.get_double(),
                             std::chars_format::fixed)
                   .ptr;
    std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
    auto normalized = normalize_decimal(text);
    auto significant = normalized ? std::count_if(normalized->begin(), normalized->end(), is_digit) : 0;
    if (!normalized || static_cast<std::size_t>(significant) > exact_digits)
        return Error{Fault::invalid, "has more digits than a JSON number can hold: send it as a string", ""};
    return normalized;
}

PostgresText validate_decimal(const ValueContext& context, const bj::value& value) {
    const auto& field = context.field();
    auto normalized = parse_decimal(value);
    if (!normalized) return context.fail(normalized.error().message);
    auto point = normalized->find('.');
    auto decimals = point == std::string::npos ? 0 : normalized->size() - point - 1;
    if (decimals > static_cast<std::size_t>(field.scale))
        return context.fail("must have at most " + std::to_string(field.scale) + " decimals");
    auto whole = std::min(point, normalized->size()) - (normalized->starts_with('-') ? 1 : 0);
    if (whole > static_cast<std::size_t>(field.precision - field.scale) && !normalized->starts_with("0"))
        return context.fail("must have at most " + std::to_string(field.precision - field.scale) +
                            " digits before the point");
    return validate_bounds(context, *std::move(normalized));
}

PostgresText validate_money(const ValueContext& context, const bj::value& value) {
    constexpr const char* message = R"(must be an amount in minor units, such as {"amount": 150000})";
    const auto* object = value.if_object();
    if (!object) return context.fail(message);
    for (const auto& member : *object) {
        if (member.key() != "amount" && member.key() != "currency") {
            context.errors.add(json::append_pointer(context.pointer, member.key()),
                               "is unknown: money has amount and currency");
            return std::nullopt;
        }
    }
    const auto* amount = object->if_contains("amount");
    if (!amount) return context.fail(message);
    auto below = json::append_pointer(context.pointer, "amount");
    if (const auto* currency = object->if_contains("currency");
        currency && (!currency->is_string() || to_view(*currency) != context.field().currency)) {
        context.errors.add(json::append_pointer(context.pointer, "currency"),
                           "must be " + context.field().currency);
        return std::nullopt;
    }
    ValueContext inner{context.compiled, below, context.errors};
    if (!amount->is_int64()) return inner.fail("must be a whole number of minor units");
    return validate_bounds(inner, std::to_string(amount->get_int64()));
}

PostgresText validate_enumeration(const ValueContext& context, std::string_view text) {
    const auto& values = context.field().values;
    if (std::find(values.begin(), values.end(), text) != values.end()) return std::string(text);
    auto all = join(values, ", ");
    return context.fail("must be one of " + all + did_you_mean(text, values));
}

PostgresText validate_user(const ValueContext& context, std::string_view text) {
    bool valid = !text.empty() && text.size() <= user_bytes_max &&
                 std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c != 0x7f; });
    return valid ? PostgresText(std::string(text)) : context.fail("must be the uid of a user");
}

PostgresText to_postgres_text(const ValueContext& context, Result<std::string> result) {
    if (!result) return context.fail(std::move(result).error().message);
    return *std::move(result);
}

PostgresText validate_date(const ValueContext& context, std::string_view text) {
    auto date = normalize_date(text);
    const auto& field = context.field();
    // Dates in this format compare as strings.
    if (date && field.min && *date < *field.min) return context.fail("must be " + *field.min + " or later");
    if (date && field.max && *date > *field.max) return context.fail("must be " + *field.max + " or earlier");
    return to_postgres_text(context, std::move(date));
}

// Validates a type whose values are JSON strings.
PostgresText validate_string(const ValueContext& context, FieldType type, const bj::value& value) {
    if (!value.is_string()) return context.fail("must be a string");
    auto text = to_view(value);
    switch (type) {
        case FieldType::enumeration: return validate_enumeration(context, text);
        case FieldType::email: return to_postgres_text(context, normalize_email(text));
        case FieldType::phone: return to_postgres_text(context, normalize_phone(text));
        case FieldType::date: return validate_date(context, text);
        case FieldType::timestamp: return to_postgres_text(context, normalize_timestamp(text));
        case FieldType::reference: return to_postgres_text(context, normalize_uuid(text));
        case FieldType::user: return validate_user(context, text);
        default: return validate_text(context, text);
    }
}

PostgresText validate_list(const ValueContext& context, const bj::value& value) {
    const auto* array = value.if_array();
    const auto& field = context.field();
    if (!array) return context.fail("must be a list");
    if (array->size() > field.max_items)
        return context.fail("must have at most " + std::to_string(field.max_items) + " items");
    std::vector<std::string> elements;
    bool valid = true;
    for (std::size_t i = 0; i < array->size() && !context.errors.full(); ++i) {
        auto below = json::append_pointer(context.pointer, i);
        ValueContext inner{context.compiled, below, context.errors};
        const auto& item = (*array)[i];
        auto element = field.element == FieldType::integer ? validate_integer(inner, item)
                                                           : validate_string(inner, field.element, item);
        if (!element)
            valid = false;
        else
            elements.push_back(*std::move(element));
    }
    return valid ? PostgresText(to_array_literal(elements)) : std::nullopt;
}

bool contains_nul(const bj::value& value) {
    if (const auto* text = value.if_string()) return has_nul({text->data(), text->size()});
    if (const auto* array = value.if_array()) return std::any_of(array->begin(), array->end(), contains_nul);
    if (const auto* object = value.if_object()) {
        return std::any_of(object->begin(), object->end(), [](const auto& member) {
            return has_nul({member.key().data(), member.key().size()}) || contains_nul(member.value());
        });
    }
    return false;
}

PostgresText validate_json(const ValueContext& context, const bj::value& value) {
    auto text = bj::serialize(value);
    if (text.size() > context.field().max_bytes)
        return context.fail("must have at most " + std::to_string(context.field().max_bytes) + " bytes");
    if (contains_nul(value)) return context.fail("must not contain a NUL character");
    return text;
}

// One member of an address or a file object.
struct MemberSpec {
    std::string_view name;
    enum class Kind { line, key, bytes, latitude, longitude, set_by_platform } kind = Kind::line;
    bool required = false;
};

constexpr std::array address_members{MemberSpec{"line"},
                                     MemberSpec{"barangay"},
                                     MemberSpec{"city", MemberSpec::Kind::line, true},
                                     MemberSpec{"province"},
                                     MemberSpec{"region"},
                                     MemberSpec{"postal_code"},
                                     MemberSpec{"country"},
                                     MemberSpec{"latitude", MemberSpec::Kind::latitude},
                                     MemberSpec{"longitude", MemberSpec::Kind::longitude}};
constexpr std::array file_members{MemberSpec{"key", MemberSpec::Kind::key, true},
                                  MemberSpec{"name"},
                                  MemberSpec{"content_type"},
                                  MemberSpec{"bytes", MemberSpec::Kind::bytes},
                                  MemberSpec{"version_id", MemberSpec::Kind::set_by_platform},
                                  MemberSpec{"sha256", MemberSpec::Kind::set_by_platform}};

// Returns the error of a member; empty if it is valid.
std::string member_error(const MemberSpec& spec, const bj::value& value) {
    if (spec.kind == MemberSpec::Kind::latitude || spec.kind == MemberSpec::Kind::longitude) {
        double most = spec.kind == MemberSpec::Kind::latitude ? 90 : 180;
        double degrees = value.is_number() ? value.to_number<double>() : 1000;
        if (std::abs(degrees) <= most) return {};
        return "must be a number of degrees, at most " + std::to_string(static_cast<int>(most));
    }
    if (spec.kind == MemberSpec::Kind::bytes)
        return value.is_int64() && value.get_int64() >= 0 ? "" : "must be a whole number, at least 0";
    if (!value.is_string()) return "must be a string";
    auto text = to_view(value);
    if (has_nul(text)) return "must not contain a NUL character";
    if (spec.name == "country" &&
        !(text.size() == 2 && std::all_of(text.begin(), text.end(), [](char c) { return is_upper(c); })))
        return "must be two letters of ISO 3166, such as PH";
    if (spec.kind == MemberSpec::Kind::key && (text.empty() || text.size() > file_key_bytes_max))
        return "must have 1 to " + std::to_string(file_key_bytes_max) + " bytes";
    if (count_characters(text) > line_characters_max && spec.kind == MemberSpec::Kind::line)
        return "must have at most " + std::to_string(line_characters_max) + " characters";
    return spec.required && text.empty() ? "must not be empty" : "";
}

template <std::size_t Count>
PostgresText validate_members(const ValueContext& context, const std::array<MemberSpec, Count>& specs,
                              const bj::value& value) {
    const auto* object = value.if_object();
    if (!object) return context.fail("must be an object");
    auto before = context.errors.list.size();
    bj::object kept;
    for (const auto& member : *object) {
        std::string_view name(member.key().data(), member.key().size());
        auto spec =
            std::find_if(specs.begin(), specs.end(), [&](const auto& entry) { return entry.name == name; });
        auto below = json::append_pointer(context.pointer, name);
        if (spec == specs.end()) {
            std::vector<std::string> names;
            for (const auto& known : specs)
                names.emplace_back(known.name);
            context.errors.add(below, "is unknown" + did_you_mean(name, names));
        } else if (member.value().is_null()) {
            continue;
        } else if (auto error = member_error(*spec, member.value()); !error.empty()) {
            context.errors.add(below, error);
        } else if (spec->kind != MemberSpec::Kind::set_by_platform) {
            kept.emplace(name, member.value());
        }
    }
    for (const auto& spec : specs) {
        bool given =
            kept.contains(spec.name) || (object->contains(spec.name) && !object->at(spec.name).is_null());
        if (spec.required && !given)
            context.errors.add(json::append_pointer(context.pointer, spec.name), "is required");
    }
    if (context.errors.list.size() > before) return std::nullopt;
    if (context.field().type == FieldType::address && !kept.contains("country"))
        kept.emplace("country", "PH");
    return bj::serialize(kept);
}

}  // namespace

void ValidationErrors::add(std::string pointer, std::string detail) {
    if (!full()) list.push_back({"#" + std::move(pointer), std::move(detail)});
}

CompiledField compile_field(const Field& field) {
    CompiledField compiled{.field = &field, .pattern = nullptr};
    if (field.pattern.empty()) return compiled;
    auto pattern = std::make_shared<const re2::RE2>(field.pattern, re2::RE2::Quiet);
    ASSERT(pattern->ok());  // The manifest check has compiled it before.
    compiled.pattern = std::move(pattern);
    return compiled;
}

std::optional<std::string> validate_value(const CompiledField& compiled, const bj::value& value,
                                          const std::string& pointer, ValidationErrors& errors) {
    ValueContext context{compiled, pointer, errors};
    switch (compiled.field->type) {
        case FieldType::integer: return validate_integer(context, value);
        case FieldType::decimal: return validate_decimal(context, value);
        case FieldType::money: return validate_money(context, value);
        case FieldType::boolean:
            if (!value.is_bool()) return context.fail("must be true or false");
            return value.get_bool() ? "true" : "false";
        case FieldType::address: return validate_members(context, address_members, value);
        case FieldType::file: return validate_members(context, file_members, value);
        case FieldType::list: return validate_list(context, value);
        case FieldType::json: return validate_json(context, value);
        default: return validate_string(context, compiled.field->type, value);
    }
}

Result<std::string> normalize_operand(const Field& field, std::string_view text) {
    auto invalid = [](const char* message) { return Error{Fault::invalid, message, ""}; };
    if (has_nul(text)) return invalid("must not contain a NUL character");
    auto type = field.type == FieldType::list ? field.element : field.type;
    switch (type) {
        case FieldType::integer:
        case FieldType::money: {
            std::int64_t number = 0;
            auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (failure != std::errc() || end != text.data() + text.size())
                return invalid("must be a whole number");
            return std::to_string(number);
        }
        case FieldType::decimal: return normalize_decimal(text);
        case FieldType::boolean:
            if (text != "true" && text != "false") return invalid("must be true or false");
            return std::string(text);
        case FieldType::date: return normalize_date(text);
        case FieldType::timestamp: return normalize_timestamp(text);
        case FieldType::reference:
        case FieldType::id: return normalize_uuid(text);
        case FieldType::phone: return normalize_phone(text);
        case FieldType::address:
        case FieldType::file:
        case FieldType::json: return invalid("can only be compared with null");
        default: return std::string(text);
    }
}

}  // namespace integreat::collections
