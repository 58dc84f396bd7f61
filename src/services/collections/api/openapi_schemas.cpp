// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/openapi_schemas.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

#include "base/text/ascii.h"
#include "services/collections/values/csv_fields.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

constexpr std::string_view money_schema = R"({"type": "object", "required": ["amount"],
  "description": "Amount in minor units: 150000 is 1,500.00.", "additionalProperties": false,
  "properties": {"amount": {"type": "integer", "format": "int64"},
    "currency": {"type": "string", "minLength": 3, "maxLength": 3}},
  "examples": [{"amount": 150000, "currency": "PHP"}]})";
constexpr std::string_view address_schema = R"({"type": "object", "required": ["city"],
  "additionalProperties": false,
  "properties": {"line": {"type": "string", "maxLength": 200},
    "barangay": {"type": "string", "maxLength": 200},
    "city": {"type": "string", "maxLength": 200}, "province": {"type": "string", "maxLength": 200},
    "region": {"type": "string", "maxLength": 200}, "postal_code": {"type": "string", "maxLength": 200},
    "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180}},
  "examples": [{"line": "Gorordo Avenue", "barangay": "Lahug", "city": "Cebu", "country": "PH"}]})";
constexpr std::string_view file_schema = R"({"type": "object", "required": ["key"],
  "additionalProperties": false,
  "description": "An object in the application's bucket.",
  "properties": {"key": {"type": "string", "maxLength": 1024}, "name": {"type": "string", "maxLength": 200},
    "content_type": {"type": "string", "maxLength": 200}, "bytes": {"type": "integer", "minimum": 0},
    "version_id": {"type": "string", "description": "Version of the object, set by the platform."},
    "sha256": {"type": "string", "description": "Base64, set by the platform if the upload had it."}},
  "examples": [{"key": "evidence/report.pdf", "name": "report.pdf", "content_type": "application/pdf"}]})";

enum class SchemaUse { response, create, update };

std::string to_pascal_case(std::string_view text) {
    std::string name;
    bool upper = true;
    for (char c : text) {
        if (!is_alnum(c)) {
            upper = true;
            continue;
        }
        name += upper ? to_upper(c) : c;
        upper = false;
    }
    return name;
}

