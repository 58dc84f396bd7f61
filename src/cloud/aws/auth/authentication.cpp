// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/auth/authentication.h"

#include "cloud/aws/auth/payload.h"
#include "cloud/aws/protocol/error_responses.h"
#include "crypto/encoding.h"

namespace integreat::cloud {

namespace {

using aws::SigV4Claim;
using aws::SigV4Refusal;

// IAM and STS are global: their credentials are scoped to us-east-1, whatever region the rest is in.
bool fits_region(const Exchange& exchange, std::string_view region) {
    if (region == exchange.front.settings.region) return true;
    return exchange.api->protocol == Protocol::query && region == "us-east-1";
}

AwsError refuse(Exchange& exchange, AwsError error, std::string part) {
    exchange.part = std::move(part);
    return error;
}

AwsError refuse(Exchange& exchange, const SigV4Refusal& refusal, const SigV4Claim* claim,
                std::string_view string_to_sign = {}) {
    exchange.part = refusal.part;
    return bad_signature(exchange.api->protocol, {.refusal = refusal,
                                                  .claim = claim,
                                                  .now = exchange.front.clock.now(),
                                                  .string_to_sign = string_to_sign});
}

AwsError refuse(Exchange& exchange, KeyTrouble trouble, const SigV4Claim& claim) {
    auto protocol = exchange.api->protocol;
    switch (trouble) {
        case KeyTrouble::unknown_key: break;
        case KeyTrouble::invalid_token:
            return refuse(exchange, invalid_session_token(protocol, claim.security_token),
                          "the session token: missing, changed, or not of this access key");
        case KeyTrouble::expired_token:
            return refuse(exchange, expired_session_token(protocol, claim.security_token),
                          "the session token has expired");
    }
    return refuse(exchange, unknown_access_key(protocol, claim.access_key_id),
                  "the access key " + claim.access_key_id + " is not known, or is not active");
}

// Everything about a claim but its signature; the credentials if all is well.
std::variant<Credentials, AwsError> check_claim(Exchange& exchange, const SigV4Claim& claim) {
    const auto& front = exchange.front;
    auto protocol = exchange.api->protocol;
    exchange.caller.access_key_id = claim.access_key_id;
    exchange.region = claim.region;
    if (auto refusal = check_sigv4_time(claim, front.clock.now())) return refuse(exchange, *refusal, &claim);
    if (claim.service != exchange.api->signing_name) {
        return refuse(exchange, wrong_service(protocol, claim, exchange.api->signing_name),
                      "the service of the scope is " + claim.service);
    }
    if (!fits_region(exchange, claim.region)) {
        return refuse(exchange, wrong_region(protocol, claim, front.settings.region),
                      "the region of the scope is " + claim.region);
    }
    auto credentials = front.find_credentials(claim.access_key_id, claim.security_token);
    if (auto* trouble = std::get_if<KeyTrouble>(&credentials)) return refuse(exchange, *trouble, claim);
    return std::get<Credentials>(std::move(credentials));
}

std::optional<AwsError> check(Exchange& exchange, const SignedHead& head, crypto::Sha256* key_for_chunks) {
    if (auto* refusal = std::get_if<SigV4Refusal>(&head.reading)) return refuse(exchange, *refusal, nullptr);
    const auto& claim = *head.claim();
    bool s3 = exchange.api->protocol == Protocol::rest_xml;
    std::string payload_hash;
    if (s3) {
        auto declared = declared_payload(exchange, claim);
        if (auto* error = std::get_if<AwsError>(&declared)) return std::move(*error);
        payload_hash = std::get<std::string>(std::move(declared));
    } else {
        payload_hash = crypto::hex_encode(crypto::as_view(crypto::sha256(exchange.request.body)));
    }
    auto checked = check_claim(exchange, claim);
    if (auto* error = std::get_if<AwsError>(&checked)) return std::move(*error);
    auto& credentials = std::get<Credentials>(checked);
    auto key = exchange.front.signing_keys->find(claim, credentials.secret_key);
    aws::SigV4Expectation expected{
        head.message, claim, s3 ? aws::SigV4Path::as_sent : aws::SigV4Path::encoded_again, payload_hash};
    if (auto refusal = check_sigv4(expected, key)) {
        return refuse(exchange, *refusal, &claim, aws::string_to_sign(claim, refusal->detail));
    }
    if (key_for_chunks) *key_for_chunks = key;
    exchange.caller = std::move(credentials.caller);
    exchange.caller.access_key_id = claim.access_key_id;
    return std::nullopt;
}

}  // namespace

SignedHead read_signed_head(const http::Request& request) {
    SignedHead head;
    head.fields.reserve(request.headers.size());
    for (auto field : request.headers)
        head.fields.push_back({field.name, field.value});
    head.message = {http::to_string(request.method), request.path(), request.query(), head.fields};
    head.reading = aws::parse_sigv4(head.message);
    return head;
}

std::optional<AwsError> authenticate(Exchange& exchange, const SignedHead& head,
                                     crypto::Sha256* signing_key) {
    auto signing = exchange.operation->signing;
    if (signing == Signing::none) return std::nullopt;
    std::optional<AwsError> error;
    if (!std::holds_alternative<std::monostate>(head.reading)) {
        error = check(exchange, head, signing_key);
    } else if (signing == Signing::required) {
        error = refuse(exchange, not_signed(exchange.api->protocol), "the request is not signed");
    }
    if (!error || exchange.front.settings.enforce) return error;
    exchange.caller.who = policy::root(exchange.front.settings.account);
    return std::nullopt;
}

std::optional<AwsError> authenticate_form(Exchange& exchange, const SignedForm& form) {
    SigV4Claim claim;
    claim.timestamp = form.date;
    claim.signature = form.signature;
    claim.security_token = form.security_token;
    auto refuse_form = [&](aws::SigV4Fault fault, std::string part, std::string detail) {
        return refuse(exchange, SigV4Refusal{fault, std::move(part), std::move(detail)}, &claim);
    };
    if (form.algorithm != "AWS4-HMAC-SHA256") {
        return refuse_form(aws::SigV4Fault::unsupported, "x-amz-algorithm is not AWS4-HMAC-SHA256", "AWS");
    }
    if (auto refusal = aws::read_credential(form.credential, claim))
        return refuse(exchange, *refusal, &claim);
    auto time = aws::parse_sigv4_time(form.date);
    if (!time) return refuse_form(aws::SigV4Fault::date_malformed, "x-amz-date is no time", form.date);
    if (form.date.substr(0, 8) != claim.date) {
        return refuse_form(aws::SigV4Fault::date_of_scope, "the scope is of another day", claim.date);
    }
    // How long it is good for is the policy's own `expiration`; the key must not be older than a week.
    claim.signed_at = *time;
    claim.presigned = true;
    claim.expires = std::chrono::hours(7 * 24);
    auto checked = check_claim(exchange, claim);
    if (auto* error = std::get_if<AwsError>(&checked)) return std::move(*error);
    auto& credentials = std::get<Credentials>(checked);
    auto key = exchange.front.signing_keys->find(claim, credentials.secret_key);
    if (!equal_in_constant_time(aws::sign_text(key, form.policy), form.signature)) {
        return refuse_form(aws::SigV4Fault::signature,
                           "the signature of the form: the policy was changed, or the secret key is another",
                           "");
    }
    exchange.caller = std::move(credentials.caller);
    exchange.caller.access_key_id = claim.access_key_id;
    return std::nullopt;
}

}  // namespace integreat::cloud
