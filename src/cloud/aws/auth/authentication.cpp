// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/auth/authentication.h"

#include "cloud/aws/auth/payload.h"
#include "cloud/aws/protocol/error_responses.h"
#include "crypto/encoding.h"

namespace integreat::cloud {

namespace {

using aws::SigV4Claim;
using aws::SigV4Error;

// IAM and STS are global services: their credential scope is us-east-1 in every region.
bool is_valid_region(const OperationContext& context, std::string_view region) {
    if (region == context.frontend.settings.region) return true;
    return context.api->protocol == Protocol::query && region == "us-east-1";
}

AwsError fail(OperationContext& context, AwsError error, std::string part) {
    context.failed_part = std::move(part);
    return error;
}

AwsError fail(OperationContext& context, const SigV4Error& sigv4_error, const SigV4Claim* claim,
              std::string_view string_to_sign = {}) {
    context.failed_part = sigv4_error.part;
    return signature_error(context.api->protocol, {.error = sigv4_error,
                                                   .claim = claim,
                                                   .now = context.frontend.clock.now(),
                                                   .string_to_sign = string_to_sign});
}

AwsError fail(OperationContext& context, CredentialError error, const SigV4Claim& claim) {
    auto protocol = context.api->protocol;
    switch (error) {
        case CredentialError::unknown_key: break;
        case CredentialError::invalid_token:
            return fail(context, invalid_session_token(protocol, claim.security_token),
                        "the session token is missing, changed, or issued for another access key");
        case CredentialError::expired_token:
            return fail(context, expired_session_token(protocol, claim.security_token),
                        "the session token has expired");
    }
    return fail(context, unknown_access_key(protocol, claim.access_key_id),
                "the access key " + claim.access_key_id + " is unknown or inactive");
}

// Checks everything in a claim except its signature and returns the credentials.
std::variant<Credentials, AwsError> check_claim(OperationContext& context, const SigV4Claim& claim) {
    const auto& frontend = context.frontend;
    auto protocol = context.api->protocol;
    context.caller.access_key_id = claim.access_key_id;
    context.region = claim.region;
    if (auto sigv4_error = check_sigv4_time(claim, frontend.clock.now()))
        return fail(context, *sigv4_error, &claim);
    if (claim.service != context.api->signing_name) {
        return fail(context, wrong_service(protocol, claim, context.api->signing_name),
                    "the service in the scope is " + claim.service);
    }
    if (!is_valid_region(context, claim.region)) {
        return fail(context, wrong_region(protocol, claim, frontend.settings.region),
                    "the region in the scope is " + claim.region);
    }
    auto credentials = frontend.find_credentials(claim.access_key_id, claim.security_token);
    if (auto* error = std::get_if<CredentialError>(&credentials)) return fail(context, *error, claim);
    return std::get<Credentials>(std::move(credentials));
}

std::optional<AwsError> verify_signature(OperationContext& context, const SignedHead& head,
                                         crypto::Sha256* key_for_chunks) {
    if (auto* sigv4_error = std::get_if<SigV4Error>(&head.signature))
        return fail(context, *sigv4_error, nullptr);
    const auto& claim = *head.claim();
    bool s3 = context.api->protocol == Protocol::rest_xml;
    std::string payload_hash;
    if (s3) {
        auto declared = parse_declared_payload(context, claim);
        if (auto* error = std::get_if<AwsError>(&declared)) return std::move(*error);
        payload_hash = std::get<std::string>(std::move(declared));
    } else {
        payload_hash = crypto::hex_encode(crypto::as_view(crypto::sha256(context.request.body)));
    }
    auto checked = check_claim(context, claim);
    if (auto* error = std::get_if<AwsError>(&checked)) return std::move(*error);
    auto& credentials = std::get<Credentials>(checked);
    auto key = context.frontend.signing_keys->find(claim, credentials.secret_key);
    aws::SigV4SigningInput expected{
        head.message, claim, s3 ? aws::SigV4PathEncoding::once : aws::SigV4PathEncoding::twice, payload_hash};
    if (auto sigv4_error = check_sigv4(expected, key)) {
        return fail(context, *sigv4_error, &claim, aws::string_to_sign(claim, sigv4_error->detail));
    }
    if (key_for_chunks) *key_for_chunks = key;
    context.caller = std::move(credentials.caller);
    context.caller.access_key_id = claim.access_key_id;
    return std::nullopt;
}

}  // namespace

SignedHead parse_signed_head(const http::Request& request) {
    SignedHead head;
    head.fields.reserve(request.headers.size());
    for (auto field : request.headers)
        head.fields.push_back({field.name, field.value});
    head.message = {http::to_string(request.method), request.path(), request.query(), head.fields};
    head.signature = aws::parse_sigv4(head.message);
    return head;
}

std::optional<AwsError> authenticate(OperationContext& context, const SignedHead& head,
                                     crypto::Sha256* signing_key) {
    auto signing = context.operation->signing;
    if (signing == Signing::none) return std::nullopt;
    std::optional<AwsError> error;
    if (!std::holds_alternative<std::monostate>(head.signature)) {
        error = verify_signature(context, head, signing_key);
    } else if (signing == Signing::required) {
        error = fail(context, not_signed(context.api->protocol), "the request is not signed");
    }
    if (!error || context.frontend.settings.enforce) return error;
    context.caller.principal = policy::root(context.frontend.settings.account);
    return std::nullopt;
}

AwsResult<> authenticate_form(OperationContext& context, const SignedForm& form) {
    SigV4Claim claim;
    claim.timestamp = form.date;
    claim.signature = form.signature;
    claim.security_token = form.security_token;
    auto fail_form = [&](aws::SigV4Fault fault, std::string part, std::string detail) {
        return fail(context, SigV4Error{fault, std::move(part), std::move(detail)}, &claim);
    };
    if (form.algorithm != "AWS4-HMAC-SHA256") {
        return fail_form(aws::SigV4Fault::unsupported, "x-amz-algorithm is not AWS4-HMAC-SHA256", "AWS");
    }
    if (auto sigv4_error = aws::parse_sigv4_credential(form.credential, claim))
        return fail(context, *sigv4_error, &claim);
    auto time = aws::parse_sigv4_time(form.date);
    if (!time) return fail_form(aws::SigV4Fault::date_malformed, "x-amz-date is not a valid time", form.date);
    if (form.date.substr(0, 8) != claim.date) {
        return fail_form(aws::SigV4Fault::scope_date_mismatch,
                         "the date in the scope differs from x-amz-date", claim.date);
    }
    // The policy's `expiration` limits its lifetime; the signing key must not be older than a week.
    claim.signed_at = *time;
    claim.presigned = true;
    claim.expires = std::chrono::hours(7 * 24);
    auto checked = check_claim(context, claim);
    if (auto* error = std::get_if<AwsError>(&checked)) return std::move(*error);
    auto& credentials = std::get<Credentials>(checked);
    auto key = context.frontend.signing_keys->find(claim, credentials.secret_key);
    if (!equal_in_constant_time(aws::sign_string(key, form.policy), form.signature)) {
        return fail_form(
            aws::SigV4Fault::signature,
            "the signature of the form does not match: the policy was changed, or the secret key is wrong",
            "");
    }
    context.caller = std::move(credentials.caller);
    context.caller.access_key_id = claim.access_key_id;
    return {};
}

}  // namespace integreat::cloud