bj::object component(std::string_view name) {
    return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

bj::array to_json_array(const std::vector<std::string>& values) {
    bj::array all;
    for (const auto& value : values)
        all.emplace_back(value);
    return all;
}

bj::object text_schema(const Field& field) {
    bj::object schema{{"type", "string"}};
    if (field.min_length) schema["minLength"] = *field.min_length;
    if (field.max_length) schema["maxLength"] = *field.max_length;
    // RE2 and JavaScript differ in the meaning of groups that start with "(?".
    if (!field.pattern.empty() && field.pattern.find("(?") == std::string::npos)
        schema["pattern"] = "^(?:" + field.pattern + ")$";
    return schema;
}

bj::object integer_schema(const Field& field) {
    bj::object schema{{"type", "integer"}, {"format", "int64"}};
    auto bound = [&](const char* name, const std::optional<std::string>& text) {
        std::int64_t number = 0;
        if (text && std::from_chars(text->data(), text->data() + text->size(), number).ec == std::errc())
            schema[name] = number;
    };
    bound("minimum", field.min);
    bound("maximum", field.max);
    return schema;
}

bj::object type_schema(const Field& field, FieldType type) {
    switch (type) {
        case FieldType::integer: return integer_schema(field);
        case FieldType::decimal: return {{"type", "string"}, {"pattern", "^-?[0-9]+(\\.[0-9]+)?$"}};
        case FieldType::money: return component("Money");
        case FieldType::boolean: return {{"type", "boolean"}};
        case FieldType::date: return {{"type", "string"}, {"format", "date"}};
        case FieldType::timestamp: return {{"type", "string"}, {"format", "date-time"}};
        case FieldType::enumeration: return {{"type", "string"}, {"enum", to_json_array(field.values)}};
        case FieldType::email: return {{"type", "string"}, {"format", "email"}};
        case FieldType::phone:
            return {{"type", "string"}, {"description", "Returned as E.164: +639171234567."}};
        case FieldType::address: return component("Address");
        case FieldType::file: return component("File");
        case FieldType::reference:
        case FieldType::id: return {{"type", "string"}, {"format", "uuid"}};
        case FieldType::user: return {{"type", "string"}, {"maxLength", 128}};
        case FieldType::list:
            return {{"type", "array"},
                    {"maxItems", field.max_items},
                    {"items", type_schema(field, field.element)}};
        case FieldType::json: return {};
        case FieldType::text: break;
    }
    return text_schema(field);
}

// Adds null to the allowed values.
bj::object nullable(bj::object schema) {
    if (schema.contains("$ref") || schema.contains("anyOf"))
        return {{"anyOf", bj::array{std::move(schema), bj::object{{"type", "null"}}}}};
    if (auto* choices = schema.if_contains("enum")) choices->get_array().emplace_back(nullptr);
    if (auto* type = schema.if_contains("type")) *type = bj::array{*type, "null"};
    return schema;
}

bj::object field_schema(const Model& model, const Field& field, SchemaUse use) {
    auto schema = type_schema(field, field.type);
    if (use == SchemaUse::response && field.type == FieldType::reference) {
        auto expanded = component(schema_name(model, *model.find(field.target)));
        schema = {{"anyOf", bj::array{std::move(schema), std::move(expanded)}}};
    }
    bool may_be_null = use == SchemaUse::response
                           ? !field.required && !(field.system && field.name != "created_by")
                           : !field.required;
    if (may_be_null) schema = nullable(std::move(schema));
    if (!field.summary.empty()) schema["description"] = field.summary;
    if (use == SchemaUse::response && (field.system || field.computed())) schema["readOnly"] = true;
    return schema;
}

// Fields of an action over all roles.
struct FieldUnion {
    std::vector<const Field*> some;  // Fields of at least one role.
    std::vector<const Field*> all;   // Fields of every role that has any.
};

FieldUnion field_union(const Model& model, const Collection& collection, Action action) {
    FieldUnion found;
    for (const auto& field : collection.fields) {
        std::size_t roles = 0, having = 0;
        for (const auto& role : model.roles) {
            auto fields = fields_for(collection, action, role);
            roles += !fields.empty();
            having += std::find(fields.begin(), fields.end(), &field) != fields.end();
        }
        if (having > 0) found.some.push_back(&field);
        if (having > 0 && having == roles) found.all.push_back(&field);
    }
    return found;
}

std::string text_example(const Field& field) {
    if (!field.example.empty()) return field.example;
    switch (field.type) {
        case FieldType::decimal: return field.min.value_or("1.50");
        case FieldType::date: return field.max.value_or(field.min.value_or("2026-11-23"));
        case FieldType::timestamp: return "2026-11-23T08:15:00Z";
        case FieldType::enumeration: return field.values.empty() ? "" : field.values.front();
        case FieldType::email: return "ana@example.ph";
        case FieldType::phone: return "+639171234567";
        case FieldType::id:
        case FieldType::reference: return "019abcde-0000-7000-8000-000000000001";
        case FieldType::user: return "x7Gh2kLmNoPq";
        default: return field.name;
    }
}

bj::value example_value(const Field& field) {
    switch (field.type) {
        case FieldType::integer: {
            std::int64_t number = 1;
            const auto& text = field.example.empty() ? field.min.value_or("1") : field.example;
            std::from_chars(text.data(), text.data() + text.size(), number);
            return number;
        }
        case FieldType::money: return bj::object{{"amount", 150000}, {"currency", field.currency}};
        case FieldType::boolean: return true;
        case FieldType::address: return bj::object{{"city", "Cebu"}, {"country", "PH"}};
        case FieldType::file: return bj::object{{"key", field.name + "/1.pdf"}};
        case FieldType::list: return bj::array();
        case FieldType::json: return bj::object();
        default: return bj::value(text_example(field));
    }
}

// Returns the example as a CSV field.
std::string example_csv_field(const Field& field) {
    if (field.type == FieldType::money) return format_major_units("150000", field.currency);
    auto value = example_value(field);
    return value.is_string() ? std::string(value.get_string()) : bj::serialize(value);
}

bj::object object_schema(const Model& model, const std::vector<const Field*>& fields, SchemaUse use,
                         const std::vector<const Field*>& always) {
    bj::object properties, example;
    bj::array required;
    for (const auto* field : fields) {
        properties[field->name] = field_schema(model, *field, use);
        // Only a field of every role can be required: for other fields it depends on the caller.
        bool in_every_role = std::find(always.begin(), always.end(), field) != always.end();
        bool is_required = use == SchemaUse::response || (use == SchemaUse::create && field->required &&
                                                          field->default_kind == Field::Default::none);
        if (in_every_role && is_required) required.emplace_back(field->name);
        if (use != SchemaUse::update || field->type == FieldType::text)
            example[field->name] = example_value(*field);
    }
    bj::object schema{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    if (use != SchemaUse::response) schema["additionalProperties"] = false;
    schema["examples"] = bj::array{std::move(example)};
    return schema;
}

void add_collection(http::Components& all, const Model& model, const Collection& collection) {
    auto name = schema_name(model, collection);
    auto add = [&](const char* suffix, const bj::object& schema) {
        all.emplace_back(name + suffix, bj::serialize(schema));
    };
    auto read = field_union(model, collection, Action::read);
    auto record = object_schema(model, read.some, SchemaUse::response, read.all);
    if (!collection.summary.empty()) record["description"] = collection.summary;
    add("", record);
    auto create = field_union(model, collection, Action::create);
    add(".New", object_schema(model, create.some, SchemaUse::create, create.all));
    auto change = field_union(model, collection, Action::update);
    std::erase_if(change.some, [](const Field* field) { return field->immutable; });
    add(".Change", object_schema(model, change.some, SchemaUse::update, {}));
    add(".Page", {{"type", "object"},
                  {"required", bj::array{"items", "next"}},
                  {"properties",
                   {{"items", {{"type", "array"}, {"items", component(name)}}},
                    {"next",
                     {{"type", bj::array{"string", "null"}},
                      {"description", "Cursor of the next page; null on the last page."}}}}}});
}

}  // namespace

std::string type_name(const Model& model, const Collection& collection) {
    auto name = to_pascal_case(collection.title);
    auto same_title = std::count_if(model.collections.begin(), model.collections.end(),
                                    [&](const auto& other) { return to_pascal_case(other.title) == name; });
    bool needs_suffix = name.empty() || same_title > 1 || (name[0] >= '0' && name[0] <= '9') ||
                        name == "Money" || name == "Address" || name == "File";
    return needs_suffix ? to_pascal_case(collection.name) + "Record" : name;
}

std::string schema_name(const Model& model, const Collection& collection) {
    return to_pascal_case(model.app.text) + type_name(model, collection);
}

std::shared_ptr<const http::Components> component_schemas(const Model& model) {
    auto all = std::make_shared<http::Components>();
    all->emplace_back("Money", money_schema);
    all->emplace_back("Address", address_schema);
    all->emplace_back("File", file_schema);
    for (const auto& collection : model.collections)
        add_collection(*all, model, collection);
    return all;
}

std::string transition_schema(const Model& model, const Collection& collection,
                              const Transition& transition) {
    std::vector<const Field*> accepted;
    for (const auto& name : transition.accepts)
        accepted.push_back(collection.find(name));
    return bj::serialize(object_schema(model, accepted, SchemaUse::update, {}));
}

std::string filter_schema(const Field& field) {
    bj::object schema{{"type", "string"}};
    bool values = field.type != FieldType::json && field.type != FieldType::address &&
                  field.type != FieldType::file && field.type != FieldType::list &&
                  field.type != FieldType::money;
    auto value = example_value(field);
    auto text = value.is_string() ? std::string(value.get_string()) : bj::serialize(value);
    schema["examples"] = bj::array{bj::value(values ? "eq." + text : std::string("null.false"))};
    return bj::serialize(schema);
}

std::string csv_schema(const Model& model, const Collection& collection, Action action) {
    auto fields = field_union(model, collection, action);
    std::string header, row;
    for (const auto* field : action == Action::read ? fields.some : fields.all) {
        if (!header.empty()) header += ',', row += ',';
        header += field->name;
        formats::append_csv_cell(row, example_csv_field(*field));
    }
    bj::object schema{{"type", "string"},
                      {"description", "RFC 4180 in UTF-8, with field names in the first line."},
                      {"examples", bj::array{bj::value(header + "\r\n" + row + "\r\n")}}};
    return bj::serialize(schema);
}

std::string feed_schema(const Collection& collection) {
    std::string events = "created, updated, deleted, reset, expired";
    for (const auto& transition : collection.transitions)
        events += ", " + transition.name;
    bj::object schema{
        {"type", "string"},
        {"description",
         "Server-sent events: " + events +
             ". `data` is the current record; send `id` as Last-Event-ID to resume after the event."},
        {"examples", bj::array{"id: 7341-0\n\nevent: created\ndata: {\"id\": "
                               "\"019abcde-0000-7000-8000-000000000001\"}\nid: 7342-118\n\n"}}};
    return bj::serialize(schema);
}

std::string_view file_link_schema() {
    return R"({"type": "object", "required": ["url", "expires_at"], "properties": {
  "url": {"type": "string", "description": "Link to the version of the file that the record holds."},
  "expires_at": {"type": "string", "format": "date-time"},
  "name": {"type": "string"}, "content_type": {"type": "string"},
  "bytes": {"type": "integer", "minimum": 0}, "sha256": {"type": "string"}}})";
}

std::string_view history_schema() {
    return R"({"type": "object", "required": ["items", "next"], "properties": {
  "items": {"type": "array", "items": {"type": "object",
    "required": ["id", "at", "by", "role", "request", "action", "transition", "state", "version", "changes"],
    "properties": {
      "id": {"type": "string"}, "at": {"type": "string", "format": "date-time"},
      "by": {"type": ["string", "null"], "description": "UID of the user, or key:ID for an API key."},
      "role": {"type": ["string", "null"]}, "request": {"type": ["string", "null"]},
      "action": {"type": "string", "enum": ["create", "update", "transition", "delete"]},
      "transition": {"type": ["string", "null"]}, "state": {"type": ["string", "null"]},
      "version": {"type": "integer"},
      "changes": {"type": "object", "description": "Changes of fields the caller may read.",
        "additionalProperties": {"type": "object", "required": ["from", "to"],
          "properties": {"from": {}, "to": {}}}}}}},
  "next": {"type": ["string", "null"], "description": "Cursor of the next page; null on the last page."}}})";
}

std::string schema_reference(const std::string& name) {
    return bj::serialize(component(name));
}

}  // namespace integreat::collections
