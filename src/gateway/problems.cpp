// SPDX-License-Identifier: Apache-2.0
#include "gateway/problems.h"

#include <algorithm>
#include <array>

namespace integreat::gateway {

namespace {

constexpr std::array kinds{
    // What any part of the platform may say.
    ProblemKind{"invalid-request", 400, "The request is not valid",
                "Something in the path, the query, a header or the body is not what this route takes.",
                "Change what `detail` and `errors` name; sending the same request again will not help."},
    ProblemKind{"unauthenticated", 401, "We do not know who is asking",
                "The request carries nothing that proves who sent it.",
                "Send the header Authorization: Bearer followed by an ID token or an API key."},
    ProblemKind{"forbidden", 403, "This is not allowed", "We know who is asking, and they may not do this.",
                "Use an account or key that may; an operator can look up the rule with `integreat why`."},
    ProblemKind{"not-found", 404, "There is nothing here", "No route or record has this address.",
                "Check the path against /docs; names are compared letter by letter."},
    ProblemKind{"conflict", 409, "The present state does not allow this",
                "What the request would change already exists or was changed meanwhile.",
                "Read the present state, then decide whether the change still makes sense."},
    ProblemKind{"limit-reached", 429, "A limit was reached", "A quota or a bound of the platform is used up.",
                "Wait as long as Retry-After says and send the request again."},
    ProblemKind{"unavailable", 503, "Something we depend on does not answer",
                "The database or another part of the platform is starting, busy or down.",
                "Wait as long as Retry-After says and send the request again."},
    ProblemKind{"internal", 500, "Something went wrong on our side", "The platform has a fault.",
                "Report the request_id to the operators; `integreat why` shows them the cause."},
    // How a request must look.
    ProblemKind{"malformed-request", 400, "The request is not well-formed HTTP",
                "The bytes could be read in more than one way, or in none, so they were not read at all.",
                "Send the request with an ordinary HTTP library; `detail` names what was wrong."},
    ProblemKind{
        "malformed-target", 400, "The request target is not well-formed",
        "The path or query has something that two servers could read differently: dot segments, empty "
        "segments, escaped slashes, malformed escapes.",
        "Send the plain path, with every segment percent-encoded exactly once."},
    ProblemKind{"target-too-long", 414, "The request target is too long",
                "Path and query together exceed the limit.", "Put long values into the body of a POST."},
    ProblemKind{"header-too-large", 431, "The header is too large",
                "The fields are too many or too long together.",
                "Send fewer or shorter fields, often cookies."},
    ProblemKind{"expectation-failed", 417, "The expectation cannot be met",
                "The only expectation we know is 100-continue.", "Leave the Expect field out."},
    ProblemKind{"method-not-implemented", 501, "The method is not known", "No route uses this method.",
                "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS."},
    ProblemKind{"version-not-supported", 505, "The HTTP version is not supported",
                "We speak HTTP/1.0 and HTTP/1.1.", "Send the request as HTTP/1.1."},
    ProblemKind{"request-timeout", 408, "The request took too long to arrive",
                "Header or body came slower than the limit allows.", "Send it again on a better connection."},
    ProblemKind{"method-not-allowed", 405, "The path does not answer this method",
                "The path exists, but not with this method.", "Use one of the methods in the Allow field."},
    ProblemKind{"body-too-large", 413, "The body is too large", "The body exceeds what this route takes.",
                "Send less, in several requests if need be; /docs names the limit of each route."},
    ProblemKind{"unsupported-media-type", 415, "The body has a type that is not accepted",
                "This route takes JSON.", "Send the body as JSON with Content-Type: application/json."},
    ProblemKind{"malformed-json", 400, "The body is not well-formed JSON",
                "The body is not JSON as RFC 8259 says it, names a member twice, or is nested too deeply.",
                "Mend the place that `detail` names."},
    // Who is asking.
    ProblemKind{"token-missing", 401, "A token is needed", "This route is not public, and no token was sent.",
                "Sign in and send the header Authorization: Bearer followed by the ID token, or an API key."},
    ProblemKind{"token-malformed", 401, "The token is not well-formed",
                "What was sent as a token is neither an ID token nor an API key, or was cut or altered.",
                "Send the ID token exactly as getIdToken() gives it."},
    ProblemKind{"token-too-large", 401, "The token is too large",
                "The token exceeds the limit identity.token_bytes_max.",
                "Put fewer custom claims into the token."},
    ProblemKind{"token-algorithm", 401, "The token is not signed with RS256",
                "Firebase signs ID tokens with RS256; anything else was made by someone else.",
                "Send the ID token of the signed-in user, not a token made by your own code."},
    ProblemKind{
        "token-unknown-key", 401, "The token is signed with a key that is not in force",
        "The key that the token names is not, or no longer, among those that Firebase publishes.",
        "Sign in again; if it goes on, check that app and gateway use the same Firebase (or emulator)."},
    ProblemKind{"token-signature", 401, "The signature of the token is wrong",
                "The token was altered, or signed by somebody else.", "Sign in again."},
    ProblemKind{"token-issuer", 401, "The token is from another issuer",
                "The token was not issued for ID tokens of a Firebase project: it may be a custom token or a "
                "session cookie.",
                "Send what getIdToken() gives after signing in."},
    ProblemKind{"token-audience", 401, "The token is for another project",
                "No application of this platform has the Firebase project that the token is for.",
                "Compare the app's Firebase configuration with `project` in its manifest."},
    ProblemKind{"token-expired", 401, "The token has expired", "ID tokens are good for one hour.",
                "Call getIdToken() before each request; the SDK refreshes it when needed."},
    ProblemKind{"token-not-yet-valid", 401, "The token is from the future",
                "Its times lie ahead of the server's clock.", "Set the clocks of both machines right."},
    ProblemKind{"token-subject", 401, "The token names no user", "Its subject is missing, empty or too long.",
                "Sign in again."},
    ProblemKind{"token-role", 401, "The token's role cannot be read",
                "The custom claim role is not a single short word.",
                "Set the claim again, as one word, then refresh the ID token."},
    ProblemKind{"authorization-malformed", 401, "The Authorization field is not understood",
                "It is not the word Bearer, one space and a token.",
                "Send Authorization: Bearer followed by an ID token or an API key."},
    ProblemKind{"api-key-malformed", 401, "The API key is not well formed", "It was cut or mistyped.",
                "Copy the whole key: it begins with itg_."},
    ProblemKind{"api-key-unknown", 401, "The API key is not known", "There is no such key on this platform.",
                "Check which platform the key is for, or make another: integreat key create."},
    ProblemKind{"api-key-revoked", 401, "The API key was revoked", "Somebody ended this key for good.",
                "Make another: integreat key create."},
    ProblemKind{"api-key-expired", 401, "The API key has expired", "The key was made for a limited time.",
                "Make another: integreat key create."},
    ProblemKind{"identity-unavailable", 503, "Tokens cannot be checked at the moment",
                "The signing keys or API keys cannot be read, so nobody can be recognised safely.",
                "Wait as long as Retry-After says; /readyz shows what is missing."},
    // Whether they may.
    ProblemKind{"foreign-tenant", 403, "The token belongs to another application",
                "Each application has its own users and keys; this token is of another one.",
                "Sign in to the application whose route this is."},
    ProblemKind{"role-missing", 403, "Your role may not do this", "The route is for certain roles only.",
                "Ask for the role; after it was given, refresh the ID token: the role is inside it."},
    ProblemKind{"scope-missing", 403, "The API key lacks a scope", "The route needs a scope this key lacks.",
                "Create a key with the scope: integreat key create."},
    ProblemKind{"key-not-accepted", 403, "API keys are not accepted here",
                "Only signed-in users may call this.",
                "Call it with a user's ID token, or give the route a scope in the app's manifest."},
    ProblemKind{"operators-only", 403, "Only operators may do this",
                "The route administers the platform itself.",
                "Sign in to the platform's own project with the role admin, or use a key of the platform."},
    ProblemKind{"origin-not-allowed", 403, "The origin is not allowed",
                "The browser page comes from an origin that the app's manifest does not list.",
                "Add the origin to cors.origins of the manifest; scheme, host and port must be the same."},
    ProblemKind{"rate-limited", 429, "Too many requests",
                "The token bucket for this caller and route is empty.",
                "Wait as long as Retry-After says; the RateLimit field of each answer says what is left."},
    ProblemKind{"overloaded", 503, "The platform is busy", "More requests wait than can be answered in time.",
                "Wait as long as Retry-After says and send the request again."},
    // What is behind the gateway.
    ProblemKind{"upstream-unreachable", 502, "The server behind this route cannot be reached",
                "The application's own server accepts no connection, or closed it without an answer.",
                "Start it, or correct its url in the app's manifest."},
    ProblemKind{"upstream-malformed", 502, "The server behind this route sent an answer we cannot pass on",
                "Its answer is not well-formed HTTP/1.1.", "Look at that server's own log."},
    ProblemKind{"upstream-timeout", 504, "The server behind this route did not answer in time",
                "It took longer than response_timeout in the app's manifest.",
                "Make it faster or the limit longer; whether the request had an effect is not known."},
    ProblemKind{"upstream-busy", 503, "The server behind this route is busy",
                "All connections it may have are in use.", "Wait as long as Retry-After says."},
    ProblemKind{"upstream-circuit-open", 503, "The server behind this route is failing",
                "It failed several times in a row and is left alone for a moment.",
                "Wait as long as Retry-After says; look at that server's own log."},
    // Repeating safely.
    ProblemKind{"idempotency-key-missing", 400, "An Idempotency-Key is needed",
                "This route changes something that must not happen twice.",
                "Send Idempotency-Key with a fresh UUID, and the same one when you repeat the request."},
    ProblemKind{
        "idempotency-key-invalid", 400, "The Idempotency-Key is not valid",
        "The key is empty, longer than 255 characters, sent twice or has characters that are not allowed.",
        "Send one key of visible ASCII characters, for example a UUID, with or without quotes."},
    ProblemKind{"idempotency-key-reused", 422, "The Idempotency-Key belongs to another request",
                "The same key was used before with another method, path or body.",
                "Use a fresh key for each new request, the same key only to repeat one."},
    ProblemKind{"idempotency-key-in-use", 409, "The same request is still running",
                "The first request with this key has not been answered yet.",
                "Wait as long as Retry-After says and send it again: the first answer will be repeated."},
    ProblemKind{"outcome-unknown", 409, "Whether it was done is not known",
                "An earlier request with this key broke off after it may have reached the upstream.",
                "Look at the state of what it would have changed; if it was not done, use a fresh key."},
};

}  // namespace

std::span<const ProblemKind> problem_kinds() {
    return kinds;
}

const ProblemKind* find_problem(std::string_view slug) {
    auto found =
        std::find_if(kinds.begin(), kinds.end(), [&](const auto& kind) { return kind.slug == slug; });
    return found == kinds.end() ? nullptr : &*found;
}

}  // namespace integreat::gateway
