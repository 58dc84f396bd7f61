// SPDX-License-Identifier: Apache-2.0
#include "policy/document/document.h"

#include <algorithm>
#include <set>

#include "base/text/closest_match.h"
#include "json/document/node.h"
#include "json/value/parse.h"
#include "policy/document/parse_context.h"

namespace integreat::policy {

namespace {

// What the API takes at most, white space included.
constexpr std::size_t raw_bytes_max = 131'072;
constexpr std::size_t depth_max = 8;

std::string too_long_words(DocumentKind kind, std::size_t bytes_max) {
    auto limit = std::to_string(bytes_max);
    if (kind == DocumentKind::trust) return "Cannot exceed quota for ACLSizePerRole: " + limit;
    if (kind == DocumentKind::identity) return "Cannot exceed quota for PolicySize: " + limit;
    return "Policy exceeds the maximum allowed document size.";
}

std::string not_json_words(DocumentKind kind) {
    if (kind == DocumentKind::trust) return "This policy contains invalid Json";
    if (kind == DocumentKind::identity) return syntax_words(kind);
    return "Policies must be valid JSON and the first byte must be '{'";
}

void read_version(Draft& draft, const boost::json::object& object) {
    const auto* version = object.if_contains("Version");
    if (!version) return;
    const auto* text = version->if_string();
    if (text && *text == "2012-10-17") {
        draft.document.has_variables = true;
    } else if (!text || *text != "2008-10-17") {
        report(
            draft, "/Version", "Version must be \"2012-10-17\", or \"2008-10-17\" without policy variables",
            Complaint::version,
            draft.document.kind == DocumentKind::identity ? syntax_words(draft.document.kind)
                                                          : "The policy must contain a valid version string");
    }
}

void read_statements(Draft& draft, const boost::json::object& object) {
    const auto* list = object.if_contains("Statement");
    if (!list) {
        report(draft, "", "the policy has no Statement: add a list of statements", Complaint::syntax,
               missing_field_words(draft.document.kind, "Statement"));
        return;
    }
    const auto* array = list->if_array();
    if (!array) {
        draft.document.statements.push_back(read_statement(draft, {*list, "/Statement"}));
        return;
    }
    if (array->empty()) {
        report(draft, "/Statement", "Statement is empty: add a statement", Complaint::syntax,
               draft.document.kind == DocumentKind::resource
                   ? "Could not parse the policy: Statement is empty!"
                   : syntax_words(draft.document.kind));
    }
    if (array->size() > draft.limits.statements_max) {
        report(draft, "/Statement",
               "Statement has more than " + std::to_string(draft.limits.statements_max) +
                   " statements: merge some",
               Complaint::too_long, too_long_words(draft.document.kind, draft.limits.bytes_max));
        return;
    }
    for (std::size_t i = 0; i < array->size(); ++i) {
        auto statement = read_statement(draft, {(*array)[i], json::below("/Statement", i)});
        statement.index = i;
        draft.document.statements.push_back(std::move(statement));
    }
}

void refuse_repeated_sids(Draft& draft) {
    std::set<std::string_view> seen;
    for (const auto& statement : draft.document.statements) {
        if (statement.sid.empty() || seen.insert(statement.sid).second) continue;
        report(draft, json::below(json::below("/Statement", statement.index), "Sid"),
               "the Sid " + json::quoted(statement.sid) + " is given twice: Sids must be unique",
               Complaint::sid, "Statement IDs (SID) in a single policy must be unique.");
    }
}

}  // namespace

Reading read_document(std::string_view text, DocumentKind kind, const DocumentLimits& limits) {
    Draft draft{limits, {}, {}};
    draft.document.kind = kind;
    if (text.size() > raw_bytes_max || counted_bytes(text) > limits.bytes_max) {
        report(draft, "",
               "the policy is longer than " + std::to_string(limits.bytes_max) +
                   " characters (white space not counted)",
               Complaint::too_long, too_long_words(kind, limits.bytes_max));
        return {std::move(draft.document), std::move(draft.mistakes)};
    }
    auto parsed = json::parse_object(text, {.bytes_max = raw_bytes_max, .depth_max = depth_max});
    if (!parsed) {
        report(draft, "", "the policy is not a JSON object: " + parsed.error().message, Complaint::json,
               not_json_words(kind));
        return {std::move(draft.document), std::move(draft.mistakes)};
    }
    refuse_unknown(draft, *parsed, "", {"Version", "Id", "Statement"});
    read_version(draft, *parsed);
    if (const auto* id = parsed->if_contains("Id")) {
        if (auto given = read_text(draft, {*id, "/Id"}, "Id")) draft.document.id = std::move(*given);
    }
    read_statements(draft, *parsed);
    refuse_repeated_sids(draft);
    return {std::move(draft.document), std::move(draft.mistakes)};
}

const Mistake& first_for_aws(const std::vector<Mistake>& mistakes) {
    ASSERT(!mistakes.empty());
    return *std::min_element(mistakes.begin(), mistakes.end(), [](const Mistake& left, const Mistake& right) {
        return left.complaint < right.complaint;
    });
}

Result<std::shared_ptr<const Document>> parse_document(std::string_view text, DocumentKind kind,
                                                       const DocumentLimits& limits) {
    auto reading = read_document(text, kind, limits);
    if (reading.good()) return std::make_shared<const Document>(std::move(reading.document));
    std::string sentence;
    for (const auto& mistake : reading.mistakes) {
        if (!sentence.empty()) sentence += "; ";
        sentence += mistake.message;
        if (!mistake.pointer.empty()) sentence += " (" + mistake.pointer + ")";
    }
    return Error{Fault::invalid, std::move(sentence), ""};
}

std::size_t counted_bytes(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; }));
}

std::string name_of(const Statement& statement) {
    if (!statement.sid.empty()) return "statement " + json::quoted(statement.sid);
    return "statement " + std::to_string(statement.index + 1);
}

}  // namespace integreat::policy
