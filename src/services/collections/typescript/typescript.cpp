// SPDX-License-Identifier: Apache-2.0
#include "services/collections/typescript/typescript.h"

#include <algorithm>
#include <array>

#include "base/text/ascii.h"
#include "json/value/writer.h"
#include "services/collections/api/openapi_schemas.h"

namespace integreat::collections {

namespace {

enum class Direction { response, request };

std::string literal(std::string_view text) {
    std::string quoted;
    json::append_json(quoted, text);
    return quoted;
}

// Converts "service_requests" to "serviceRequests", or with `upper` to "ServiceRequests".
std::string to_camel_case(std::string_view name, bool upper) {
    std::string text;
    for (char c : name) {
        if (c == '_' || c == '-') {
            upper = !text.empty() || upper;
            continue;
        }
        text += upper ? to_upper(c) : c;
        upper = false;
    }
    return text;
}

// Returns the method of a transition, with an underscore if the base class already has such a member.
std::string method_name(std::string_view transition) {
    static constexpr std::array reserved{
        "list",       "all",         "get",      "aggregate",      "history",   "create",
        "patch",      "delete",      "follow",   "createAll",      "post",      "change",
        "changes",    "read",        "remove",   "readAggregates", "iterate",   "constructor",
        "table",      "importTable", "listPage", "readHistory",    "exportCsv", "importCsv",
        "connection", "path",        "file",     "openFile"};
    auto name = to_camel_case(transition, false);
    return std::find(reserved.begin(), reserved.end(), name) == reserved.end() ? name : name + "_";
}

std::string comment(std::string_view text, std::string_view indent) {
    if (text.empty()) return {};
    std::string plain(text);
    std::replace(plain.begin(), plain.end(), '\n', ' ');
    for (auto at = plain.find("*/"); at != std::string::npos; at = plain.find("*/", at))
        plain.replace(at, 2, "* /");
    return std::string(indent) + "/** " + plain + " */\n";
}

std::string choices(const std::vector<std::string>& values) {
    std::string text;
    for (const auto& value : values)
        text += (text.empty() ? "" : " | ") + literal(value);
    return text;
}

std::string ts_type(const Model& model, const Field& field, FieldType type, Direction direction) {
    switch (type) {
        case FieldType::integer: return "number";
        case FieldType::decimal: return direction == Direction::request ? "string | number" : "string";
        case FieldType::money: return "Money";
        case FieldType::boolean: return "boolean";
        case FieldType::enumeration: return choices(field.values);
        case FieldType::address: return "Address";
        case FieldType::file: return "StoredFile";
        case FieldType::reference:
            return direction == Direction::request
                       ? "string"
                       : "Reference<" + type_name(model, *model.find(field.target)) + ">";
        case FieldType::list: return "(" + ts_type(model, field, field.element, direction) + ")[]";
        case FieldType::json: return "Json";
        default: return "string";
    }
}

bool may_be_null(const Field& field) {
    return !field.required && !(field.system && field.name != "created_by");
}

// Access of the roles that may perform an action to a field of it.
struct FieldAccess {
    bool any = false;  // At least one of these roles.
    bool all = true;   // All of these roles.
};

FieldAccess field_access(const Model& model, const Collection& collection, Action action,
                         const Field& field) {
    FieldAccess access;
    for (const auto& role : model.roles) {
        auto fields = fields_for(collection, action, role);
        if (fields.empty()) continue;
        bool has = std::find(fields.begin(), fields.end(), &field) != fields.end();
        access.any |= has;
        access.all &= has;
    }
    return access;
}

std::string record_interface(const Model& model, const Collection& collection) {
    auto text = comment(collection.summary, "") + "export interface " + type_name(model, collection) + " {\n";
    for (const auto& field : collection.fields) {
        auto access = field_access(model, collection, Action::read, field);
        if (!access.any) continue;
        text += comment(field.summary, "  ") + "  readonly " + field.name + (access.all ? ": " : "?: ") +
                ts_type(model, field, field.type, Direction::response) +
                (may_be_null(field) ? " | null" : "") + ";\n";
    }
    return text + "}\n\n";
}

std::string new_interface(const Model& model, const Collection& collection) {
    auto text = "export interface New" + type_name(model, collection) + " {\n";
    for (const auto& field : collection.fields) {
        auto access = field_access(model, collection, Action::create, field);
        if (!access.any) continue;
        bool mandatory = access.all && field.required && field.default_kind == Field::Default::none;
        text += "  " + field.name + (mandatory ? ": " : "?: ") +
                ts_type(model, field, field.type, Direction::request) + (mandatory ? ";\n" : " | null;\n");
    }
    return text + "}\n\n";
}

std::string patch_members(const Model& model, const std::vector<const Field*>& fields,
                          std::string_view indent) {
    std::string text;
    for (const auto* field : fields) {
        auto type = ts_type(model, *field, field->type, Direction::request);
        bool merges = field->type == FieldType::address || field->type == FieldType::file;
        text += std::string(indent) + field->name + "?: " + (merges ? "Merge<" + type + ">" : type) +
                (field->required ? ";\n" : " | null;\n");
    }
    return text;
}

std::string patch_interface(const Model& model, const Collection& collection) {
    std::vector<const Field*> fields;
    for (const auto& field : collection.fields) {
        if (!field.immutable && field_access(model, collection, Action::update, field).any)
            fields.push_back(&field);
    }
    return "export interface " + type_name(model, collection) + "Change {\n" +
           patch_members(model, fields, "  ") + "}\n\n";
}

std::string read_methods(const std::string& type) {
    return "  /** Returns one page. */\n"
           "  list(options?: ListOptions<" +
           type + ">): Promise<Page<" + type +
           ">> {\n"
           "    return this.listPage(options);\n  }\n\n"
           "  /** Iterates over all records, page by page: for await (const record of records.all()). */\n"
           "  all(options?: ListOptions<" +
           type + ">): AsyncGenerator<" + type +
           ", void, undefined> {\n"
           "    return this.iterate(options);\n  }\n\n"
           "  get(id: string, options?: GetOptions<" +
           type + ">): Promise<" + type +
           "> {\n"
           "    return this.read(id, options);\n  }\n\n"
           "  aggregate(options: AggregateOptions<" +
           type +
           ">): Promise<Record<string, Json>[]> {\n"
           "    return this.readAggregates(options);\n  }\n\n"
           "  /** Returns the change history of a record, newest first. */\n"
           "  history(id: string, options?: CallOptions): Promise<HistoryEntry[]> {\n"
           "    return this.readHistory(id, options);\n  }\n\n"
           "  /** Streams all readable records as CSV; readText() collects the stream. */\n"
           "  exportCsv(options?: ExportOptions<" +
           type +
           ">): Promise<ReadableStream<Uint8Array>> {\n"
           "    return this.table(options);\n  }\n\n"
           "  /** Streams readable changes from now on, or after the event ID `after`. */\n"
           "  changes(options?: CallOptions & { after?: string }): AsyncGenerator<FeedEvent, void, "
           "undefined> {\n"
           "    return this.follow(options);\n  }\n\n";
}

std::string write_methods(const Collection& collection, const std::string& type) {
    std::string text;
    if (!collection.create.empty()) {
        text += "  create(record: New" + type + ", options?: CreateOptions): Promise<" + type +
                "> {\n"
                "    return this.post('', record, options);\n  }\n\n"
                "  /** Creates all records or none. */\n"
                "  async createAll(records: New" +
                type + "[], options?: CreateOptions): Promise<" + type +
                "[]> {\n"
                "    return (await this.post<{ items: " +
                type +
                "[] }>('', records, options)).items;\n  }\n\n"
                "  /** Imports CSV with a header line: all rows or none. Returns the number of records. */\n"
                "  importCsv(table: string | Blob, options?: CreateOptions): Promise<number> {\n"
                "    return this.importTable(table, options);\n  }\n\n";
    }
    if (!collection.update.empty()) {
        text += "  patch(id: string, change: " + type + "Change, options?: ChangeOptions): Promise<" + type +
                "> {\n"
                "    return this.change(id, change, options);\n  }\n\n";
    }
    if (!collection.remove.empty()) {
        text +=
            "  delete(id: string, options?: ChangeOptions): Promise<void> {\n"
            "    return this.remove(id, options);\n  }\n\n";
    }
    return text;
}

// Returns the method for links to files; empty without fields of type file.
std::string file_method(const Collection& collection) {
    std::string names;
    for (const auto& field : collection.fields) {
        if (field.type == FieldType::file) names += (names.empty() ? "" : " | ") + literal(field.name);
    }
    if (names.empty()) return {};
    return "  /** Returns a link to the file of a field, valid for some minutes. */\n  file(id: string, "
           "field: " +
           names +
           ", options?: CallOptions): Promise<FileLink> {\n    return this.openFile(id, field, options);\n  "
           "}\n\n";
}

std::string transition_method(const Model& model, const Collection& collection,
                              const Transition& transition) {
    std::vector<const Field*> accepted;
    for (const auto& name : transition.accepts)
        accepted.push_back(collection.find(name));
    auto body =
        accepted.empty() ? "Record<string, never>" : "{\n" + patch_members(model, accepted, "    ") + "  }";
    auto from = join(transition.from, ", ");
    auto summary = transition.summary.empty() ? from + " → " + transition.to : transition.summary;
    return comment(summary, "  ") + "  " + method_name(transition.name) + "(id: string, body: " + body +
           " = {}, options?: CreateOptions): Promise<" + type_name(model, collection) +
           "> {\n"
           "    return this.post(`/${encodeURIComponent(id)}/" +
           transition.name + "`, body, options);\n  }\n\n";
}

std::string collection_class(const Model& model, const Collection& collection) {
    auto type = type_name(model, collection);
    auto text = "export class " + to_camel_case(collection.name, true) + "Collection extends Records<" +
                type + "> {\n";
    if (!collection.read.empty()) text += read_methods(type) + file_method(collection);
    text += write_methods(collection, type);
    for (const auto& transition : collection.transitions)
        text += transition_method(model, collection, transition);
    if (text.ends_with("\n\n")) text.pop_back();
    return text + "}\n\n";
}

bool has_files(const Model& model) {
    auto is_file = [](const Field& field) {
        return field.type == FieldType::file ||
               (field.type == FieldType::list && field.element == FieldType::file);
    };
    return std::any_of(model.collections.begin(), model.collections.end(), [&](const auto& collection) {
        return std::any_of(collection.fields.begin(), collection.fields.end(), is_file);
    });
}

// Returns the storage module next to the runtime: "@integreat/client/storage", "./storage.js".
std::string storage_module(const std::string& runtime) {
    if (!runtime.ends_with(".js")) return runtime + "/storage";
    return runtime.substr(0, runtime.rfind('/') + 1) + "storage.js";
}

}  // namespace

std::string generate_typescript(const Model& model, const std::string& runtime) {
    std::string text =
        "// Generated by `integreat sdk ts --app " + model.app.text +
        "` from the app's manifest; do not edit.\n/* eslint-disable */\n\nimport {\n"
        "  Connection,\n  Records,\n  type Address,\n  type AggregateOptions,\n  type CallOptions,\n"
        "  type ChangeOptions,\n  type CreateOptions,\n  type ExportOptions,\n  type FeedEvent,\n  type "
        "FileLink,\n  type "
        "GetOptions,\n"
        "  type HistoryEntry,\n  type Json,\n  type ListOptions,\n  type Merge,\n  type Money,\n  type "
        "Options,\n"
        "  type Page,\n  type Reference,\n  type StoredFile,\n} from " +
        literal(runtime) + ";\n\nexport * from " + literal(runtime) + ";\n";
    if (has_files(model)) text += "export * from " + literal(storage_module(runtime)) + ";\n";
    text += "\n";
    for (const auto& collection : model.collections) {
        text += record_interface(model, collection);
        if (!collection.create.empty()) text += new_interface(model, collection);
        if (!collection.update.empty()) text += patch_interface(model, collection);
    }
    for (const auto& collection : model.collections)
        text += collection_class(model, collection);
    auto name = to_camel_case(model.app.text, true) + "Client";
    text += comment(model.title, "") + "export class " + name + " {\n";
    for (const auto& collection : model.collections)
        text += "  readonly " + to_camel_case(collection.name, false) + ": " +
                to_camel_case(collection.name, true) + "Collection;\n";
    text += "\n  constructor(options: Options) {\n    const connection = new Connection(options, " +
            literal(model.app.text) + ");\n";
    for (const auto& collection : model.collections) {
        text += "    this." + to_camel_case(collection.name, false) + " = new " +
                to_camel_case(collection.name, true) + "Collection(connection, " +
                literal("/" + collection.name) + ");\n";
    }
    return text + "  }\n}\n";
}

}  // namespace integreat::collections
