// SPDX-License-Identifier: Apache-2.0
// A policy document ("Grammar of the IAM JSON policy language"), parsed once into what evaluation needs:
// patterns and values are compiled here, so a document that parses can be evaluated without errors. Reading
// reports every mistake with its JSON pointer, in our words (what to change) and in those of AWS, which
// people search for.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/document/condition.h"
#include "policy/document/pattern.h"
#include "policy/document/principals.h"

namespace integreat::policy {

enum class DocumentKind {
    identity,  // Also session policies and permission boundaries: no Principal.
    resource,  // Of a bucket: Principal required.
    trust,     // Of a role: Principal required, no Resource, only actions of STS.
};

enum class Effect { allow, deny };

struct Statement {
    std::size_t index = 0;  // Of the document, from 0.
    std::string sid;
    Effect effect = Effect::deny;
    Principals principals;
    bool is_not_action = false;
    std::vector<Pattern> actions;  // In lower case.
    bool is_not_resource = false;
    std::vector<Pattern> resources;  // None in a trust policy, which is about its role.
    std::vector<Condition> conditions;
};

struct Document {
    DocumentKind kind = DocumentKind::identity;
    bool has_variables = false;  // Version 2012-10-17; without a Version it is 2008-10-17.
    std::string id;
    std::vector<Statement> statements;
};

// AWS counts what is not white space ("IAM and AWS STS quotas"; of a bucket: the S3 user guide).
inline constexpr std::size_t managed_policy_bytes_max = 6'144;
inline constexpr std::size_t role_policies_bytes_max = 10'240;  // Of all inline policies of a role together.
inline constexpr std::size_t user_policies_bytes_max = 2'048;
inline constexpr std::size_t trust_policy_bytes_max = 2'048;
inline constexpr std::size_t session_policy_bytes_max = 2'048;
inline constexpr std::size_t bucket_policy_bytes_max = 20'480;

struct DocumentLimits {
    std::size_t bytes_max = bucket_policy_bytes_max;
    std::size_t statements_max = 250;
    std::size_t values_max = 500;  // Of one list.
    std::size_t text_bytes_max = 2'048;
    std::size_t mistakes_max = 100;
};

// In the order in which AWS looks for them: of several mistakes it reports the first.
enum class Complaint {
    too_long,
    json,
    syntax,
    version,
    principal,
    sid,
    action_missing,
    resource_missing,
    resource,
    action,
};

struct Mistake {
    std::string pointer;  // RFC 6901: "/Statement/0/Action".
    std::string message;  // What is wrong and what to do.
    Complaint complaint = Complaint::syntax;
    std::string aws;  // The message of MalformedPolicyDocument (of too_long: of LimitExceeded).
};

struct Reading {
    Document document;
    std::vector<Mistake> mistakes;  // In the order of the document.
    bool good() const { return mistakes.empty(); }
};

Reading read_document(std::string_view text, DocumentKind kind, const DocumentLimits& limits = {});

// The mistake that AWS would answer with. There must be one.
const Mistake& first_for_aws(const std::vector<Mistake>& mistakes);

// A document or all its mistakes in one sentence.
Result<std::shared_ptr<const Document>> parse_document(std::string_view text, DocumentKind kind,
                                                       const DocumentLimits& limits = {});

// What counts against the limits.
std::size_t counted_bytes(std::string_view text);

// `statement "NoDelete"` or `statement 2`, counted from 1.
std::string name_of(const Statement& statement);

}  // namespace integreat::policy
