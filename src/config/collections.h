// SPDX-License-Identifier: Apache-2.0
// The collections of an app's manifest, as people write them (docs/data.md). What they mean together is
// compiled to a model in services/data/model.h, which only exists if every check has passed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/forms.h"
#include "json/fields.h"

namespace integreat::config {

inline constexpr std::size_t collections_max = 100;  // Of one app.
inline constexpr std::size_t collection_fields_max = 100;
inline constexpr std::size_t transitions_max = 50;
inline constexpr std::size_t rules_max = 30;  // Of one action.

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

struct AccessSettings {
    std::vector<RuleSettings> read, create, update, remove;  // Key "delete" for the last.
};

struct StatesSettings {
    std::string initial;
    std::vector<std::string> names;
};

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
    std::vector<std::string>
        history;          // Roles that may read it; empty: admins of the app (role "admin") only.
    std::string subject;  // The field (user or email) that says whose personal data this is.
    bool soft_delete = false;
    std::string if_match = "optional";  // optional | required
};

}  // namespace integreat::config
