// SPDX-License-Identifier: Apache-2.0
// Believable records for development and demonstrations, from a seed file beside an app's manifest and a
// file of words that all seeds share (docs/data.md). The same files, day and people make the same records.
//
// A seed is a list of beds, each with records of one collection: rows that are written out, and for their
// other fields a maker each ("pick family_names", "between 1 5", "any listed"). Beds are sown in their
// order, so that what later ones refer to is there.
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
#include "config/model/model.h"
#include "postgres/driver/pool.h"

namespace integreat::collections {

inline constexpr std::size_t seed_beds_max = 200;
inline constexpr std::size_t seed_records_max = 5'000;  // Of one bed.

struct Locality {
    std::string barangay, city, province, region, postal_code;
    double latitude = 0, longitude = 0;
};

struct Words {
    std::map<std::string, std::vector<std::string>, std::less<>> lists;
    std::vector<Locality> places;
};

// How a field gets its value.
struct Maker {
    const Field* field = nullptr;
    std::string text;                 // "between 1 5"
    std::vector<std::string> states;  // Only of records in these; empty: any.
    std::int64_t share = 100;         // Of so many in a hundred records.
    std::string where;                // "apps/seed/campus.yaml:12", for messages.
};

struct Bed {
    const Collection* collection = nullptr;
    std::size_t count = 0;
    std::vector<std::vector<std::pair<const Field*, json::Node>>> rows;  // The n-th record has the n-th one.
    std::vector<std::pair<std::string, std::int64_t>> states;  // How often; the first record's first.
    std::vector<Maker> makers;                                 // In order: later ones see earlier values.
    std::string where;
};

struct Seed {
    std::vector<Bed> beds;
    Words words;
};

// All mistakes of both files. What it refers to in `model` must outlive it.
struct SeedReading {
    Seed seed;
    std::vector<config::Mistake> mistakes;
};
SeedReading read_seed(const config::Source& seed, const config::Source& words, const Model& model);

struct Soil {
    Time now;
    std::map<std::string, std::string, std::less<>> people;  // By role: the uid of whom to give records to.
    std::uint64_t number = 20'260'101;                       // Another number, other records.
};

// Records of one bed as rows of the collection's table.
struct Grown {
    const Collection* collection = nullptr;
    std::vector<std::string> columns;
    boost::json::array records;
};
Result<std::vector<Grown>> grow(const Seed& seed, const Model& model, const Soil& soil);

enum class Sowing { empty_only, anew };  // Anew: all records of the app give way.

// In one transaction, by a role that no rule binds. Fault::conflict if there are records already.
Result<> sow(postgres::Pool& owner, const Model& model, const std::vector<Grown>& beds, Sowing sowing,
             Monotonic deadline);

}  // namespace integreat::collections
