// SPDX-License-Identifier: Apache-2.0
// Paths along references in rules and computed fields: `section.professor` leads from a record to the section
// it refers to and ends in that section's professor; `enrollments[student].section` starts with the
// enrollments whose `student` is the record. Resolving a path checks every name in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/collections/collection_settings.h"
#include "config/validators/validators.h"

namespace integreat::config {

inline constexpr std::size_t max_path_steps = 4;

// A path that starts at the record under test.
struct Path {
    struct Step {
        bool backward = false;   // collection[field]: the records whose `field` refers to the current record.
        std::string collection;  // Target collection of the step.
        std::string field;  // Forward: the reference followed. Backward: the reference to the current record.
        friend bool operator==(const Step&, const Step&) = default;
    };
    std::vector<Step> steps;
    std::string end;  // Field of the last collection that contains the caller.
    bool end_is_list = false;
    std::string text;  // Source text in the manifest.
    friend bool operator==(const Path&, const Path&) = default;
};

struct PathResult {
    Path path;
    CheckResult error;  // Completes a sentence that starts with the key: "through …".
};
PathResult resolve_path(std::string_view text, const CollectionSettings& from,
                        const std::vector<CollectionSettings>& collections);

// An aggregate over the records that refer to this one: "avg(ratings[assessment].score)".
struct Rollup {
    std::string operation;   // count | sum | avg | min | max | wavg
    std::string collection;  // "ratings"
    std::string reference;   // Its field that refers to this record: "assessment".
    std::string value;       // Aggregated field; empty for count.
    std::string weight;      // Weight, wavg only: "wavg(ratings[assessment].score, weight)".
    friend bool operator==(const Rollup&, const Rollup&) = default;
};

// Returns true if `computed` is an aggregate, not an expression.
bool is_rollup(std::string_view computed);

struct RollupResult {
    Rollup rollup;
    CheckResult error;
};
// Resolves an aggregate and checks that `field` can store its result.
RollupResult resolve_rollup(const FieldSettings& field, const CollectionSettings& collection,
                            const std::vector<CollectionSettings>& collections);

}  // namespace integreat::config
