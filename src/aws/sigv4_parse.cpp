// SPDX-License-Identifier: Apache-2.0
// From bytes of a client to a SigV4Claim. Every length is bounded by what the transport accepted as a head.
#include <algorithm>
#include <charconv>
#include <map>

#include "aws/sigv4.h"
#include "aws/sigv4_text.h"

namespace integreat::aws {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
constexpr std::size_t access_key_bytes_max = 128;
constexpr std::size_t signed_headers_max = 100;

using Parameters = std::map<std::string, std::string, std::less<>>;

SigV4Refusal refuse(SigV4Fault fault, std::string part, std::string detail = {}) {
    return {fault, std::move(part), std::move(detail)};
}

bool is_word(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '_' || c == '.' || c == ':' || c == '*';
    });
}

bool all_digits(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<SigV4Refusal> read_signed_headers(std::string_view text, SigV4Claim& claim) {
    for (std::size_t begin = 0; begin <= text.size();) {
        auto end = std::min(text.find(';', begin), text.size());
        auto name = text.substr(begin, end - begin);
        bool lower = std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
        if (name.empty() || !lower || claim.signed_headers.size() == signed_headers_max) {
            return refuse(SigV4Fault::malformed,
                          "SignedHeaders is no list of at most 100 lower-case names with ';' between",
                          "SignedHeaders");
        }
        claim.signed_headers.emplace_back(name);
        begin = end + 1;
    }
    if (!std::ranges::is_sorted(claim.signed_headers)) {
        return refuse(SigV4Fault::malformed, "SignedHeaders is not in alphabetical order", "SignedHeaders");
    }
    return std::nullopt;
}

std::optional<SigV4Refusal> read_signature(std::string_view text, SigV4Claim& claim) {
    bool hexadecimal = text.size() == 64 && std::ranges::all_of(text, [](char c) {
                           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                       });
    // Of the right form or not, a wrong signature is answered as one that does not match.
    if (!hexadecimal) {
        return refuse(SigV4Fault::signature, "the signature is not 64 lower-case hexadecimal digits");
    }
    claim.signature = text;
    return std::nullopt;
}

std::optional<SigV4Refusal> read_time(std::string_view timestamp, SigV4Claim& claim) {
    auto time = parse_sigv4_time(timestamp);
    if (!time) {
        return refuse(SigV4Fault::date_malformed, "X-Amz-Date is not of the form 20261122T081500Z",
                      std::string(timestamp.substr(0, 64)));
    }
    claim.timestamp = timestamp;
    claim.signed_at = *time;
    if (timestamp.substr(0, 8) != claim.date) {
        return refuse(
            SigV4Fault::date_of_scope,
            "the scope is of " + claim.date + ", the request of " + std::string(timestamp.substr(0, 8)),
            claim.date + " " + claim.timestamp);
    }
    return std::nullopt;
}

// What the signer has to have signed, so that nobody adds to the request what was not meant.
std::optional<SigV4Refusal> check_signed_headers(const SigV4Message& message, const SigV4Claim& claim) {
    auto is_signed = [&](std::string_view name) {
        return std::ranges::any_of(claim.signed_headers,
                                   [&](const std::string& known) { return equal_names(known, name); });
    };
    if (!is_signed("host")) {
        return refuse(SigV4Fault::header_not_signed, "the header host is not signed", "host");
    }
    for (const auto& field : message.headers) {
        if (!starts_with_name(field.name, "x-amz-") || is_signed(field.name)) continue;
        auto name = lower_case(field.name);
        if (claim.presigned && name == "x-amz-content-sha256") continue;  // Says nothing that is not checked.
        return refuse(SigV4Fault::header_not_signed, "the header " + name + " is not signed", name);
    }
    for (const auto& name : claim.signed_headers) {
        if (find_field(message, name)) continue;
        return refuse(SigV4Fault::header_missing, "the signed header " + name + " is not in the request",
                      name);
    }
    return std::nullopt;
}

// "Credential=…, SignedHeaders=…, Signature=…", commas with or without a space after them.
Parameters split_authorization(std::string_view text) {
    Parameters parameters;
    while (!text.empty()) {
        auto end = std::min(text.find(','), text.size());
        auto piece = trim(text.substr(0, end));
        auto equals = std::min(piece.find('='), piece.size());
        auto value = equals < piece.size() ? piece.substr(equals + 1) : std::string_view();
        parameters.emplace(piece.substr(0, equals), value);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parameters;
}

SigV4Reading read_header(const SigV4Message& message, std::string_view authorization) {
    auto scheme = authorization.substr(0, authorization.find(' '));
    if (scheme != algorithm) {
        return refuse(SigV4Fault::unsupported, "Authorization does not begin with AWS4-HMAC-SHA256",
                      std::string(scheme.substr(0, 32)));
    }
    auto rest = authorization.substr(scheme.size());
    auto parameters = split_authorization(rest);
    std::string missing;
    for (const char* name : {"Credential", "Signature", "SignedHeaders"}) {
        if (parameters[name].empty()) missing += (missing.empty() ? "" : ",") + std::string(name);
    }
    if (!missing.empty()) {
        return refuse(SigV4Fault::incomplete, "Authorization lacks " + missing, missing);
    }
    SigV4Claim claim;
    if (auto refusal = read_credential(parameters["Credential"], claim)) return *std::move(refusal);
    if (auto refusal = read_signed_headers(parameters["SignedHeaders"], claim)) return *std::move(refusal);
    auto timestamp = find_field(message, "x-amz-date");
    if (!timestamp) {
        return refuse(SigV4Fault::date_malformed, "the header X-Amz-Date is not in the request");
    }
    if (auto refusal = read_time(*timestamp, claim)) return *std::move(refusal);
    if (auto refusal = read_signature(parameters["Signature"], claim)) return *std::move(refusal);
    if (auto refusal = check_signed_headers(message, claim)) return *std::move(refusal);
    claim.security_token = find_field(message, "x-amz-security-token").value_or("");
    return claim;
}

std::optional<SigV4Refusal> read_expiry(std::string_view text, SigV4Claim& claim) {
    std::int64_t seconds = -1;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failure != std::errc() || end != text.data() + text.size()) {
        return refuse(SigV4Fault::expiry_invalid, "X-Amz-Expires is no number", "number");
    }
    if (seconds < 0) return refuse(SigV4Fault::expiry_invalid, "X-Amz-Expires is negative", "negative");
    claim.expires = std::chrono::seconds(std::min<std::int64_t>(seconds, 100'000'000));
    return std::nullopt;
}

SigV4Reading read_query(const SigV4Message& message) {
    Parameters parameters;
    for (auto& [name, value] : decode_query(message.query)) {
        if (!name.starts_with("X-Amz-")) continue;
        if (!parameters.emplace(name, value).second) {
            return refuse(SigV4Fault::malformed, name + " is in the query twice", name);
        }
    }
    if (parameters["X-Amz-Algorithm"] != algorithm) {
        return refuse(SigV4Fault::unsupported, "X-Amz-Algorithm is not AWS4-HMAC-SHA256",
                      parameters["X-Amz-Algorithm"].substr(0, 32));
    }
    for (const char* name :
         {"X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"}) {
        if (parameters[name].empty()) {
            return refuse(SigV4Fault::incomplete, std::string("the query lacks ") + name, name);
        }
    }
    SigV4Claim claim;
    claim.presigned = true;
    if (auto refusal = read_credential(parameters["X-Amz-Credential"], claim)) return *std::move(refusal);
    if (auto refusal = read_signed_headers(parameters["X-Amz-SignedHeaders"], claim))
        return *std::move(refusal);
    if (auto refusal = read_time(parameters["X-Amz-Date"], claim)) return *std::move(refusal);
    if (auto refusal = read_expiry(parameters["X-Amz-Expires"], claim)) return *std::move(refusal);
    if (auto refusal = read_signature(parameters["X-Amz-Signature"], claim)) return *std::move(refusal);
    if (auto refusal = check_signed_headers(message, claim)) return *std::move(refusal);
    claim.security_token = parameters["X-Amz-Security-Token"];
    return claim;
}

}  // namespace

