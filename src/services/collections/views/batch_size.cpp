// SPDX-License-Identifier: Apache-2.0
#include "services/collections/views/batch_size.h"

#include <algorithm>

namespace integreat::collections {

namespace {

constexpr std::size_t batch_bytes_max = 8 * 1024 * 1024;
constexpr std::size_t character_bytes_max = 4;
constexpr std::size_t short_bytes_max = 400;  // Numbers, times, users, files, addresses.

std::size_t value_bytes_max(const Field& field) {
    auto characters = static_cast<std::size_t>(field.max_length.value_or(0));
    auto text_bytes = std::max(short_bytes_max, characters * character_bytes_max);
    return std::max({text_bytes, field.max_bytes, field.max_items * short_bytes_max});
}

}  // namespace

std::size_t max_batch_rows(const Collection& collection, std::size_t limit) {
    std::size_t bytes = 0;
    for (const auto& field : collection.fields)
        bytes += value_bytes_max(field);
    return std::clamp<std::size_t>(batch_bytes_max / std::max<std::size_t>(bytes, 1), 1, limit);
}

}  // namespace integreat::collections
