// SPDX-License-Identifier: Apache-2.0
// The collections of a manifest as written (docs/describe-an-app/). config/checks compiles them to a model
// (config/model), which exists only if every check has passed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/validators/validators.h"
#include "json/binding/fields.h"

namespace integreat::config {

inline constexpr std::size_t max_collections = 100;  // Per app.
inline constexpr std::size_t max_collection_fields = 100;
inline constexpr std::size_t max_transitions = 50;
inline constexpr std::size_t max_rules = 30;  // Per action.
inline constexpr std::size_t max_states = 50;
inline constexpr std::size_t max_values = 200;  // Per enum.
inline constexpr std::size_t max_unique_sets = 20;
inline constexpr std::size_t max_sort_keys = 3;
inline constexpr std::int64_t max_text_length = 100'000;
inline constexpr std::int64_t max_indexed_length = 500;  // Maximum length of an indexed text.
inline constexpr std::int64_t max_json_bytes = 1024 * 1024;
inline constexpr std::int64_t max_list_items = 1'000;
inline constexpr std::int64_t max_decimal_precision = 38;
inline constexpr std::int64_t max_decimal_scale = 18;

inline constexpr std::array<std::string_view, 16> field_types{
    "text",  "integer", "decimal", "money", "boolean",   "date", "timestamp", "enum",
    "email", "phone",   "address", "file",  "reference", "user", "list",      "json"};

// Checks a currency code: "PHP".
CheckResult check_currency(std::string_view text);
inline constexpr std::string_view currency_pattern = "^[A-Z]{3}$";

// Checks an enum value, which must be usable in a list of values in a query.
CheckResult check_value(std::string_view text);

struct FieldSettings {
    std::string name;
    std::string type;
    std::string summary;
    std::string example;
    bool required = false;
    bool unique = false;
    bool indexed = false;
    bool immutable = false;
    bool personal = false;
    std::string default_value;  // Key "default": a literal, `caller`, `now` or `today`; empty: none.
    std::string computed;

