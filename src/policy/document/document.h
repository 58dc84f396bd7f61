// SPDX-License-Identifier: Apache-2.0
// A policy document ("Grammar of the IAM JSON policy language"), parsed once into the form that evaluation
// needs: patterns and values are compiled here, so a document that parses can be evaluated without errors.
// Validation reports every error with its JSON pointer, with a fix, and with the message of AWS, which people
// search for.
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
    identity,  // Also session policies and permissions boundaries: no Principal.
    resource,  // Policy of a bucket: Principal required.
    trust,     // Trust policy of a role: Principal required, no Resource, actions of STS only.
};

enum class Effect { allow, deny };

struct Statement {
    std::size_t index = 0;  // Position in the document, from 0.
    std::string sid;
    Effect effect = Effect::deny;
    Principals principals;
    bool is_not_action = false;
    std::vector<Pattern> actions;  // In lower case.
    bool is_not_resource = false;
    std::vector<Pattern> resources;  // Empty in a trust policy, which applies to its role.
    std::vector<Condition> conditions;
};

struct Document {
    DocumentKind kind = DocumentKind::identity;
    bool has_variables = false;  // Version 2012-10-17; the default is 2008-10-17.
    std::string id;
    std::vector<Statement> statements;
};

// Limits in bytes without white space ("IAM and AWS STS quotas"; for buckets: the S3 user guide).
inline constexpr std::size_t managed_policy_bytes_max = 6'144;
inline constexpr std::size_t role_policies_bytes_max = 10'240;  // All inline policies of a role together.
inline constexpr std::size_t user_policies_bytes_max = 2'048;
inline constexpr std::size_t trust_policy_bytes_max = 2'048;
inline constexpr std::size_t session_policy_bytes_max = 2'048;
inline constexpr std::size_t bucket_policy_bytes_max = 20'480;

struct DocumentLimits {
    std::size_t max_bytes = bucket_policy_bytes_max;
    std::size_t statements_max = 250;
    std::size_t values_max = 500;  // Per list.
    std::size_t text_bytes_max = 2'048;
    std::size_t errors_max = 100;
};

// The kind of an error, in the order in which AWS checks: of several errors it reports the first.
enum class ErrorKind {
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

struct ValidationError {
    std::string pointer;  // RFC 6901: "/Statement/0/Action".
    std::string message;  // The error and its fix.
    ErrorKind kind = ErrorKind::syntax;
    std::string aws_message;  // Message of MalformedPolicyDocument (for too_long: of LimitExceeded).
};

struct ParseResult {
    Document document;
    std::vector<ValidationError> errors;  // In document order.
    bool good() const { return errors.empty(); }
};

// Parses a document and reports all errors.
ParseResult validate_document(std::string_view text, DocumentKind kind, const DocumentLimits& limits = {});

// Returns the error that AWS reports. `errors` must not be empty.
const ValidationError& first_aws_error(const std::vector<ValidationError>& errors);

// Parses a document. The error message lists all errors.
Result<std::shared_ptr<const Document>> parse_document(std::string_view text, DocumentKind kind,
                                                       const DocumentLimits& limits = {});

// Returns the size that counts against the limits.
std::size_t size_without_whitespace(std::string_view text);

// Returns `statement "NoDelete"`, or `statement 2` counted from 1.
std::string statement_label(const Statement& statement);

}  // namespace integreat::policy
