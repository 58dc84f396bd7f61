// SPDX-License-Identifier: Apache-2.0
#include "policy/document/context.h"

#include <algorithm>

#include "base/text/ascii.h"

namespace integreat::policy {

namespace {

std::vector<std::string>& find_or_insert(Context& context, std::string_view name) {
    auto lower_name = to_lower(name);
    auto found = std::find_if(context.keys.begin(), context.keys.end(),
                              [&](const ContextKey& key) { return key.name == lower_name; });
    if (found != context.keys.end()) return found->values;
    return context.keys.emplace_back(ContextKey{std::move(lower_name), {}}).values;
}

}  // namespace

void set(Context& context, std::string_view name, std::vector<std::string> values) {
    find_or_insert(context, name) = std::move(values);
}

void set(Context& context, std::string_view name, std::string value) {
    auto& values = find_or_insert(context, name);
    values.clear();
    values.push_back(std::move(value));
}

void add(Context& context, std::string_view name, std::string value) {
    find_or_insert(context, name).push_back(std::move(value));
}

const std::vector<std::string>* find(const Context& context, std::string_view lower_name) {
    for (const auto& key : context.keys) {
        if (key.name == lower_name) return key.values.empty() ? nullptr : &key.values;
    }
    return nullptr;
}

}  // namespace integreat::policy
