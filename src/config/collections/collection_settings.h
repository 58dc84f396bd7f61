// SPDX-License-Identifier: Apache-2.0
// The collections of an app's manifest, as people write them (docs/data.md). What they mean together is
// compiled to a model in services/data/model.h, which only exists if every check has passed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/validators/validators.h"
#include "json/binding/fields.h"

namespace integreat::config {

inline constexpr std::size_t collections_max = 100;  // Of one app.
inline constexpr std::size_t collection_fields_max = 100;
inline constexpr std::size_t transitions_max = 50;
inline constexpr std::size_t rules_max = 30;  // Of one action.
inline constexpr std::size_t states_max = 50;
inline constexpr std::size_t values_max = 200;  // Of an enum.
inline constexpr std::size_t unique_sets_max = 20;
inline constexpr std::size_t sort_keys_max = 3;
inline constexpr std::int64_t text_length_max = 100'000;
inline constexpr std::int64_t index_length_max = 500;  // Of a text that the database keeps an index of.
inline constexpr std::int64_t json_bytes_max = 1024 * 1024;
inline constexpr std::int64_t list_items_max = 1'000;
inline constexpr std::int64_t decimal_digits_max = 38;
inline constexpr std::int64_t decimal_scale_max = 18;

inline constexpr std::array<std::string_view, 16> field_types{
    "text",  "integer", "decimal", "money", "boolean",   "date", "timestamp", "enum",
    "email", "phone",   "address", "file",  "reference", "user", "list",      "json"};

// "PHP"
Complaint check_currency(std::string_view text);
inline constexpr std::string_view currency_pattern = "^[A-Z]{3}$";

// One of an enum's: what lists of values in queries can name.
Complaint check_value(std::string_view text);

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
    std::string default_value;  // Key "default": a literal, `caller`, `now`, `today`; empty: none.
    std::string computed;

    std::optional<std::int64_t> length_min, length_max;  // text
    std::string pattern;                                 // text
    std::string least, most;                             // integer, decimal, money, date: as written
    std::optional<std::int64_t> digits, scale;           // decimal
    std::string currency;                                // money; empty: PHP
    std::vector<std::string> values;                     // enum, list of enum
    std::string to;                                      // reference
    std::string on_delete;                               // reference: restrict | cascade | clear
    std::string of;                                      // list
    std::optional<std::int64_t> items_max;               // list
    std::optional<std::int64_t> bytes_max;               // json
};

template <class Visitor>
void fields(Visitor& visit, FieldSettings& field) {
    visit("type", field.type, "What it holds.",
          {.required = true, .choices = {field_types.begin(), field_types.end()}});
    visit("summary", field.summary, "One line for the documentation.");
    visit("example", field.example, "A value as it may be, for the documentation.", {.literal = true});
    visit("required", field.required, "Must every record have it?");
    visit("unique", field.unique, "May no two records have the same?");
    visit("indexed", field.indexed, "Is it looked for so often that an index pays?");
    visit("immutable", field.immutable, "Is it set when the record is made, and never after?");
    visit("personal", field.personal,
          "Is it about a person? Redacted in logs, exported and erased on request.");
    visit("default", field.default_value,
          "What it is if the caller says nothing: a literal; `caller` of a user, `now` of a timestamp, "
          "`today` of a date.",
          {.literal = true});
    visit("computed", field.computed,
          "From what it is computed: `price * quantity`, `avg(ratings[assessment].score)`.");
    visit("length_min", field.length_min, "Of a text, in characters.", {.least = 0, .most = text_length_max});
    visit("length_max", field.length_max, "Of a text, in characters; 200 if left out.",
          {.least = 1, .most = text_length_max});
    visit("pattern", field.pattern, "Of a text: a regular expression (RE2) that all of it must match.");
    visit("least", field.least, "Of an integer, a decimal, money (0 if left out) or a date.",
          {.literal = true});
    visit("most", field.most, "Of an integer, a decimal, money or a date.", {.literal = true});
    visit("digits", field.digits, "Of a decimal, in all; 18 if left out.",
          {.least = 1, .most = decimal_digits_max});
    visit("scale", field.scale, "Of a decimal, behind the point; 2 if left out.",
          {.least = 0, .most = decimal_scale_max});
    visit("currency", field.currency, "Of money, by ISO 4217; `PHP` if left out.",
          {.check = check_currency, .pattern = currency_pattern});
    visit("values", field.values, "Of an enum, or of a list of it.",
          {.items_max = values_max, .check = check_value, .literal = true});
    visit("to", field.to, "Of a reference: the collection.");
    visit("on_delete", field.on_delete,
          "Of a reference, when its target is deleted: that is refused (the default), the record goes too, "
          "or it loses the reference.",
          {.choices = {"restrict", "cascade", "clear"}});
    visit("of", field.of, "Of a list: what its items are.",
          {.choices = {"text", "integer", "email", "enum", "user", "date"}});
    visit("items_max", field.items_max, "Of a list; 50 if left out.", {.least = 1, .most = list_items_max});
    visit("bytes_max", field.bytes_max, "Of json; 16KiB if left out.",
          {.least = 2, .most = json_bytes_max, .bytes = true});
}

// One entry of a list of rules: all its parts must hold.
struct RuleSettings {
    std::vector<std::string> roles;
    std::string owner;
    std::string through;
    std::vector<std::string> states;
    bool is_public = false;  // Key "public".
    bool signed_in = false;
    std::vector<std::string> fields;  // Which may be seen or written; empty: all.
};

