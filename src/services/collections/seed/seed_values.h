// SPDX-License-Identifier: Apache-2.0
// Value generators of a seed; each generates one value of one field of one record.
// docs/describe-an-app/seeds.md lists them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/random.h"
#include "services/collections/seed/seed.h"

namespace integreat::collections {

// Random numbers, the same in each run.
class Rng {
public:
    explicit Rng(std::uint64_t seed) : random_(seed) {}
    std::int64_t between(std::int64_t least, std::int64_t most);  // Inclusive bounds.
    std::size_t below(std::size_t count);

private:
    FixedRandom random_;
};

using Record = boost::json::object;

// State of one generation run.
struct SeedGenerator {
    const Seed& seed;
    const Model& model;
    const SeedContext& context;
    Rng rng;
    std::map<std::string, std::vector<Record>, std::less<>> records;  // Records by collection.
};

// A record under construction.
struct RecordDraft {
    SeedGenerator& generator;
    const SeedBatch& batch;
    std::size_t index = 0;   // Index in its batch, from 0.
    std::size_t serial = 0;  // Number in its collection, from 1.
    Record record;
};

Result<boost::json::value> generate_value(RecordDraft& draft, const FieldGenerator& field_generator);

// Resolves the value of an explicit row. A reference is given by the first field of the referenced record.
Result<boost::json::value> resolve_value(const RecordDraft& draft, const Field& field,
                                         const json::Node& node);

// Returns a UUID version 7 (RFC 9562 section 5.7) with the given time.
std::string make_record_id(Rng& rng, Time time);

// UTC offset of Manila, in whose time zone days begin.
inline constexpr std::chrono::hours manila{8};

}  // namespace integreat::collections