std::optional<SigV4Refusal> read_credential(std::string_view credential, SigV4Claim& claim) {
    std::array<std::string_view, 5> parts;
    std::size_t count = 0;
    auto malformed = refuse(SigV4Fault::malformed,
                            "the credential is not of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request",
                            "Credential " + std::string(credential.substr(0, 256)));
    for (std::size_t begin = 0; begin <= credential.size(); ++count) {
        auto end = std::min(credential.find('/', begin), credential.size());
        if (count == parts.size()) return malformed;
        parts[count] = credential.substr(begin, end - begin);
        begin = end + 1;
    }
    if (count != parts.size() || parts[4] != "aws4_request") return malformed;
    bool fits = parts[1].size() == 8 && all_digits(parts[1]) && is_word(parts[0]) && is_word(parts[2]) &&
                is_word(parts[3]) && parts[0].size() <= access_key_bytes_max && parts[2].size() <= 64 &&
                parts[3].size() <= 64;
    if (!fits) return malformed;
    claim.access_key_id = parts[0];
    claim.date = parts[1];
    claim.region = parts[2];
    claim.service = parts[3];
    return std::nullopt;
}

SigV4Reading parse_sigv4(const SigV4Message& message) {
    if (auto authorization = find_field(message, "authorization")) {
        return read_header(message, *authorization);
    }
    if (message.query.find("X-Amz-Algorithm=") != std::string_view::npos ||
        message.query.find("X-Amz-Signature=") != std::string_view::npos) {
        auto reading = read_query(message);
        if (auto* refusal = std::get_if<SigV4Refusal>(&reading)) refusal->presigned = true;
        return reading;
    }
    return std::monostate();
}

}  // namespace integreat::aws
