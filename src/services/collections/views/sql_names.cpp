// SPDX-License-Identifier: Apache-2.0
#include "services/collections/views/sql_names.h"

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "postgres/driver/identifier.h"

namespace integreat::collections {

namespace {

constexpr std::size_t identifier_bytes_max = 63;
constexpr std::size_t hash_digits = 12;

}  // namespace

std::string truncate_identifier(std::string name) {
    if (name.size() <= identifier_bytes_max) return name;
    auto hash = crypto::hex_encode(crypto::as_view(crypto::sha256(name))).substr(0, hash_digits);
    return name.substr(0, identifier_bytes_max - hash_digits - 1) + "_" + hash;
}

std::string qualified_table(std::string_view collection) {
    return "\"data\"." + postgres::quote_identifier(collection);
}

std::string check_constraint_name(const Collection& collection, const Field& field) {
    return truncate_identifier(collection.name + "." + field.name + ".check");
}

std::string foreign_key_name(const Collection& collection, const Field& field) {
    return truncate_identifier(collection.name + "." + field.name + ".reference");
}

std::string unique_constraint_name(const Collection& collection, std::span<const std::string> fields) {
    std::string name = collection.name;
    char separator = '.';
    for (const auto& field : fields) {
        name += separator + field;
        separator = '+';
    }
    return truncate_identifier(name + ".unique");
}

std::string index_name(const Collection& collection, std::string_view suffix) {
    return truncate_identifier(collection.name + "." + std::string(suffix) + ".index");
}

std::vector<std::vector<std::string>> unique_sets(const Collection& collection) {
    std::vector<std::vector<std::string>> sets;
    for (const auto& field : collection.fields) {
        if (field.unique) sets.push_back({field.name});
    }
    for (const auto& set : collection.unique) {
        if (std::find(sets.begin(), sets.end(), set) == sets.end()) sets.push_back(set);
    }
    return sets;
}

std::string search_document(const Collection& collection) {
    std::string texts;
    for (const auto& field : collection.search) {
        texts += (texts.empty() ? "" : " || ' ' || ") + std::string("coalesce(") +
                 postgres::quote_identifier(field) + ", '')";
    }
    return texts.empty() ? "" : "to_tsvector('pg_catalog.simple'::regconfig, " + texts + ")";
}

}  // namespace integreat::collections
