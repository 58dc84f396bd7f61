// SPDX-License-Identifier: Apache-2.0
// Makers of a seed: one value each, for one field of one record. docs/data.md lists them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/random.h"
#include "services/collections/seed/seed.h"

namespace integreat::collections {

// The same throws in each run.
class Dice {
public:
    explicit Dice(std::uint64_t number) : random_(number) {}
    std::int64_t between(std::int64_t least, std::int64_t most);  // Both may come.
    std::size_t below(std::size_t count);

private:
    FixedRandom random_;
};

using Record = boost::json::object;

struct Garden {
    const Seed& seed;
    const Model& model;
    const Soil& soil;
    Dice dice;
    std::map<std::string, std::vector<Record>, std::less<>> grown;  // By collection.
};

// A record on its way.
struct Sprout {
    Garden& garden;
    const Bed& bed;
    std::size_t index = 0;   // In its bed, from 0.
    std::size_t serial = 0;  // In its collection, from 1.
    Record record;
};

Result<boost::json::value> make_value(Sprout& sprout, const Maker& maker);

// What a row says of a field. Of a reference: the first field of the record that is meant.
Result<boost::json::value> value_of(const Sprout& sprout, const Field& field, const json::Node& node);

// Version 7 (RFC 9562 section 5.7), of a time.
std::string make_id(Dice& dice, Time time);

// Days begin in Manila.
inline constexpr std::chrono::hours manila{8};

}  // namespace integreat::collections
