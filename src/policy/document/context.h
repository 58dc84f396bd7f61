// SPDX-License-Identifier: Apache-2.0
// What is known about a request besides who asks, for what, on what: the keys that conditions test and that
// policy variables insert ("The request context" of the IAM user guide). Names of keys are case-insensitive,
// tag names in them included; a key may have several values; one without values is as good as absent.
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
    std::vector<ContextKey> keys;  // Few, each once; set and add see to that.
};

// Replaces the values of a key.
void set(Context& context, std::string_view name, std::vector<std::string> values);
void set(Context& context, std::string_view name, std::string value);

// Adds a value to those that the key has.
void add(Context& context, std::string_view name, std::string value);

// The values of a key whose name is given in lower case, or null if it has none.
const std::vector<std::string>* find(const Context& context, std::string_view lower_name);

}  // namespace integreat::policy
