// SPDX-License-Identifier: Apache-2.0
// The request context: the keys that conditions test and policy variables insert ("The request context" of
// the IAM user guide). Key names are case-insensitive, including tag names in them; a key may have several
// values; a key without values equals an absent one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace integreat::policy {

struct ContextKey {
    std::string name;  // In lower case: "aws:principaltag/team".
    std::vector<std::string> values;
};

struct Context {
    std::vector<ContextKey> keys;  // Few, without duplicates; set and add maintain that.
};

// Replaces the values of a key.
void set(Context& context, std::string_view name, std::vector<std::string> values);
void set(Context& context, std::string_view name, std::string value);

// Adds a value to a key.
void add(Context& context, std::string_view name, std::string value);

// Returns the values of a key, or null if it has none. `lower_name` must be in lower case.
const std::vector<std::string>* find(const Context& context, std::string_view lower_name);

}  // namespace integreat::policy
