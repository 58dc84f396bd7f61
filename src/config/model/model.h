// SPDX-License-Identifier: Apache-2.0
// Compiled model of an app's collections (docs/describe-an-app/) with every name resolved: the single source
// for tables, row policies, routes, validation, OpenAPI, the TypeScript client and seeds. Immutable; the
// checks of a manifest (config/checks/) build it, so a model exists only without errors and is always
// consistent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "config/collections/reference_paths.h"

namespace integreat::config {

enum class FieldType {
    text,
    integer,
    decimal,
    money,
    boolean,
    date,
    timestamp,
    enumeration,
    email,
    phone,
    address,
    file,
    reference,
    user,
    list,
    json,
    id,  // The record's own ID; the only system field with its own type.
};
std::string_view to_string(FieldType type);  // Returns the manifest's name: "enum".
// Parses the manifest's name of a type, which must be known.
FieldType parse_field_type(std::string_view name);

struct Field {
    std::string name;  // Field and column name.
    FieldType type = FieldType::text;
    FieldType element = FieldType::text;  // Element type of a list.
    bool system = false;  // id, state, created_at, created_by, updated_at, version: read-only.
    bool required = false;
    bool unique = false;
    bool indexed = false;
    bool immutable = false;
    bool personal = false;
    std::string summary;
    std::string example;

    enum class Default { none, literal, caller, now, today };
    Default default_kind = Default::none;
    std::string default_literal;

    std::optional<std::int64_t> min_length, max_length;  // Text length in characters.
    std::string pattern;                                 // RE2 pattern; must match the whole text.
    std::optional<std::string> min, max;                 // Inclusive bounds: decimal text or a date.
    int precision = 0, scale = 0;                        // Precision and scale of a decimal.
    std::string currency;                                // Currency code of money.
    std::vector<std::string> values;                     // Values of an enum or a list of enum; state names.
    std::string target;                                  // Referenced collection.
    enum class OnDelete { restrict, cascade, clear };
    OnDelete on_delete = OnDelete::restrict;
    std::size_t max_items = 0;  // Maximum length of a list.
    std::size_t max_bytes = 0;  // Maximum size of a json value.

    // SQL expression over the record's own columns, checked and quoted; empty if not generated.
    std::string generated_sql;
    std::optional<Rollup> rollup;  // Aggregate over the records that reference this one.

    bool computed() const { return !generated_sql.empty() || rollup.has_value(); }
    bool writable() const { return !system && !computed(); }
};

// Database roles in addition to the app's own roles.
inline constexpr std::string_view role_none = "none";            // Signed in without a role of the app.
inline constexpr std::string_view role_anonymous = "anonymous";  // Without a token.

// One access rule. All of its conditions must hold.
struct Rule {
    std::vector<std::string> roles;  // Subset of Model::roles that the rule applies to; never empty.
    std::string owner;               // Owner field; empty without this condition.
    bool owner_is_list = false;
    std::optional<Path> through;
    std::vector<std::string> states;  // Required states; empty: any.
    // Readable or writable fields; never empty. A read rule includes the system fields.
    std::vector<std::string> fields;

    bool unconditional() const { return owner.empty() && !through && states.empty(); }
};

struct Transition {
    std::string name;
    std::string summary;
    std::vector<std::string> from;
    std::string to;
    std::vector<Rule> allow;
    std::vector<std::string> requires_fields;
    std::vector<std::string> accepts;
    std::string guard_sql;  // Boolean expression over columns, checked and quoted; empty: none.
    std::string guard;      // Source text in the manifest, for messages.
    bool publishes = false;
};

enum class Action { read, create, update, remove };
std::string_view to_string(Action action);

struct Collection {
    std::string name;
    std::string title;
    std::string summary;
    std::vector<Field> fields;  // Order: id, state if any, the manifest's fields, the other system fields.
    std::vector<std::vector<std::string>> unique;
    std::vector<std::string> search;
    struct SortKey {
        std::string field;
        bool descending = false;
    };
    std::vector<SortKey> sort;  // Default order of lists; without id, which is always the last key.
    std::string initial_state;  // Empty without states.
    std::vector<Transition> transitions;
    std::vector<Rule> read, create, update, remove;
    std::vector<std::string> history_roles;
    std::string subject;
    bool soft_delete = false;
    std::optional<std::int64_t> max_per_owner;  // Limit of limited_roles().
    bool if_match_required = false;

    const Field* find(std::string_view field) const;  // Returns null if there is no such field.
    const std::vector<Rule>& rules(Action action) const;
    const Transition* transition(std::string_view transition_name) const;
};

struct Model {
    TenantId app;
    std::string title;
    std::vector<std::string> roles;  // The manifest's roles, then role_none and role_anonymous.
    std::vector<Collection> collections;

    const Collection* find(std::string_view collection) const;
};

// Returns the fields that a role may read (read) or write (create, update), in the order of the collection.
// Empty if the role may not perform the action at all.
std::vector<const Field*> fields_for(const Collection& collection, Action action, std::string_view role);

// Returns the roles that max_per_owner limits: those that may create only what a user without a role, or a
// caller without a token, may create.
std::vector<std::string> limited_roles(const Model& model, const Collection& collection);

// Returns the rules that apply to the role.
std::vector<const Rule*> rules_for(const std::vector<Rule>& rules, std::string_view role);

}  // namespace integreat::config
