// SPDX-License-Identifier: Apache-2.0
#include "services/collections/views/batch_size.h"

#include <algorithm>

namespace integreat::collections {

namespace {

constexpr std::size_t bytes_at_once = 8 * 1024 * 1024;
constexpr std::size_t character_bytes_max = 4;
constexpr std::size_t short_bytes_max = 400;  // Of numbers, times, names of people and files, addresses.

std::size_t bytes_max(const Field& field) {
    auto characters = static_cast<std::size_t>(field.length_max.value_or(0));
    auto one = std::max(short_bytes_max, characters * character_bytes_max);
    return std::max({one, field.bytes_max, field.items_max * short_bytes_max});
}

}  // namespace

std::size_t rows_at_once(const Collection& collection, std::size_t most) {
    std::size_t bytes = 0;
    for (const auto& field : collection.fields)
        bytes += bytes_max(field);
    return std::clamp<std::size_t>(bytes_at_once / std::max<std::size_t>(bytes, 1), 1, most);
}

}  // namespace integreat::collections
