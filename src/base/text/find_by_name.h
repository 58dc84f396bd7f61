// SPDX-License-Identifier: Apache-2.0
// Looks up elements by their `name`, and names in lists of names.
#pragma once

#include <algorithm>
#include <string_view>

namespace integreat {

// Returns a pointer to the first item of that name, or null.
template <class Items>
auto find_by_name(const Items& items, std::string_view name) -> decltype(&*items.begin()) {
    auto found =
        std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.name == name; });
    return found == items.end() ? nullptr : &*found;
}

// Returns true if `names` includes `name`.
template <class Names>
bool contains(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace integreat
