// SPDX-License-Identifier: Apache-2.0
#include "policy/document/context.h"

#include <algorithm>

#include "policy/document/wildcard.h"

namespace integreat::policy {

namespace {

std::vector<std::string>& values_of(Context& context, std::string_view name) {
    auto lowered = lower_case(name);
    auto found = std::find_if(context.keys.begin(), context.keys.end(),
                              [&](const ContextKey& key) { return key.name == lowered; });
    if (found != context.keys.end()) return found->values;
    return context.keys.emplace_back(ContextKey{std::move(lowered), {}}).values;
}

}  // namespace

void set(Context& context, std::string_view name, std::vector<std::string> values) {
    values_of(context, name) = std::move(values);
}

void set(Context& context, std::string_view name, std::string value) {
    auto& values = values_of(context, name);
    values.clear();
    values.push_back(std::move(value));
}

void add(Context& context, std::string_view name, std::string value) {
    values_of(context, name).push_back(std::move(value));
}

const std::vector<std::string>* find(const Context& context, std::string_view lower_name) {
    for (const auto& key : context.keys) {
        if (key.name == lower_name) return key.values.empty() ? nullptr : &key.values;
    }
    return nullptr;
}

}  // namespace integreat::policy
