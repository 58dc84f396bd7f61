// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/protocol/error_responses.h"

#include <fmt/format.h>

#include "crypto/encoding.h"

namespace integreat::cloud {

namespace {

using aws::SigV4Fault;

constexpr std::string_view mismatch =
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
    "Access Key and signing method. Consult the service documentation for details.";

bool is_s3(Protocol protocol) {
    return protocol == Protocol::rest_xml;
}
bool is_json(Protocol protocol) {
    return protocol == Protocol::json || protocol == Protocol::rest_json;
}

// JSON services use "NameException" and status 400 where the query services use 403.
AwsError make_error(Protocol protocol, std::string_view query_code, std::string_view json_code,
                    std::string message) {
    if (is_json(protocol))
        return {.status = 400, .code = std::string(json_code), .message = std::move(message)};
    return {.status = 403, .code = std::string(query_code), .message = std::move(message)};
}

AwsError s3(int status, std::string_view code, std::string message) {
    return {.status = status, .code = std::string(code), .message = std::move(message)};
}

bool is_presigned(const SignatureFailure& failure) {
    return failure.error.presigned || (failure.claim && failure.claim->presigned);
}

// The code differs between the Authorization header and the query of a presigned URL.
AwsError s3_credential_error(bool presigned, std::string_view message) {
    if (presigned) {
        return s3(400, "AuthorizationQueryParametersError",
                  fmt::format("Error parsing the X-Amz-Credential parameter; {}", message));
    }
    return s3(400, "AuthorizationHeaderMalformed",
              fmt::format("The authorization header is malformed; {}", message));
}

// Formats bytes in hexadecimal. S3 shows the string it signed as bytes too, because line ends matter.
std::string hex_bytes(std::string_view text) {
    std::string formatted;
    auto digits = crypto::hex_encode(text);
    for (std::size_t i = 0; i < digits.size(); i += 2)
        formatted += (i == 0 ? "" : " ") + digits.substr(i, 2);
    return formatted;
}

AwsError s3_mismatch(const SignatureFailure& failure) {
    auto error =
        s3(403, "SignatureDoesNotMatch",
           "The request signature we calculated does not match the signature you provided. Check your "
           "key and signing method.");
    if (!failure.claim || failure.error.detail.empty()) return error;
    error.details = {{"AWSAccessKeyId", failure.claim->access_key_id},
                     {"StringToSign", std::string(failure.string_to_sign)},
                     {"SignatureProvided", failure.claim->signature},
                     {"StringToSignBytes", hex_bytes(failure.string_to_sign)},
                     {"CanonicalRequest", failure.error.detail},
                     {"CanonicalRequestBytes", hex_bytes(failure.error.detail)}};
    return error;
}

AwsError s3_time(const SignatureFailure& failure) {
    const auto& claim = *failure.claim;
    if (failure.error.fault == SigV4Fault::expired) {
        auto error = s3(403, "AccessDenied", "Request has expired");
        error.details = {{"X-Amz-Expires", std::to_string(claim.expires.count())},
                         {"Expires", format_rfc3339(claim.signed_at + claim.expires)},
                         {"ServerTime", format_rfc3339(failure.now)}};
        return error;
    }
    if (claim.presigned) {
        auto error = s3(403, "AccessDenied", "Request is not yet valid");
        error.details = {{"X-Amz-Date", std::to_string(unix_seconds(claim.signed_at) * 1'000)},
                         {"Expires", format_rfc3339(claim.signed_at + claim.expires)},
                         {"ServerTime", format_rfc3339(failure.now)}};
        return error;
    }
    auto error = s3(403, "RequestTimeTooSkewed",
                    "The difference between the request time and the current time is too large.");
    error.details = {{"RequestTime", claim.timestamp},
                     {"ServerTime", format_rfc3339(failure.now)},
                     {"MaxAllowedSkewMilliseconds", "900000"}};
    return error;
}

AwsError s3_expiry(std::string_view detail) {
    if (detail == "week") {
        return s3(
            400, "AuthorizationQueryParametersError",
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must "
            "be less than 604800 seconds");
    }
    return s3(
        400, "AuthorizationQueryParametersError",
        detail == "negative" ? "X-Amz-Expires must be non-negative" : "X-Amz-Expires should be a number");
}

AwsError s3_malformed(const SignatureFailure& failure) {
    const auto& sigv4_error = failure.error;
    bool presigned = is_presigned(failure);
    if (sigv4_error.fault == SigV4Fault::incomplete && presigned) {
        return s3(400, "AuthorizationQueryParametersError",
                  "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                  "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
    }
    if (sigv4_error.fault == SigV4Fault::incomplete) {
        return s3(400, "AuthorizationHeaderMalformed",
                  "The authorization header is malformed; the authorization component \"" +
                      sigv4_error.detail.substr(0, sigv4_error.detail.find(',')) + "\" is missing.");
    }
    if (sigv4_error.detail.starts_with("Credential ")) {
        return s3_credential_error(presigned,
                                   "the Credential is mal-formed; expecting "
                                   "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    }
    if (presigned) {
        bool has_prefix = sigv4_error.detail.starts_with("X-Amz-");
        return s3(400, "AuthorizationQueryParametersError",
                  "Error parsing the " + (has_prefix ? "" : std::string("X-Amz-")) + sigv4_error.detail +
                      " parameter.");
    }
    return s3(400, "AuthorizationHeaderMalformed",
              "The authorization header is malformed; " + sigv4_error.part + ".");
}

AwsError s3_unsupported(const SignatureFailure& failure) {
    if (is_presigned(failure)) {
        return s3(400, "AuthorizationQueryParametersError",
                  "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"");
    }
    if (failure.error.detail == "AWS") {
        return s3(400, "InvalidRequest",
                  "The authorization mechanism you have provided is not supported. Please use "
                  "AWS4-HMAC-SHA256.");
    }
    return s3(400, "InvalidArgument", "Unsupported Authorization Type");
}

AwsError s3_scope_date(const SignatureFailure& failure) {
    std::string_view both = failure.error.detail;
    auto what =
        fmt::format("Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
                    both.substr(0, 8), both.substr(9, 8));
    if (is_presigned(failure)) return s3(400, "AuthorizationQueryParametersError", what);
    return s3_credential_error(false, what);
}

AwsError s3_signature_error(const SignatureFailure& failure) {
    const auto& detail = failure.error.detail;
    switch (failure.error.fault) {
        case SigV4Fault::unsupported: return s3_unsupported(failure);
        case SigV4Fault::incomplete:
        case SigV4Fault::malformed: return s3_malformed(failure);
        case SigV4Fault::date_malformed:
            return s3(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
        case SigV4Fault::scope_date_mismatch: return s3_scope_date(failure);
        case SigV4Fault::header_not_signed: {
            auto error =
                s3(403, "AccessDenied", "There were headers present in the request which were not signed");
            error.details = {{"HeadersNotSigned", detail}};
            return error;
        }
        case SigV4Fault::too_old:
        case SigV4Fault::too_new:
        case SigV4Fault::expired: return s3_time(failure);
        case SigV4Fault::expiry_invalid: return s3_expiry(detail);
        case SigV4Fault::header_missing:
        case SigV4Fault::signature: break;
    }
    return s3_mismatch(failure);
}

// "Signature expired: A is now earlier than B (C - 15 min.)"
std::string skew_message(const SignatureFailure& failure) {
    using namespace std::chrono_literals;
    auto now = aws::format_sigv4_time(failure.now);
    if (failure.error.fault == SigV4Fault::too_new) {
        return fmt::format("Signature not yet current: {} is still later than {} ({} + 15 min.)",
                           failure.claim->timestamp, aws::format_sigv4_time(failure.now + 15min), now);
    }
    auto limit = failure.claim->presigned ? failure.now - failure.claim->expires : failure.now - 15min;
    return fmt::format("Signature expired: {} is now earlier than {} ({} - {} min.)",
                       failure.claim->timestamp, aws::format_sigv4_time(limit), now,
                       failure.claim->presigned ? failure.claim->expires.count() / 60 : 15);
}

// "Authorization header requires 'Credential' parameter. …"
std::string incomplete_message(std::string_view missing) {
    std::string message;
    while (!missing.empty()) {
        auto name = missing.substr(0, missing.find(','));
        missing.remove_prefix(std::min(name.size() + 1, missing.size()));
        message += fmt::format("Authorization header requires '{}' parameter. ", name);
    }
    return message + "Authorization=AWS4-HMAC-SHA256";
}

std::string malformed_message(const aws::SigV4Error& sigv4_error) {
    constexpr std::string_view credential = "Credential ";
    if (!sigv4_error.detail.starts_with(credential)) return sigv4_error.part + ".";
    return "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
           "got '" +
           sigv4_error.detail.substr(credential.size()) + "'";
}

}  // namespace

AwsError not_signed(Protocol protocol) {
    if (is_s3(protocol)) return s3(403, "AccessDenied", "Access Denied");
    if (is_json(protocol))
        return {.status = 400,
                .code = "MissingAuthenticationTokenException",
                .message = "Missing Authentication Token"};
    return s3(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
}

AwsError unknown_access_key(Protocol protocol, std::string_view access_key_id) {
    if (is_s3(protocol)) {
        auto error = s3(403, "InvalidAccessKeyId",
                        "The AWS Access Key Id you provided does not exist in our records.");
        error.details = {{"AWSAccessKeyId", std::string(access_key_id)}};
        return error;
    }
    return make_error(protocol, "InvalidClientTokenId", "UnrecognizedClientException",
                      "The security token included in the request is invalid.");
}

AwsError invalid_session_token(Protocol protocol, std::string_view token) {
    if (is_s3(protocol)) {
        auto error = s3(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
        error.details = {{"Token-0", std::string(token)}};
        return error;
    }
    return make_error(protocol, "InvalidClientTokenId", "UnrecognizedClientException",
                      "The security token included in the request is invalid.");
}

AwsError expired_session_token(Protocol protocol, std::string_view token) {
    if (is_s3(protocol)) {
        auto error = s3(400, "ExpiredToken", "The provided token has expired.");
        error.details = {{"Token-0", std::string(token)}};
        return error;
    }
    return make_error(protocol, "ExpiredToken", "ExpiredTokenException",
                      "The security token included in the request is expired");
}

AwsError wrong_region(Protocol protocol, const aws::SigV4Claim& claim, std::string_view expected) {
    if (is_s3(protocol)) {
        auto error = s3_credential_error(
            claim.presigned, fmt::format("the region '{}' is wrong; expecting '{}'", claim.region, expected));
        error.details = {{"Region", std::string(expected)}};
        return error;
    }
    return make_error(protocol, "SignatureDoesNotMatch", "InvalidSignatureException",
                      fmt::format("Credential should be scoped to a valid region, not '{}'. ", claim.region));
}

AwsError wrong_service(Protocol protocol, const aws::SigV4Claim& claim, std::string_view expected) {
    if (is_s3(protocol)) {
        return s3_credential_error(claim.presigned,
                                   fmt::format("incorrect service \"{}\". This endpoint belongs to \"{}\".",
                                               claim.service, expected));
    }
    return make_error(protocol, "SignatureDoesNotMatch", "InvalidSignatureException",
                      fmt::format("Credential should be scoped to correct service: '{}'. ", expected));
}

AwsError access_denied(Protocol protocol, std::string message) {
    return make_error(protocol, "AccessDenied", "AccessDeniedException", std::move(message));
}

AwsError body_too_large(Protocol protocol, std::size_t max_bytes) {
    if (is_s3(protocol)) {
        auto error = s3(400, "MaxMessageLengthExceeded", "Your request was too big.");
        error.details = {{"MaxMessageLengthBytes", std::to_string(max_bytes)}};
        return error;
    }
    return {.status = 413,
            .code = is_json(protocol) ? "RequestEntityTooLargeException" : "RequestEntityTooLarge",
            .message = fmt::format("Request must be smaller than {} bytes.", max_bytes)};
}

AwsError hash_mismatch(Protocol protocol, std::string_view given, std::string_view computed) {
    if (is_s3(protocol)) {
        auto error = s3(400, "XAmzContentSHA256Mismatch",
                        "The provided 'x-amz-content-sha256' header does not match what was computed.");
        error.details = {{"ClientComputedContentSHA256", std::string(given)},
                         {"S3ComputedContentSHA256", std::string(computed)}};
        return error;
    }
    return make_error(protocol, "SignatureDoesNotMatch", "InvalidSignatureException", std::string(mismatch));
}

AwsError internal_failure(Protocol protocol, std::string cause) {
    if (is_s3(protocol)) {
        auto error = s3(500, "InternalError", "We encountered an internal error. Please try again.");
        error.cause = std::move(cause);
        return error;
    }
    return {.status = 500,
            .code = "InternalFailure",
            .message = "The request processing has failed because of an unknown error.",
            .cause = std::move(cause)};
}

AwsError signature_error(Protocol protocol, const SignatureFailure& failure) {
    if (is_s3(protocol)) return s3_signature_error(failure);
    const auto& part = failure.error.part;
    const auto& detail = failure.error.detail;
    switch (failure.error.fault) {
        case SigV4Fault::incomplete:
            return make_error(protocol, "IncompleteSignature", "IncompleteSignatureException",
                              incomplete_message(detail));
        case SigV4Fault::unsupported:
            return make_error(protocol, "IncompleteSignature", "IncompleteSignatureException",
                              "Unsupported AWS 'algorithm': '" + detail + "'");
        case SigV4Fault::malformed:
            return make_error(protocol, "IncompleteSignature", "IncompleteSignatureException",
                              malformed_message(failure.error));
        case SigV4Fault::date_malformed:
            return make_error(protocol, "IncompleteSignature", "IncompleteSignatureException",
                              "Date must be in ISO-8601 'basic format'. Got '" + detail +
                                  "'. See http://en.wikipedia.org/wiki/ISO_8601");
        case SigV4Fault::scope_date_mismatch:
            return make_error(
                protocol, "SignatureDoesNotMatch", "InvalidSignatureException",
                fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                            "from HTTP: '{}' != '{}', from '{}'.",
                            detail.substr(0, 8), detail.substr(9, 8), detail.substr(9)));
        case SigV4Fault::header_not_signed:
            return make_error(protocol, "SignatureDoesNotMatch", "InvalidSignatureException",
                              "'" + detail + "' must be a 'SignedHeader' in the AWS Authorization.");
        case SigV4Fault::too_old:
        case SigV4Fault::too_new:
        case SigV4Fault::expired:
            return make_error(protocol, "SignatureDoesNotMatch", "InvalidSignatureException",
                              skew_message(failure));
        case SigV4Fault::expiry_invalid:
            return make_error(protocol, "SignatureDoesNotMatch", "InvalidSignatureException", part + ".");
        case SigV4Fault::header_missing:
        case SigV4Fault::signature: break;
    }
    return make_error(protocol, "SignatureDoesNotMatch", "InvalidSignatureException", std::string(mismatch));
}

AwsError chunked_body_error(const aws::ChunkedBodyError& body_error) {
    using Kind = aws::ChunkedBodyError::Kind;
    auto error = [&]() -> AwsError {
        switch (body_error.kind) {
            case Kind::malformed: break;
            case Kind::chunk_too_small:
                return s3(403, "InvalidChunkSizeError",
                          "Only the last chunk is allowed to have a size less than 8192 bytes");
            case Kind::chunk_signature:
            case Kind::trailer_signature:
                return s3(403, "SignatureDoesNotMatch",
                          "The request signature we calculated does not match the signature you provided. "
                          "Check your key and signing method.");
            case Kind::trailer_malformed:
                return s3(
                    400, "MalformedTrailerError",
                    "The request contained trailing data that was not well-formed or did not conform to "
                    "our published schema.");
            case Kind::length: return s3(400, "IncompleteBody", "The request body terminated unexpectedly");
        }
        return s3(400, "IncompleteBody", "The request body terminated unexpectedly");
    }();
    error.cause = body_error.part;
    return error;
}

AwsError unknown_operation(Protocol protocol, std::string_view operation, std::string_view service,
                           std::string_view supported) {
    auto message = fmt::format(
        "The local cloud does not offer {} of {}. It offers: {}. See docs/reference/local-cloud.md.",
        operation, service, supported);
    if (is_s3(protocol)) return s3(501, "NotImplemented", std::move(message));
    if (is_json(protocol))
        return {.status = 400, .code = "UnknownOperationException", .message = std::move(message)};
    return s3(400, "InvalidAction", std::move(message));
}

}  // namespace integreat::cloud
