// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cli/runtime/configuration_commands.h"
#include "json/binding/describe.h"

namespace integreat::cli {

namespace {

namespace bj = boost::json;

// Indented, so that a schema kept in a repository has readable differences.
void print(const bj::value& value, std::ostream& out, std::size_t depth) {
    std::string indentation(2 * depth + 2, ' ');
    std::string end = "\n" + std::string(2 * depth, ' ');
    std::string separator = "\n";
    if (const auto* object = value.if_object(); object && !object->empty()) {
        out << "{";
        for (const auto& [key, member] : *object) {
            out << separator << indentation << bj::serialize(bj::value(key)) << ": ";
            print(member, out, depth + 1);
            separator = ",\n";
        }
        out << end << "}";
    } else {
        out << bj::serialize(value);
    }
}

}  // namespace

int config_schema(SchemaOf which, std::ostream& out) {
    config::Settings settings;
    config::Manifest manifest;
    auto schema = which == SchemaOf::settings ? json::schema_of(json::describe(settings), "integreat.yaml")
                                              : json::schema_of(json::describe(manifest), "apps/<app>.yaml");
    print(schema, out, 0);
    out << "\n";
    return 0;
}

}  // namespace integreat::cli
