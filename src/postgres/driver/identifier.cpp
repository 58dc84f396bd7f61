// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/identifier.h"

namespace integreat::postgres {

namespace {

std::string quoted(std::string_view text, char quote) {
    std::string out(1, quote);
    for (char c : text) {
        if (c == quote) out += quote;
        out += c;
    }
    return out += quote;
}

}  // namespace

std::string quote_identifier(std::string_view name) {
    return quoted(name, '"');
}
std::string quote_identifiers(const std::vector<std::string>& names) {
    std::string list;
    for (const auto& name : names)
        list += (list.empty() ? "" : ", ") + quote_identifier(name);
    return list;
}

std::string quote_literal(std::string_view text) {
    return quoted(text, '\'');
}

}  // namespace integreat::postgres
