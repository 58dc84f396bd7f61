// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/record_files.h"

#include <algorithm>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/time.h"
#include "http/routing/target.h"
#include "json/document/node.h"
#include "json/value/parse.h"
#include "services/collections/values/field_formats.h"

namespace integreat::collections {

namespace {

namespace bj = boost::json;

bj::object parse_file(std::string_view text) {
    auto value = json::parse(text);
    ASSERT(value && value->is_object());  // A validated value, or one of a jsonb column.
    return std::move(value->get_object());
}

std::string text_member(const bj::object& file, std::string_view name) {
    const auto* value = file.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool is_file_value(const ColumnValues& columns, std::size_t index) {
    return columns.fields[index]->type == FieldType::file && columns.values[index].has_value();
}

bool is_granted(const policy::Grantees& grantees, const Principal& principal) {
    if (grantees.signed_in) return true;
    return std::ranges::find(grantees.roles, principal.role) != grantees.roles.end();
}

bool has_plain_segments(std::string_view key) {
    while (true) {
        auto segment = key.substr(0, key.find('/'));
        if (segment.empty() || segment == "." || segment == "..") return false;
        if (segment.size() == key.size()) return true;
        key.remove_prefix(segment.size() + 1);
    }
}

enum class KeyOwnership { other_name, own, foreign };

// Returns whether the caller may both read and write the object in S3, as the policy of the app's role says.
KeyOwnership classify_key(const CollectionRequest& request, std::string_view key) {
    const auto* principal = request.http_context.principal.get();
    bool is_user = principal && principal->kind == PrincipalKind::user && !principal->subject.empty() &&
                   principal->subject.find('/') == std::string::npos;
    if (key.starts_with("users/")) {
        bool own = is_user && key.starts_with("users/" + principal->subject + "/") && has_plain_segments(key);
        return own ? KeyOwnership::own : KeyOwnership::foreign;
    }
    for (const auto& opened : request.context.files.opened) {
        if (!key.starts_with(opened.prefix)) continue;
        bool both = is_user && is_granted(opened.read, *principal) && is_granted(opened.write, *principal);
        return both && has_plain_segments(key) ? KeyOwnership::own : KeyOwnership::foreign;
    }
    return KeyOwnership::other_name;
}

void keep_version(bj::object& file, const bj::object& stored) {
    for (const char* name : {"version_id", "sha256", "bytes", "content_type"}) {
        if (const auto* value = stored.if_contains(name)) file[name] = *value;
    }
}

void set_version(bj::object& file, const files::ObjectVersion& found) {
    file["version_id"] = found.version_id;
    file["bytes"] = found.bytes;
    if (!found.content_type.empty()) file["content_type"] = found.content_type;
    if (!found.sha256.empty()) file["sha256"] = found.sha256;
}

http::FullResponse reject_without_file(CollectionRequest& request, std::string detail) {
    return reject(request, http::problem(http::ProblemType::not_found, std::move(detail)),
                  "the field names no version of a file");
}

http::FullResponse link_response(CollectionRequest& request, const files::FileLink& link, bj::object file) {
    auto pairs = http::parse_query(request.http_request.query());
    const std::pair<std::string, std::string> redirect{"redirect", "true"};
    bool redirects = pairs && std::ranges::find(*pairs, redirect) != pairs->end();
    http::FullResponse response =
        redirects ? http::FullResponse{.status = 303, .headers = {{"Location", link.url}}, .body = {}}
                  : json_response(200, {});
    response.headers.set("Cache-Control", "no-store");
    if (redirects) return response;
    bj::object body{{"url", link.url}, {"expires_at", format_rfc3339(link.expires)}};
    for (const char* name : {"name", "content_type", "bytes", "sha256"}) {
        if (const auto* value = file.if_contains(name)) body[name] = *value;
    }
    response.body = bj::serialize(body);
    return response;
}

}  // namespace

bool needs_file_store(const CollectionRequest& request, const ColumnValues& columns) {
    if (!request.context.files.store) return false;
    for (std::size_t i = 0; i < columns.fields.size(); ++i) {
        if (is_file_value(columns, i)) return true;
    }
    return false;
}

std::optional<http::FullResponse> verify_files(CollectionRequest& request, ColumnValues& columns,
                                               const std::string& pointer, const StoredFiles& stored,
                                               ValidationErrors& errors) {
    const auto& files = request.context.files;
    for (std::size_t i = 0; i < columns.fields.size(); ++i) {
        if (!is_file_value(columns, i)) continue;
        auto file = parse_file(*columns.values[i]);
        auto key = text_member(file, "key");
        auto before = stored.find(columns.fields[i]);
        const auto* kept = before == stored.end() ? nullptr : before->second.if_object();
        bool is_same = kept && text_member(*kept, "key") == key;
        auto ownership = classify_key(request, key);
        if (is_same && (kept->contains("version_id") || ownership != KeyOwnership::own)) {
            keep_version(file, *kept);
        } else if (ownership == KeyOwnership::foreign) {
            errors.add(json::append_pointer(pointer, columns.fields[i]->name) + "/key",
                       "names a file that you may not both read and write: upload it to your own folder");
            continue;
        } else if (ownership == KeyOwnership::own && files.store) {
            auto found = files.store->find_version(files.project, key);
            if (!found && found.error().fault == Fault::not_found) {
                errors.add(json::append_pointer(pointer, columns.fields[i]->name) + "/key",
                           "names no file in the app's bucket: upload it first");
                continue;
            }
            if (!found) return reject(request, http::problem_from(found.error()), found.error().cause);
            set_version(file, *found);
        }
        columns.values[i] = bj::serialize(file);
    }
    return std::nullopt;
}

http::FullResponse open_file(CollectionRequest& request, const Field& field) {
    auto id = normalize_uuid(request.http_context.parameter("id"));
    if (!id) return reject_not_found(request);
    if (!request.view.find_readable(field.name)) {
        return reject_forbidden(request, "The role " + request.view.role + " may not read this field.",
                                "access.read of " + request.collection.collection->name +
                                    " gives the role no field " + field.name);
    }
    Sql sql;
    sql.text = request.view.sql_comment + "SELECT " + column(field) + " FROM " + request.collection.table +
               " WHERE \"id\" = " + sql.parameter(*id, "uuid");
    auto outcome = execute(request, sql);
    if (!outcome.rows) return reject_query_error(request, outcome);
    if (outcome.rows->empty()) return reject_not_found(request);
    if (outcome.rows->is_null(0, 0)) return reject_without_file(request, "The record has no such file.");
    auto file = parse_file(outcome.rows->text(0, 0));
    auto version = text_member(file, "version_id");
    if (version.empty()) {
        return reject_without_file(
            request,
            "The field holds only the name of a file. Upload the file and store it in the record again.");
    }
    const auto& files = request.context.files;
    if (!files.store) {
        return reject(request,
                      http::problem(http::ProblemType::unavailable, "Files of records are not configured."),
                      "files.account of the settings is empty");
    }
    auto link = files.store->make_link(files.project, {.key = text_member(file, "key"),
                                                       .version_id = version,
                                                       .name = text_member(file, "name"),
                                                       .content_type = text_member(file, "content_type")});
    if (!link) return reject(request, http::problem_from(link.error()), link.error().cause);
    return link_response(request, *link, std::move(file));
}

}  // namespace integreat::collections
