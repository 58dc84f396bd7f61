// SPDX-License-Identifier: Apache-2.0
// Lists of things that know their names.
#pragma once

#include <algorithm>
#include <string_view>

namespace integreat {

// A pointer to the item of that name, or null.
template <class Items>
auto find_named(const Items& items, std::string_view name) -> decltype(&*items.begin()) {
    auto found =
        std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.name == name; });
    return found == items.end() ? nullptr : &*found;
}

}  // namespace integreat
