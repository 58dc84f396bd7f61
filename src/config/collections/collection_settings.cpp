// SPDX-License-Identifier: Apache-2.0
#include "config/collections/collection_settings.h"

#include "base/text/find_by_name.h"

namespace integreat::config {

namespace {

FieldSettings system_field(std::string name, std::string type) {
    FieldSettings field;
    field.name = std::move(name);
    field.type = std::move(type);
    return field;
}

const std::array<FieldSettings, 6>& system_fields() {
    static const std::array<FieldSettings, 6> all{system_field("id", "id"),
                                                  system_field("state", "enum"),
                                                  system_field("created_at", "timestamp"),
                                                  system_field("created_by", "user"),
                                                  system_field("updated_at", "timestamp"),
                                                  system_field("version", "integer")};
    return all;
}

}  // namespace

CheckResult check_currency(std::string_view text) {
    bool is_valid = text.size() == 3 && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == text.npos;
    return is_valid ? CheckResult() : "must be three capital letters such as PHP";
}

CheckResult check_value(std::string_view text) {
    if (text.size() > 100) return "must not be longer than 100 bytes";
    if (text.find_first_of(",()\"'") != text.npos) return "must not contain commas, brackets or quotes";
    bool padded = text.starts_with(' ') || text.ends_with(' ');
    return padded ? "must not start or end with a space" : CheckResult();
}

const FieldSettings* find_field(const CollectionSettings& collection, std::string_view name) {
    if (const auto* own = find_by_name(collection.fields, name)) return own;
    if (name == "state" && !collection.states) return nullptr;
    return find_by_name(system_fields(), name);
}

const CollectionSettings* find_collection(const std::vector<CollectionSettings>& collections,
                                          std::string_view name) {
    return find_by_name(collections, name);
}

bool is_system_field(std::string_view name) {
    return find_by_name(system_fields(), name) != nullptr;
}

std::vector<std::string> field_names(const CollectionSettings& collection) {
    std::vector<std::string> names;
    for (const auto& field : collection.fields)
        names.push_back(field.name);
    for (const auto& field : system_fields())
        if (find_field(collection, field.name)) names.push_back(field.name);
    return names;
}

bool can_identify_user(const FieldSettings& field) {
    return field.type == "user" || (field.type == "list" && field.of == "user");
}

}  // namespace integreat::config
