// SPDX-License-Identifier: Apache-2.0
// Looks up an element by its `name`.
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

}  // namespace integreat
