// SPDX-License-Identifier: Apache-2.0
#include "http/message/problem_catalogue.h"

#include <algorithm>
#include <array>

namespace integreat::http {

namespace {

namespace catalogue {  // Keeps the names of the types from the rest of the namespace.

using enum ProblemType;

constexpr std::array definitions{
    // General.
    ProblemDefinition{
        invalid_request, "invalid-request", 400, "Invalid request",
        "The path, the query, a header or the body contains a value that this route rejects.",
        "Correct the values that `detail` and `errors` name; a retry without changes fails again."},
    ProblemDefinition{unauthenticated, "unauthenticated", 401, "Authentication required",
                      "The request carries no credentials.",
                      "Send the header Authorization: Bearer followed by an ID token or an API key."},
    ProblemDefinition{
        forbidden, "forbidden", 403, "Permission denied",
        "The caller is authenticated but lacks the permission for this operation.",
        "Use an account or key with the permission; operators find the rule with `integreat why`."},
    ProblemDefinition{not_found, "not-found", 404, "Not found", "No route or record has this address.",
                      "Check the path; paths are case-sensitive. `integreat routes` lists all."},
    ProblemDefinition{conflict, "conflict", 409, "Conflict with the current state",
                      "The resource already exists or another request has changed it.",
                      "Read the current state, then decide whether the change still makes sense."},
    ProblemDefinition{limit_reached, "limit-reached", 429, "Limit reached",
                      "A quota or limit of the platform is used up.",
                      "Wait for the time in Retry-After and send the request again."},
    ProblemDefinition{unavailable, "unavailable", 503, "Service unavailable",
                      "The database or another part of the platform is starting, busy or down.",
                      "Wait for the time in Retry-After and send the request again."},
    ProblemDefinition{internal, "internal", 500, "Internal error", "The platform has a defect.",
                      "Report the request_id to the operators; `integreat why` shows them the cause."},
    // Form of the request.
    ProblemDefinition{malformed_request, "malformed-request", 400, "Malformed HTTP request",
                      "The request is not valid HTTP/1.1, or its bytes are ambiguous.",
                      "Send the request with an ordinary HTTP library; `detail` names the error."},
    ProblemDefinition{malformed_target, "malformed-target", 400, "Malformed request target",
                      "The path or query is ambiguous: dot segments, empty segments, escaped slashes or "
                      "malformed escapes.",
                      "Send the plain path, with every segment percent-encoded exactly once."},
    ProblemDefinition{target_too_long, "target-too-long", 414, "Request target too long",
                      "Path and query together exceed the limit.", "Move long values to the body of a POST."},
    ProblemDefinition{header_too_large, "header-too-large", 431, "Request header too large",
                      "The header fields are too many or too long together.",
                      "Send fewer or shorter fields; the usual cause is cookies."},
    ProblemDefinition{expectation_failed, "expectation-failed", 417, "Unsupported expectation",
                      "The only supported expectation is 100-continue.", "Omit the Expect header."},
    ProblemDefinition{method_not_implemented, "method-not-implemented", 501, "Method not implemented",
                      "No route uses this method.", "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS."},
    ProblemDefinition{version_not_supported, "version-not-supported", 505, "HTTP version not supported",
                      "The server supports HTTP/1.0 and HTTP/1.1.", "Send the request as HTTP/1.1."},
    ProblemDefinition{request_timeout, "request-timeout", 408, "Request timeout",
                      "The header or body arrived slower than the limit allows.",
                      "Send the request again on a better connection."},
    ProblemDefinition{method_not_allowed, "method-not-allowed", 405, "Method not allowed",
                      "The path exists, but not with this method.",
                      "Use one of the methods in the Allow header."},
    ProblemDefinition{
        body_too_large, "body-too-large", 413, "Request body too large",
        "The body exceeds the limit of this route.",
        "Send less data, or split it over several requests; /docs lists the limit of each route."},
    ProblemDefinition{unsupported_media_type, "unsupported-media-type", 415, "Unsupported media type",
                      "Most routes accept JSON; an import accepts comma-separated values.",
                      "Send the body as the type that `detail` names, in UTF-8, with that Content-Type."},
    ProblemDefinition{
        malformed_json, "malformed-json", 400, "Malformed JSON",
        "The body is not JSON as defined by RFC 8259, repeats a member or is nested too deeply.",
        "Correct the place that `detail` names."},
    // Authentication.
    ProblemDefinition{
        token_missing, "token-missing", 401, "Missing token",
        "This route is not public, and the request has no token.",
        "Sign in and send the header Authorization: Bearer followed by the ID token, or an API key."},
    ProblemDefinition{token_malformed, "token-malformed", 401, "Malformed token",
                      "The credentials are neither an ID token nor an API key, or were truncated or altered.",
                      "Send the ID token exactly as getIdToken() returns it."},
    ProblemDefinition{token_too_large, "token-too-large", 401, "Token too large",
                      "The token exceeds the limit identity.max_token_bytes.",
                      "Put fewer custom claims into the token."},
    ProblemDefinition{token_algorithm, "token-algorithm", 401, "Unsupported token algorithm",
                      "Firebase signs ID tokens with RS256; no other algorithm is accepted.",
                      "Send the ID token of the signed-in user, not a token of your own."},
    ProblemDefinition{
        token_unknown_key, "token-unknown-key", 401, "Unknown signing key",
        "The key that the token names is not, or no longer, among those that Firebase publishes.",
        "Sign in again; if the error persists, check that app and gateway use the same Firebase "
        "(or emulator)."},
    ProblemDefinition{token_signature, "token-signature", 401, "Invalid token signature",
                      "The token was altered or signed with another key.", "Sign in again."},
    ProblemDefinition{
        token_issuer, "token-issuer", 401, "Wrong token issuer",
        "The token is not an ID token of a Firebase project: it may be a custom token or a session "
        "cookie.",
        "Send the result of getIdToken() after signing in."},
    ProblemDefinition{token_audience, "token-audience", 401, "Wrong token audience",
                      "No application of this platform uses the Firebase project of the token.",
                      "Compare the app's Firebase configuration with `project` in its manifest."},
    ProblemDefinition{token_expired, "token-expired", 401, "Token expired",
                      "ID tokens are valid for one hour.",
                      "Call getIdToken() before each request; the SDK refreshes the token when needed."},
    ProblemDefinition{token_not_yet_valid, "token-not-yet-valid", 401, "Token not yet valid",
                      "A time in the token is later than the server's clock.",
                      "Synchronize the clocks of both machines."},
    ProblemDefinition{token_subject, "token-subject", 401, "Invalid token subject",
                      "The subject is missing, empty or too long.", "Sign in again."},
    ProblemDefinition{token_role, "token-role", 401, "Invalid role claim",
                      "The custom claim role is not a single short word.",
                      "Set the claim again, as one word, then refresh the ID token."},
    ProblemDefinition{authorization_malformed, "authorization-malformed", 401,
                      "Malformed Authorization header",
                      "The header is not the word Bearer, one space and a token.",
                      "Send Authorization: Bearer followed by an ID token or an API key."},
    ProblemDefinition{api_key_malformed, "api-key-malformed", 401, "Malformed API key",
                      "The key is truncated or mistyped.", "Copy the whole key: it starts with itg_."},
    ProblemDefinition{api_key_unknown, "api-key-unknown", 401, "Unknown API key",
                      "This platform has no such key.",
                      "Check which platform the key is for, or create another: integreat key create."},
    ProblemDefinition{api_key_revoked, "api-key-revoked", 401, "API key revoked",
                      "An operator has revoked this key permanently.",
                      "Create another: integreat key create."},
    ProblemDefinition{api_key_expired, "api-key-expired", 401, "API key expired",
                      "The key was created for a limited time.", "Create another: integreat key create."},
    ProblemDefinition{identity_unavailable, "identity-unavailable", 503, "Authentication unavailable",
                      "The signing keys or API keys cannot be read, so callers cannot be authenticated.",
                      "Wait for the time in Retry-After; /readyz shows the missing dependency."},
    // Authorization and limits.
    ProblemDefinition{wrong_tenant, "wrong-tenant", 403, "Token belongs to another application",
                      "Each application has its own users and keys; this token belongs to another one.",
                      "Sign in to the application that owns this route."},
    ProblemDefinition{
        role_missing, "role-missing", 403, "Missing role", "The route is for certain roles only.",
        "Request the role; after it is granted, refresh the ID token, which contains the role."},
    ProblemDefinition{scope_missing, "scope-missing", 403, "Missing API key scope",
                      "The route requires a scope that this key lacks.",
                      "Create a key with the scope: integreat key create."},
    ProblemDefinition{key_not_accepted, "key-not-accepted", 403, "API keys not accepted",
                      "Only signed-in users may call this route.",
                      "Call it with a user's ID token, or give the route a scope in the app's manifest."},
    ProblemDefinition{
        operators_only, "operators-only", 403, "Operators only", "The route administers the platform itself.",
        "Sign in to the platform's own project with the role admin, or use a key of the platform."},
    ProblemDefinition{origin_not_allowed, "origin-not-allowed", 403, "Origin not allowed",
                      "The app's manifest does not list the origin of the browser page.",
                      "Add the origin to cors.origins of the manifest; scheme, host and port must be equal."},
    ProblemDefinition{
        host_not_allowed, "host-not-allowed", 403, "Host not allowed",
        "The route is for programs and pages on this machine, and Host or Origin names another.",
        "Use the address that `integreat dev` prints: http://127.0.0.1 or http://localhost with its "
        "port."},
    ProblemDefinition{rate_limited, "rate-limited", 429, "Too many requests",
                      "The token bucket for this caller and route is empty.",
                      "Wait for the time in Retry-After; the RateLimit header of each response shows the "
                      "remaining requests."},
    ProblemDefinition{overloaded, "overloaded", 503, "Service overloaded",
                      "More requests are queued than can be handled in time.",
                      "Wait for the time in Retry-After and send the request again."},
    // Records of collections.
    ProblemDefinition{
        already_exists, "already-exists", 409, "Record already exists",
        "Another record has the same values in fields that must be unique; `errors` names them.",
        "Change those values, or change the existing record instead."},
    ProblemDefinition{referenced, "referenced", 409, "Record is referenced",
                      "The record cannot be deleted while other records refer to it.",
                      "Delete or change the records that `detail` names first."},
    ProblemDefinition{wrong_state, "wrong-state", 409, "Transition not possible in this state",
                      "The transition does not start from the record's current state.",
                      "Read the record again; another request may have applied the transition already."},
    ProblemDefinition{
        incomplete, "incomplete", 409, "Required fields are empty",
        "The transition requires fields of the record that are empty.",
        "Set the fields that `errors` names, or send them with the transition if it accepts them."},
    ProblemDefinition{guard_failed, "guard-failed", 409, "Transition condition not met",
                      "The transition's condition over the record's own fields is false.",
                      "Look up the condition in the app's description of the transition."},
    ProblemDefinition{version_mismatch, "version-mismatch", 412, "Version mismatch",
                      "If-Match names another version than the current one.",
                      "Read the record again, then decide whether the change still makes sense."},
    ProblemDefinition{if_match_missing, "if-match-missing", 428, "If-Match required",
                      "A change to a record of this collection must name the version that it is based on.",
                      "Send If-Match with the ETag of the record as you read it."},
    // Upstream servers.
    ProblemDefinition{upstream_unreachable, "upstream-unreachable", 502, "Upstream unreachable",
                      "The application's own server accepts no connection, or closed it without a response.",
                      "Start the server, or correct its url in the app's manifest."},
    ProblemDefinition{upstream_malformed, "upstream-malformed", 502, "Malformed upstream response",
                      "The response of the application's own server is not valid HTTP/1.1.",
                      "Check that server's log."},
    ProblemDefinition{upstream_timeout, "upstream-timeout", 504, "Upstream timeout",
                      "The application's own server took longer than response_timeout in the app's manifest.",
                      "Make the server faster or the limit longer; the request may have had an effect."},
    ProblemDefinition{upstream_busy, "upstream-busy", 503, "Upstream busy",
                      "All permitted connections to the application's own server are in use.",
                      "Wait for the time in Retry-After and send the request again."},
    ProblemDefinition{upstream_circuit_open, "upstream-circuit-open", 503, "Upstream circuit open",
                      "The application's own server failed several times in a row and gets no requests for a "
                      "while.",
                      "Wait for the time in Retry-After; check that server's log."},
    // Idempotency-Key.
    ProblemDefinition{idempotency_key_missing, "idempotency-key-missing", 400, "Idempotency-Key required",
                      "This route makes a change that must not happen twice.",
                      "Send Idempotency-Key with a new UUID, and the same one when you repeat the request."},
    ProblemDefinition{
        idempotency_key_invalid, "idempotency-key-invalid", 400, "Invalid Idempotency-Key",
        "The key is empty, longer than 255 characters, sent twice or contains a character that is "
        "not allowed.",
        "Send one key of visible ASCII characters, for example a UUID, with or without quotes."},
    ProblemDefinition{idempotency_key_reused, "idempotency-key-reused", 422,
                      "Idempotency-Key reused for another request",
                      "The same key was used before with another method, path or body.",
                      "Use a new key for each new request, the same key only to repeat one."},
    ProblemDefinition{
        idempotency_key_in_use, "idempotency-key-in-use", 409, "Request still in progress",
        "The first request with this key has not finished.",
        "Wait for the time in Retry-After and send the request again to get the first response."},
    ProblemDefinition{
        outcome_unknown, "outcome-unknown", 409, "Outcome unknown",
        "An earlier request with this key was interrupted after it may have reached the upstream.",
        "Check the affected resource; if the change is missing, send it with a new key."},
};

}  // namespace catalogue

using catalogue::definitions;

constexpr bool follows_the_enum() {
    for (std::size_t i = 0; i < definitions.size(); ++i) {
        if (static_cast<std::size_t>(definitions[i].type) != i) return false;
    }
    return definitions.size() == static_cast<std::size_t>(ProblemType::outcome_unknown) + 1;
}
static_assert(follows_the_enum(), "one definition per ProblemType, in the order of the enum");

}  // namespace

std::span<const ProblemDefinition> problem_definitions() {
    return definitions;
}

const ProblemDefinition& problem_definition(ProblemType type) {
    return definitions[static_cast<std::size_t>(type)];
}

const ProblemDefinition* find_problem(std::string_view slug) {
    auto found = std::find_if(definitions.begin(), definitions.end(),
                              [&](const auto& definition) { return definition.slug == slug; });
    return found == definitions.end() ? nullptr : &*found;
}

std::string_view to_slug(ProblemType type) {
    return problem_definition(type).slug;
}

std::string problem_url(ProblemType type, std::string_view base_url) {
    if (base_url.ends_with('/')) base_url.remove_suffix(1);
    return std::string(base_url).append("/").append(to_slug(type));
}

}  // namespace integreat::http
