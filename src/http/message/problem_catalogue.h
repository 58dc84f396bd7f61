// SPDX-License-Identifier: Apache-2.0
// The catalogue of problem types (RFC 9457) for every error response of Integreat: one slug, one title, one
// default status and one explanation per type. GET /problems/{type}, the OpenAPI document,
// docs/reference/api.md and `integreat why` all read this table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace integreat::http {

// In the order of the table in problem_catalogue.cpp.
enum class ProblemType : std::uint8_t {
    // General.
    invalid_request,
    unauthenticated,
    forbidden,
    not_found,
    conflict,
    limit_reached,
    unavailable,
    internal,
    // Form of the request.
    malformed_request,
    malformed_target,
    target_too_long,
    header_too_large,
    expectation_failed,
    method_not_implemented,
    version_not_supported,
    request_timeout,
    method_not_allowed,
    body_too_large,
    unsupported_media_type,
    malformed_json,
    // Authentication.
    token_missing,
    token_malformed,
    token_too_large,
    token_algorithm,
    token_unknown_key,
    token_signature,
    token_issuer,
    token_audience,
    token_expired,
    token_not_yet_valid,
    token_subject,
    token_role,
    authorization_malformed,
    api_key_malformed,
    api_key_unknown,
    api_key_revoked,
    api_key_expired,
    identity_unavailable,
    // Authorization and limits.
    wrong_tenant,
    role_missing,
    scope_missing,
    key_not_accepted,
    operators_only,
    origin_not_allowed,
    host_not_allowed,
    rate_limited,
    overloaded,
    // Records of collections.
    already_exists,
    referenced,
    wrong_state,
    incomplete,
    guard_failed,
    version_mismatch,
    if_match_missing,
    // Upstream servers.
    upstream_unreachable,
    upstream_malformed,
    upstream_timeout,
    upstream_busy,
    upstream_circuit_open,
    // Idempotency-Key.
    idempotency_key_missing,
    idempotency_key_invalid,
    idempotency_key_reused,
    idempotency_key_in_use,
    outcome_unknown,
};

struct ProblemDefinition {
    ProblemType type;
    std::string_view slug;     // Last segment of the `type` URI: "token-expired".
    int status;                // Default HTTP status.
    std::string_view title;    // The same for every occurrence: "Token expired".
    std::string_view meaning;  // A sentence about the cause.
    std::string_view remedy;   // A sentence about the fix.
};

// All definitions, in the order of the enum.
std::span<const ProblemDefinition> problem_definitions();
const ProblemDefinition& problem_definition(ProblemType type);
// Returns null for an unknown slug.
const ProblemDefinition* find_problem(std::string_view slug);

// "token-expired"
std::string_view to_slug(ProblemType type);

// Base of the `type` URI unless the setting http.problem_base_url names another; a slash and the slug follow.
inline constexpr std::string_view default_problem_base_url = "https://integreat.dev/problems";

// "https://integreat.dev/problems/token-expired"
std::string problem_url(ProblemType type, std::string_view base_url = default_problem_base_url);

}  // namespace integreat::http
