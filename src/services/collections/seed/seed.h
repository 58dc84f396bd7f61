// SPDX-License-Identifier: Apache-2.0
// Generates realistic records for development and demonstrations from a seed file next to an app's manifest
// and a word file shared by all seeds (docs/describe-an-app/seeds.md). The same files, day and people give
// the same records.
//
// A seed is a list of batches, each with records of one collection: explicit rows, and a generator for each
// other field ("pick family_names", "between 1 5", "any listed"). Batches are inserted in order, so that
// later ones can reference earlier ones.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/result.h"
#include "base/time.h"
#include "config/configuration/configuration.h"
#include "services/collections/model.h"

namespace integreat::collections {

inline constexpr std::size_t seed_batches_max = 200;
inline constexpr std::size_t seed_records_max = 5'000;  // Per batch.

struct Locality {
    std::string barangay, city, province, region, postal_code;
    double latitude = 0, longitude = 0;
};

struct SeedWords {
    std::map<std::string, std::vector<std::string>, std::less<>> lists;
    std::vector<Locality> places;
};

// Value generator of one field.
struct FieldGenerator {
    const Field* field = nullptr;
    std::string text;                 // "between 1 5"
    std::vector<std::string> states;  // Record states it applies to; empty: any.
    std::int64_t share = 100;         // Percentage of records.
    std::string location;             // "apps/seed/campus.yaml:12", for messages.
};

struct SeedBatch {
    const Collection* collection = nullptr;
    std::size_t count = 0;
    std::vector<std::vector<std::pair<const Field*, json::Node>>>
        rows;  // Repeated from the start if fewer than `count`.
    std::vector<std::pair<std::string, std::int64_t>>
        states;                              // State and weight; the first record has the first state.
    std::vector<FieldGenerator> generators;  // In order: later generators may use earlier values.
    std::string location;
};

struct Seed {
    std::vector<SeedBatch> batches;
    SeedWords words;
};

struct SeedContext {
    Time now;
    std::map<std::string, std::string, std::less<>> users;  // Uid of the first user of each role.
    std::uint64_t rng_seed = 20'260'101;
};

// Records of one batch as rows of the collection's table.
struct GeneratedRows {
    const Collection* collection = nullptr;
    std::vector<std::string> columns;
    boost::json::array records;
};
Result<std::vector<GeneratedRows>> generate_seed(const Seed& seed, const Model& model,
                                                 const SeedContext& context);

}  // namespace integreat::collections
