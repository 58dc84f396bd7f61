// SPDX-License-Identifier: Apache-2.0
#include "http/call.h"

namespace integreat::http {

std::string_view Call::parameter(std::string_view name) const {
    for (const auto& [known, value] : parameters) {
        if (known == name) return value;
    }
    return {};
}

}  // namespace integreat::http
