// SPDX-License-Identifier: Apache-2.0
// Ways through references, as rules and computed fields write them: `section.professor` goes from a record to
// the section it refers to and ends in that section's professor; `enrollments[student].section` begins with
// the enrollments whose `student` is the record. Resolved here, every name of it known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"

namespace integreat::config {

inline constexpr std::size_t path_steps_max = 4;

// Walked from the record that is asked about.
struct Path {
    struct Step {
        bool backward = false;   // collection[field]: its records whose `field` is the record we stand on.
        std::string collection;  // Where the step arrives.
        std::string field;       // Forward: the reference left by. Backward: the reference that points here.
        friend bool operator==(const Step&, const Step&) = default;
    };
    std::vector<Step> steps;
    std::string end;  // The field of the last collection that holds the caller.
    bool end_is_list = false;
    std::string text;  // As the manifest says it.
    friend bool operator==(const Path&, const Path&) = default;
};

struct PathReading {
    Path path;
    Complaint complaint;  // Completes a sentence that begins with the key: "through …".
};
PathReading resolve_path(std::string_view text, const CollectionSettings& from,
                         const std::vector<CollectionSettings>& collections);

// Computed over the records that refer to this one: "avg(ratings[assessment].score)".
struct Rollup {
    std::string operation;   // count | sum | avg | min | max | wavg
    std::string collection;  // "ratings"
    std::string reference;   // Its field that points here: "assessment".
    std::string value;       // Its field; empty for count.
    std::string weight;      // wavg only: "wavg(ratings[assessment].score, weight)".
    friend bool operator==(const Rollup&, const Rollup&) = default;
};

// Is `computed` of this kind, and not an expression?
bool is_rollup(std::string_view computed);

struct RollupReading {
    Rollup rollup;
    Complaint complaint;
};
// Also checks that `field` can hold what comes out.
RollupReading resolve_rollup(const FieldSettings& field, const CollectionSettings& of,
                             const std::vector<CollectionSettings>& collections);

}  // namespace integreat::config
