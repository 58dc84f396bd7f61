// SPDX-License-Identifier: Apache-2.0
#include "gateway/docs/route_description.h"

namespace integreat::gateway {

std::string who_may(const http::Access& access) {
    using Who = http::Access::Who;
    std::string who;
    switch (access.who) {
        case Who::anyone: return "Everyone; no token needed";
        case Who::operators: return "Operators of the platform";
        case Who::signed_in: who = "Any signed-in user of the application"; break;
        case Who::roles:
            for (const auto& role : access.roles)
                who += (who.empty() ? "Users with the role " : " or ") + role;
            break;
    }
    if (access.scope == http::any_scope) return who + "; any API key of the application";
    return access.scope.empty() ? who : who + "; API keys with the scope " + access.scope;
}

std::string bytes_text(std::size_t bytes) {
    if (bytes >= 1024 * 1024 && bytes % (1024 * 1024) == 0)
        return std::to_string(bytes / 1024 / 1024) + " MiB";
    if (bytes >= 1024 && bytes % 1024 == 0) return std::to_string(bytes / 1024) + " KiB";
    return std::to_string(bytes) + " bytes";
}

std::string limit_text(const http::RateLimit& limit) {
    if (limit.requests == 0) return {};
    return std::to_string(limit.requests) + " requests in " + std::to_string(limit.window.count()) +
           " s per caller, " + std::to_string(limit.burst) + " at once";
}

}  // namespace integreat::gateway