    std::optional<std::int64_t> min_length, max_length;  // text
    std::string pattern;                                 // text
    std::string min, max;                                // integer, decimal, money, date; as written
    std::optional<std::int64_t> precision, scale;        // decimal
    std::string currency;                                // money; empty: PHP
    std::vector<std::string> values;                     // enum, list of enum
    std::string to;                                      // reference
    std::string on_delete;                               // reference: restrict | cascade | clear
    std::string of;                                      // list
    std::optional<std::int64_t> max_items;               // list
    std::optional<std::int64_t> max_bytes;               // json
};

template <class Visitor>
void fields(Visitor& visit, FieldSettings& field) {
    visit("type", field.type, "Type of the value.",
          {.required = true, .choices = {field_types.begin(), field_types.end()}});
    visit("summary", field.summary, "One line for the documentation.");
    visit("example", field.example, "Example value, for the documentation.", {.literal = true});
    visit("required", field.required, "Every record must have a value.");
    visit("unique", field.unique, "No two records may have the same value.");
    visit("indexed", field.indexed, "Create an index on this field.");
    visit("immutable", field.immutable, "The value is set on creation and cannot be changed.");
    visit("personal", field.personal, "Personal data: redacted in logs, exported and erased on request.");
    visit("default", field.default_value,
          "Default value: a literal; `caller` for a user, `now` for a timestamp, `today` for a date.",
          {.literal = true});
    visit("computed", field.computed,
          "Expression that computes the value: `price * quantity`, `avg(ratings[assessment].score)`.");
    visit("min_length", field.min_length, "Minimum length of a text, in characters.",
          {.minimum = 0, .maximum = max_text_length});
    visit("max_length", field.max_length, "Maximum length of a text, in characters. Default: 200.",
          {.minimum = 1, .maximum = max_text_length});
    visit("pattern", field.pattern, "Regular expression (RE2) that the whole text must match.");
    visit("min", field.min, "Minimum of an integer, decimal, money (default: 0) or date.", {.literal = true});
    visit("max", field.max, "Maximum of an integer, decimal, money or date.", {.literal = true});
    visit("precision", field.precision, "Total number of digits of a decimal. Default: 18.",
          {.minimum = 1, .maximum = max_decimal_precision});
    visit("scale", field.scale, "Digits of a decimal after the point. Default: 2.",
          {.minimum = 0, .maximum = max_decimal_scale});
    visit("currency", field.currency, "Currency of money (ISO 4217). Default: `PHP`.",
          {.check = check_currency, .pattern = currency_pattern});
    visit("values", field.values, "Values of an enum or of a list of enum.",
          {.max_items = max_values, .check = check_value, .literal = true});
    visit("to", field.to, "Referenced collection.");
    visit(
        "on_delete", field.on_delete,
        "Effect of deleting the referenced record: refuse it (the default), delete this record, or clear the "
        "reference.",
        {.choices = {"restrict", "cascade", "clear"}});
    visit("of", field.of, "Type of the items of a list.",
          {.choices = {"text", "integer", "email", "enum", "user", "date"}});
    visit("max_items", field.max_items, "Maximum number of items of a list. Default: 50.",
          {.minimum = 1, .maximum = max_list_items});
    visit("max_bytes", field.max_bytes, "Maximum size of a json value. Default: 16KiB.",
          {.minimum = 2, .maximum = max_json_bytes, .bytes = true});
}

// An access rule. All of its conditions must hold.
struct RuleSettings {
    std::vector<std::string> roles;
    std::string owner;
    std::string through;
    std::vector<std::string> states;
    bool is_public = false;  // Key "public".
    bool signed_in = false;
    std::vector<std::string> fields;  // Readable or writable fields; empty: all.
};

template <class Visitor>
void fields(Visitor& visit, RuleSettings& rule) {
    visit("roles", rule.roles, "The caller has one of these roles.", {.max_items = 50});
    visit("owner", rule.owner, "This field of the record is the caller, or a list that contains the caller.");
    visit("through", rule.through,
          "A path of references leads to the caller: `section.professor`, "
          "`enrollments[student].section.professor`.");
    visit("states", rule.states, "The record is in one of these states.", {.max_items = max_states});
    visit("public", rule.is_public, "Everyone, also without a token.");
    visit("signed_in", rule.signed_in, "Every signed-in user of the app.");
    visit("fields", rule.fields, "Restricts the readable or writable fields to these.",
          {.max_items = max_collection_fields});
}

struct AccessSettings {
    std::vector<RuleSettings> read, create, update, remove;  // Key "delete" for the last.
};

template <class Visitor>
void fields(Visitor& visit, AccessSettings& access) {
    visit("read", access.read, "Rules for reading records.", {.max_items = max_rules});
    visit("create", access.create, "Rules for creating records.", {.max_items = max_rules});
    visit("update", access.update, "Rules for updating records.", {.max_items = max_rules});
    visit("delete", access.remove, "Rules for deleting records.", {.max_items = max_rules});
}

struct StatesSettings {
    std::string initial;
    std::vector<std::string> names;
};

template <class Visitor>
void fields(Visitor& visit, StatesSettings& states) {
    visit("initial", states.initial, "State of a new record.", {.required = true});
    visit("names", states.names, "All states.",
          {.required = true,
           .max_items = max_states,
           .check = check_identifier,
           .pattern = identifier_pattern});
}

struct TransitionSettings {
    std::string name;
    std::vector<std::string> from;
    std::string to;
    std::vector<RuleSettings> allow;
    std::vector<std::string> requires_fields;  // Key "requires": must not be null afterwards.
    std::vector<std::string> accepts;          // Fields that the body may set, independent of `update`.
    std::string guard;                         // Condition over the record's fields: "balance <= 0".
    bool publishes = false;  // Publishes the event <app>.<collection>.<state>, recorded in the changes.
    std::string summary;
};

template <class Visitor>
void fields(Visitor& visit, TransitionSettings& transition) {
    visit("from", transition.from, "States in which the transition is allowed.",
          {.required = true, .max_items = max_states});
    visit("to", transition.to, "New state.", {.required = true});
    visit("allow", transition.allow, "Rules for performing the transition.",
          {.required = true, .max_items = max_rules});
    visit("requires", transition.requires_fields, "Fields that must have a value after the transition.",
          {.max_items = max_collection_fields});
    visit("accepts", transition.accepts, "Fields that the body may set, independent of `update`.",
          {.max_items = max_collection_fields});
    visit("guard", transition.guard, "Condition that the record must meet: `balance <= 0`.");
    visit("publishes", transition.publishes, "Publish the event `APP.COLLECTION.STATE`.");
    visit("summary", transition.summary, "One line for the documentation.");
}

struct CollectionSettings {
    std::string name;
    std::string title;
    std::string summary;
    std::vector<FieldSettings> fields;
    std::vector<std::vector<std::string>> unique;  // Sets of fields that are unique together.
    std::vector<std::string> search;               // Text fields that `q=` searches.
    std::vector<std::string> sort;                 // Default order of lists.
    std::optional<StatesSettings> states;
    std::vector<TransitionSettings> transitions;
    AccessSettings access;
    std::vector<std::string>
        history;          // Roles that may read the history; empty: the role "admin", if there is one.
    std::string subject;  // Field (user or email) that identifies the data subject.
    bool soft_delete = false;
    std::optional<std::int64_t> max_per_owner;  // Records that one self-registered caller may create.
    std::string if_match = "optional";          // optional | required
};

template <class Visitor>
void fields(Visitor& visit, CollectionSettings& collection) {
    visit("title", collection.title, "Display name of one record. Default: derived from the name.",
          {.max_length = 100});
    visit("summary", collection.summary, "One line for the documentation.");
    visit.map_of("fields", collection.fields, &FieldSettings::name, "Fields of a record, by name.",
                 {.required = true,
                  .max_items = max_collection_fields,
                  .check = check_identifier,
                  .pattern = identifier_pattern});
    visit("unique", collection.unique, "Sets of fields whose combination is unique.",
          {.max_items = max_unique_sets});
    visit("search", collection.search, "Text fields that `q=` searches.", {.max_items = 20});
    visit("sort", collection.sort, "Default order of lists: `[-created_at, name]`.",
          {.max_items = max_sort_keys});
    visit("states", collection.states, "States of the lifecycle.");
    visit.map_of("transitions", collection.transitions, &TransitionSettings::name,
                 "Transitions between states, by name.",
                 {.max_items = max_transitions, .check = check_identifier, .pattern = identifier_pattern});
    visit("access", collection.access, "Access rules. Everything that they do not allow is refused.",
          {.required = true});
    visit("history", collection.history, "Roles that may read the change history. Default: `admin`.",
          {.max_items = 50});
    visit("subject", collection.subject, "Field (user or email) that identifies the data subject.");
    visit("soft_delete", collection.soft_delete, "Keep deleted records for history and privacy export.");
    visit("max_per_owner", collection.max_per_owner,
          "Maximum number of records that a user may have created, if their role may create only what a user "
          "without a role may: for collections open to everyone who signs up. Deleted records that are kept "
          "count. All callers without a token count as one.",
          {.minimum = 1, .maximum = 1'000'000});
    visit("if_match", collection.if_match,
          "Requirement of If-Match with the version that a change is based on.",
          {.choices = {"optional", "required"}});
}

// Returns the field of that name, including system fields (id, state, created_at …); null if there is none.
const FieldSettings* find_field(const CollectionSettings& collection, std::string_view name);
const CollectionSettings* find_collection(const std::vector<CollectionSettings>& collections,
                                          std::string_view name);
bool is_system_field(std::string_view name);

// Returns all names that rules and sorts may use, for "did you mean".
std::vector<std::string> field_names(const CollectionSettings& collection);

// Returns true for a user or a list of users, which can be compared with the caller.
bool can_identify_user(const FieldSettings& field);

}  // namespace integreat::config