template <class Visitor>
void fields(Visitor& visit, RuleSettings& rule) {
    visit("roles", rule.roles, "The caller's role is one of these.", {.items_max = 50});
    visit("owner", rule.owner, "This field of the record is the caller, or a list that names them.");
    visit("through", rule.through,
          "The caller is found at the end of a path of references: `section.professor`, "
          "`enrollments[student].section.professor`.");
    visit("states", rule.states, "The record is in one of these states.", {.items_max = states_max});
    visit("public", rule.is_public, "Anyone may, without a token.");
    visit("signed_in", rule.signed_in, "Any user of the app may.");
    visit("fields", rule.fields, "Only these fields may be seen, or written.",
          {.items_max = collection_fields_max});
}

struct AccessSettings {
    std::vector<RuleSettings> read, create, update, remove;  // Key "delete" for the last.
};

template <class Visitor>
void fields(Visitor& visit, AccessSettings& access) {
    visit("read", access.read, "Who may see a record.", {.items_max = rules_max});
    visit("create", access.create, "Who may make one.", {.items_max = rules_max});
    visit("update", access.update, "Who may change one.", {.items_max = rules_max});
    visit("delete", access.remove, "Who may delete one.", {.items_max = rules_max});
}

struct StatesSettings {
    std::string initial;
    std::vector<std::string> names;
};

template <class Visitor>
void fields(Visitor& visit, StatesSettings& states) {
    visit("initial", states.initial, "Of a new record.", {.required = true});
    visit("names", states.names, "All of them.",
          {.required = true,
           .items_max = states_max,
           .check = check_identifier,
           .pattern = identifier_pattern});
}

struct TransitionSettings {
    std::string name;
    std::vector<std::string> from;
    std::string to;
    std::vector<RuleSettings> allow;
    std::vector<std::string> requires_fields;  // Key "requires": must not be null afterwards.
    std::vector<std::string> accepts;          // Fields that its body may set, whatever `update` says.
    std::string guard;                         // A comparison over the record's own fields: "balance <= 0".
    bool publishes = false;  // As event <app>.<collection>.<state>, recorded in the changes.
    std::string summary;
};

template <class Visitor>
void fields(Visitor& visit, TransitionSettings& transition) {
    visit("from", transition.from, "In which states it may happen.",
          {.required = true, .items_max = states_max});
    visit("to", transition.to, "The state afterwards.", {.required = true});
    visit("allow", transition.allow, "Who may carry it out.", {.required = true, .items_max = rules_max});
    visit("requires", transition.requires_fields, "Fields that must have a value afterwards.",
          {.items_max = collection_fields_max});
    visit("accepts", transition.accepts, "Fields that its body may set, whatever `update` says.",
          {.items_max = collection_fields_max});
    visit("guard", transition.guard, "What must be true of the record: `balance <= 0`.");
    visit("publishes", transition.publishes, "Is it an event, `APP.COLLECTION.STATE`?");
    visit("summary", transition.summary, "One line for the documentation.");
}

struct CollectionSettings {
    std::string name;
    std::string title;
    std::string summary;
    std::vector<FieldSettings> fields;
    std::vector<std::vector<std::string>> unique;  // Sets of fields that are unique together.
    std::vector<std::string> search;               // Text fields that `q=` looks into.
    std::vector<std::string> sort;                 // Of lists, if the caller says nothing.
    std::optional<StatesSettings> states;
    std::vector<TransitionSettings> transitions;
    AccessSettings access;
    std::vector<std::string> history;  // Roles that may read it; empty: the role "admin", if there is one.
    std::string subject;               // The field (user or email) that says whose personal data this is.
    bool soft_delete = false;
    std::string if_match = "optional";  // optional | required
};

template <class Visitor>
void fields(Visitor& visit, CollectionSettings& collection) {
    visit("title", collection.title, "One record of it, as people say; from the name if left out.",
          {.length_max = 100});
    visit("summary", collection.summary, "One line for the documentation.");
    visit.named("fields", collection.fields, &FieldSettings::name, "What a record holds, by name.",
                {.required = true,
                 .items_max = collection_fields_max,
                 .check = check_identifier,
                 .pattern = identifier_pattern});
    visit("unique", collection.unique, "Sets of fields that no two records have in common.",
          {.items_max = unique_sets_max});
    visit("search", collection.search, "Text fields that `q=` looks into.", {.items_max = 20});
    visit("sort", collection.sort, "Order of lists if the caller says nothing: `[-created_at, name]`.",
          {.items_max = sort_keys_max});
    visit("states", collection.states, "Its life cycle.");
    visit.named("transitions", collection.transitions, &TransitionSettings::name,
                "How a record gets from state to state, by name.",
                {.items_max = transitions_max, .check = check_identifier, .pattern = identifier_pattern});
    visit("access", collection.access, "Who may do what. What is not allowed here is refused.",
          {.required = true});
    visit("history", collection.history, "Roles that may read who changed what; `admin` if left out.",
          {.items_max = 50});
    visit("subject", collection.subject, "The field (user or email) that says whose personal data this is.");
    visit("soft_delete", collection.soft_delete, "Are deleted records kept for history and privacy export?");
    visit("if_match", collection.if_match, "Must a change name the version it is based on?",
          {.choices = {"optional", "required"}});
}

// The field of that name, the platform's own (id, state, created_at …) included; null if there is none.
const FieldSettings* find_field(const CollectionSettings& collection, std::string_view name);
const CollectionSettings* find_collection(const std::vector<CollectionSettings>& collections,
                                          std::string_view name);
bool is_system_field(std::string_view name);

// Of what people may name in rules and sorts: for "did you mean".
std::vector<std::string> field_names(const CollectionSettings& collection);

// May it name a person, so that it can be compared with the caller: a user, or a list of users?
bool names_a_user(const FieldSettings& field);

}  // namespace integreat::config
