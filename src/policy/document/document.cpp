// SPDX-License-Identifier: Apache-2.0
#include "policy/document/document.h"

#include <algorithm>
#include <set>

#include "base/text/closest_match.h"
#include "json/document/node.h"
#include "json/value/parse.h"
#include "policy/document/statement.h"

namespace integreat::policy {

namespace {

// Limits of the API, including white space.
constexpr std::size_t raw_bytes_max = 131'072;
constexpr std::size_t depth_max = 8;

std::string aws_too_long(DocumentKind kind, std::size_t max_bytes) {
    auto limit = std::to_string(max_bytes);
    if (kind == DocumentKind::trust) return "Cannot exceed quota for ACLSizePerRole: " + limit;
    if (kind == DocumentKind::identity) return "Cannot exceed quota for PolicySize: " + limit;
    return "Policy exceeds the maximum allowed document size.";
}

std::string aws_not_json(DocumentKind kind) {
    if (kind == DocumentKind::trust) return "This policy contains invalid Json";
    if (kind == DocumentKind::identity) return aws_syntax_error(kind);
    return "Policies must be valid JSON and the first byte must be '{'";
}

void parse_version(ParseContext& context, const boost::json::object& object) {
    const auto* version = object.if_contains("Version");
    if (!version) return;
    const auto* text = version->if_string();
    if (text && *text == "2012-10-17") {
        context.document.has_variables = true;
    } else if (!text || *text != "2008-10-17") {
        report(context, "/Version",
               "Version must be \"2012-10-17\", or \"2008-10-17\" without policy variables",
               ErrorKind::version,
               context.document.kind == DocumentKind::identity
                   ? aws_syntax_error(context.document.kind)
                   : "The policy must contain a valid version string");
    }
}

void parse_statements(ParseContext& context, const boost::json::object& object) {
    const auto* list = object.if_contains("Statement");
    if (!list) {
        report(context, "", "the policy has no Statement: add a list of statements", ErrorKind::syntax,
               aws_missing_field(context.document.kind, "Statement"));
        return;
    }
    const auto* array = list->if_array();
    if (!array) {
        context.document.statements.push_back(parse_statement(context, {*list, "/Statement"}));
        return;
    }
    if (array->empty()) {
        report(context, "/Statement", "Statement is empty: add a statement", ErrorKind::syntax,
               context.document.kind == DocumentKind::resource
                   ? "Could not parse the policy: Statement is empty!"
                   : aws_syntax_error(context.document.kind));
    }
    if (array->size() > context.limits.statements_max) {
        report(context, "/Statement",
               "Statement has more than " + std::to_string(context.limits.statements_max) +
                   " statements: merge some",
               ErrorKind::too_long, aws_too_long(context.document.kind, context.limits.max_bytes));
        return;
    }
    for (std::size_t i = 0; i < array->size(); ++i) {
        auto statement = parse_statement(context, {(*array)[i], json::append_pointer("/Statement", i)});
        statement.index = i;
        context.document.statements.push_back(std::move(statement));
    }
}

void report_duplicate_sids(ParseContext& context) {
    std::set<std::string_view> sids;
    for (const auto& statement : context.document.statements) {
        if (statement.sid.empty() || sids.insert(statement.sid).second) continue;
        report(context, json::append_pointer(json::append_pointer("/Statement", statement.index), "Sid"),
               "the Sid " + json::quoted(statement.sid) + " is given twice: Sids must be unique",
               ErrorKind::sid, "Statement IDs (SID) in a single policy must be unique.");
    }
}

}  // namespace

ParseResult validate_document(std::string_view text, DocumentKind kind, const DocumentLimits& limits) {
    ParseContext context{limits, {}, {}};
    context.document.kind = kind;
    if (text.size() > raw_bytes_max || size_without_whitespace(text) > limits.max_bytes) {
        report(context, "",
               "the policy is longer than " + std::to_string(limits.max_bytes) +
                   " characters (white space not counted)",
               ErrorKind::too_long, aws_too_long(kind, limits.max_bytes));
        return {std::move(context.document), std::move(context.errors)};
    }
    auto parsed = json::parse_object(text, {.max_bytes = raw_bytes_max, .depth_max = depth_max});
    if (!parsed) {
        report(context, "", "the policy is not a JSON object: " + parsed.error().message, ErrorKind::json,
               aws_not_json(kind));
        return {std::move(context.document), std::move(context.errors)};
    }
    report_unknown_elements(context, *parsed, "", {"Version", "Id", "Statement"});
    parse_version(context, *parsed);
    if (const auto* id = parsed->if_contains("Id")) {
        if (auto document_id = parse_text(context, {*id, "/Id"}, "Id"))
            context.document.id = std::move(*document_id);
    }
    parse_statements(context, *parsed);
    report_duplicate_sids(context);
    return {std::move(context.document), std::move(context.errors)};
}

const ValidationError& first_aws_error(const std::vector<ValidationError>& errors) {
    ASSERT(!errors.empty());
    return *std::min_element(
        errors.begin(), errors.end(),
        [](const ValidationError& left, const ValidationError& right) { return left.kind < right.kind; });
}

Result<std::shared_ptr<const Document>> parse_document(std::string_view text, DocumentKind kind,
                                                       const DocumentLimits& limits) {
    auto result = validate_document(text, kind, limits);
    if (result.good()) return std::make_shared<const Document>(std::move(result.document));
    std::string message;
    for (const auto& error : result.errors) {
        if (!message.empty()) message += "; ";
        message += error.message;
        if (!error.pointer.empty()) message += " (" + error.pointer + ")";
    }
    return Error{Fault::invalid, std::move(message), ""};
}

std::size_t size_without_whitespace(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; }));
}

std::string statement_label(const Statement& statement) {
    if (!statement.sid.empty()) return "statement " + json::quoted(statement.sid);
    return "statement " + std::to_string(statement.index + 1);
}

}  // namespace integreat::policy
