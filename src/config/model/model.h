// SPDX-License-Identifier: Apache-2.0
// What an app's collections mean (docs/data.md), with every name resolved: the one value that tables,
// policies, routes, validation, OpenAPI, the TypeScript client and seeds are made from. Immutable; made from
// a manifest that has passed every check, so that nothing here can be wrong in itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "config/collections/reference_paths.h"
#include "config/manifest/manifest.h"

namespace integreat::collections {

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
    id,  // Of the record itself; the only system field with a type of its own.
};
std::string_view to_string(FieldType type);  // As manifests say it: "enum".

struct Field {
    std::string name;  // Also of the column.
    FieldType type = FieldType::text;
    FieldType element = FieldType::text;  // Of a list.
    bool system = false;  // id, state, created_at, created_by, updated_at, version: read only.
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

    std::optional<std::int64_t> length_min, length_max;  // In characters.
    std::string pattern;                                 // RE2, the whole text.
    std::optional<std::string> least, most;              // Decimal text, or a date; inclusive.
    int digits = 0, scale = 0;                           // decimal
    std::string currency;                                // money
    std::vector<std::string> values;                     // enum and list of enum; state: its names.
    std::string target;                                  // reference: the collection.
    enum class OnDelete { restrict, cascade, clear };
    OnDelete on_delete = OnDelete::restrict;
    std::size_t items_max = 0;  // list
    std::size_t bytes_max = 0;  // json

    // Computed from the record's own fields: SQL over columns, checked and quoted. Empty: not so.
    std::string generated_sql;
    // Computed over the records that refer to this one.
    using Rollup = config::Rollup;
    std::optional<Rollup> rollup;

    bool computed() const { return !generated_sql.empty() || rollup.has_value(); }
    bool writable() const { return !system && !computed(); }
};

using Path = config::Path;

// The caller's role in the database, besides the app's own roles.
inline constexpr std::string_view role_none = "none";            // Signed in, with no role of the app.
inline constexpr std::string_view role_anonymous = "anonymous";  // Without a token.

// One entry of a list of rules. All its parts must hold.
struct Rule {
    std::vector<std::string> roles;  // Of Model::roles, all it can hold for; never empty.
    std::string owner;               // Field; empty: no such part.
    bool owner_is_list = false;
    std::optional<Path> through;
    std::vector<std::string> states;  // Empty: any.
    std::vector<std::string> fields;  // Visible or writable ones; of read with the system's; never empty.

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
    std::string guard_sql;  // A boolean expression over columns, checked and quoted; empty: none.
    std::string guard;      // As the manifest says it, for messages.
    bool publishes = false;
};

enum class Action { read, create, update, remove };
std::string_view to_string(Action action);

struct Collection {
    std::string name;
    std::string title;
    std::string summary;
    std::vector<Field>
        fields;  // id first, then state if there is one, the manifest's, the other system fields.
    std::vector<std::vector<std::string>> unique;
    std::vector<std::string> search;
    struct SortKey {
        std::string field;
        bool descending = false;
    };
    std::vector<SortKey> sort;  // Of lists; id is not in it, and always the last.
    std::string initial_state;  // Empty: no states.
    std::vector<Transition> transitions;
    std::vector<Rule> read, create, update, remove;
    std::vector<std::string> history_roles;
    std::string subject;
    bool soft_delete = false;
    bool if_match_required = false;

    const Field* find(std::string_view field) const;  // Null if there is none.
    const std::vector<Rule>& rules(Action action) const;
    const Transition* transition(std::string_view name) const;
};

struct Model {
    TenantId app;
    std::string title;
    std::vector<std::string> roles;  // The manifest's, then role_none and role_anonymous.
    std::vector<Collection> collections;

    const Collection* find(std::string_view collection) const;
};

// The fields that a role may see (read) or write (create, update), in the order of the collection; empty: the
// role may not do so at all.
std::vector<const Field*> fields_for(const Collection& collection, Action action, std::string_view role);

// Entries of `rules` that can hold for the role.
std::vector<const Rule*> rules_for(const std::vector<Rule>& rules, std::string_view role);

// `manifest` has passed its checks.
std::shared_ptr<const Model> compile_model(const config::Manifest& manifest);

}  // namespace integreat::collections
