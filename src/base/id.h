// SPDX-License-Identifier: Apache-2.0
// Identifiers: each kind has a type of its own, so that two kinds cannot be swapped.
#pragma once

#include <compare>
#include <functional>
#include <string>

namespace integreat {

template <class Tag>
struct Id {
    std::string text;

    bool empty() const { return text.empty(); }
    friend auto operator<=>(const Id&, const Id&) = default;
};

// The name of an application in its manifest ("campus"). The platform's own database and routes belong to
// platform_tenant.
using TenantId = Id<struct TenantTag>;
inline const TenantId platform_tenant{"integreat-core"};

// "req_" and 26 characters, sortable by time. Sent as response header Integreat-Request-Id.
using RequestId = Id<struct RequestTag>;

}  // namespace integreat

template <class Tag>
struct std::hash<integreat::Id<Tag>> {
    std::size_t operator()(const integreat::Id<Tag>& id) const { return std::hash<std::string>()(id.text); }
};
