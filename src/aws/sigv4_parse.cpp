// SPDX-License-Identifier: Apache-2.0
#include "aws/sigv4_parse.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "aws/sigv4_canonical.h"

namespace integreat::aws {

namespace {

constexpr std::size_t access_key_bytes_max = 128;
constexpr std::size_t signed_headers_max = 100;

using Parameters = std::map<std::string, std::string, std::less<>>;

SigV4Error make_error(SigV4Fault fault, std::string part, std::string detail = {}) {
    return {fault, std::move(part), std::move(detail)};
}

bool is_word(std::string_view text) {
    auto is_allowed = [](char c) {
        return is_alnum(c) || std::string_view("-_.:*").find(c) != std::string_view::npos;
    };
    return !text.empty() && std::ranges::all_of(text, is_allowed);
}

std::optional<SigV4Error> parse_signed_headers(std::string_view text, SigV4Claim& claim) {
    for (std::size_t begin = 0; begin <= text.size();) {
        auto end = std::min(text.find(';', begin), text.size());
        auto name = text.substr(begin, end - begin);
        bool lower = std::ranges::none_of(name, is_upper);
        if (name.empty() || !lower || claim.signed_headers.size() == signed_headers_max) {
            return make_error(SigV4Fault::malformed,
                              "SignedHeaders is not a list of at most 100 lower-case names separated by ';'",
                              "SignedHeaders");
        }
        claim.signed_headers.emplace_back(name);
        begin = end + 1;
    }
    if (!std::ranges::is_sorted(claim.signed_headers)) {
        return make_error(SigV4Fault::malformed, "SignedHeaders is not in alphabetical order",
                          "SignedHeaders");
    }
    return std::nullopt;
}

std::optional<SigV4Error> parse_signature(std::string_view text, SigV4Claim& claim) {
    bool hexadecimal = text.size() == 64 && std::ranges::all_of(text, [](char c) {
                           return is_digit(c) || (c >= 'a' && c <= 'f');
                       });
    // A malformed signature is reported like one that does not match.
    if (!hexadecimal) {
        return make_error(SigV4Fault::signature, "the signature is not 64 lower-case hexadecimal digits");
    }
    claim.signature = text;
    return std::nullopt;
}

std::optional<SigV4Error> parse_timestamp(std::string_view timestamp, SigV4Claim& claim) {
    auto time = parse_sigv4_time(timestamp);
    if (!time) {
        return make_error(SigV4Fault::date_malformed, "X-Amz-Date is not of the form 20261122T081500Z",
                          std::string(timestamp.substr(0, 64)));
    }
    claim.timestamp = timestamp;
    claim.signed_at = *time;
    if (timestamp.substr(0, 8) != claim.date) {
        return make_error(
            SigV4Fault::scope_date_mismatch,
            "the scope has the date " + claim.date + ", the request " + std::string(timestamp.substr(0, 8)),
            claim.date + " " + claim.timestamp);
    }
    return std::nullopt;
}

// Checks that every header relevant to the service is signed, so that none can be added afterwards.
std::optional<SigV4Error> check_signed_headers(const SigV4Request& request, const SigV4Claim& claim) {
    auto is_signed = [&](std::string_view name) {
        return std::ranges::any_of(claim.signed_headers,
                                   [&](const std::string& other) { return iequals(other, name); });
    };
    if (!is_signed("host")) {
        return make_error(SigV4Fault::header_not_signed, "the header host is not signed", "host");
    }
    for (const auto& header : request.headers) {
        if (!istarts_with(header.name, "x-amz-") || is_signed(header.name)) continue;
        auto name = to_lower(header.name);
        if (claim.presigned && name == "x-amz-content-sha256") continue;  // Its value is verified anyway.
        return make_error(SigV4Fault::header_not_signed, "the header " + name + " is not signed", name);
    }
    for (const auto& name : claim.signed_headers) {
        if (find_header(request, name)) continue;
        return make_error(SigV4Fault::header_missing, "the signed header " + name + " is not in the request",
                          name);
    }
    return std::nullopt;
}

// Parses "Credential=…, SignedHeaders=…, Signature=…", with or without spaces after the commas.
Parameters parse_parameters(std::string_view text) {
    Parameters parameters;
    while (!text.empty()) {
        auto end = std::min(text.find(','), text.size());
        auto parameter = trim(text.substr(0, end));
        auto equals = std::min(parameter.find('='), parameter.size());
        auto value = equals < parameter.size() ? parameter.substr(equals + 1) : std::string_view();
        parameters.emplace(parameter.substr(0, equals), value);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parameters;
}

SigV4ParseResult parse_authorization(const SigV4Request& request, std::string_view authorization) {
    auto scheme = authorization.substr(0, authorization.find(' '));
    if (scheme != sigv4_algorithm) {
        return make_error(SigV4Fault::unsupported, "Authorization does not begin with AWS4-HMAC-SHA256",
                          std::string(scheme.substr(0, 32)));
    }
    auto rest = authorization.substr(scheme.size());
    auto parameters = parse_parameters(rest);
    std::string missing;
    for (const char* name : {"Credential", "Signature", "SignedHeaders"}) {
        if (parameters[name].empty()) missing += (missing.empty() ? "" : ",") + std::string(name);
    }
    if (!missing.empty()) {
        return make_error(SigV4Fault::incomplete, "Authorization lacks " + missing, missing);
    }
    SigV4Claim claim;
    if (auto error = parse_sigv4_credential(parameters["Credential"], claim)) return *std::move(error);
    if (auto error = parse_signed_headers(parameters["SignedHeaders"], claim)) return *std::move(error);
    auto timestamp = find_header(request, "x-amz-date");
    if (!timestamp) {
        return make_error(SigV4Fault::date_malformed, "the header X-Amz-Date is not in the request");
    }
    if (auto error = parse_timestamp(*timestamp, claim)) return *std::move(error);
    if (auto error = parse_signature(parameters["Signature"], claim)) return *std::move(error);
    if (auto error = check_signed_headers(request, claim)) return *std::move(error);
    claim.security_token = find_header(request, "x-amz-security-token").value_or("");
    return claim;
}

std::optional<SigV4Error> parse_expires(std::string_view text, SigV4Claim& claim) {
    std::int64_t seconds = -1;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failure != std::errc() || end != text.data() + text.size()) {
        return make_error(SigV4Fault::expiry_invalid, "X-Amz-Expires is not a number", "number");
    }
    if (seconds < 0) return make_error(SigV4Fault::expiry_invalid, "X-Amz-Expires is negative", "negative");
    claim.expires = std::chrono::seconds(std::min<std::int64_t>(seconds, 100'000'000));
    return std::nullopt;
}

SigV4ParseResult parse_query(const SigV4Request& request) {
    Parameters parameters;
    for (auto& [name, value] : decode_query(request.query)) {
        if (!name.starts_with("X-Amz-")) continue;
        if (!parameters.emplace(name, value).second) {
            return make_error(SigV4Fault::malformed, name + " is in the query twice", name);
        }
    }
    if (parameters["X-Amz-Algorithm"] != sigv4_algorithm) {
        return make_error(SigV4Fault::unsupported, "X-Amz-Algorithm is not AWS4-HMAC-SHA256",
                          parameters["X-Amz-Algorithm"].substr(0, 32));
    }
    for (const char* name :
         {"X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"}) {
        if (parameters[name].empty()) {
            return make_error(SigV4Fault::incomplete, std::string("the query lacks ") + name, name);
        }
    }
    SigV4Claim claim;
    claim.presigned = true;
    if (auto error = parse_sigv4_credential(parameters["X-Amz-Credential"], claim)) return *std::move(error);
    if (auto error = parse_signed_headers(parameters["X-Amz-SignedHeaders"], claim)) return *std::move(error);
    if (auto error = parse_timestamp(parameters["X-Amz-Date"], claim)) return *std::move(error);
    if (auto error = parse_expires(parameters["X-Amz-Expires"], claim)) return *std::move(error);
    if (auto error = parse_signature(parameters["X-Amz-Signature"], claim)) return *std::move(error);
    if (auto error = check_signed_headers(request, claim)) return *std::move(error);
    claim.security_token = parameters["X-Amz-Security-Token"];
    return claim;
}

}  // namespace

std::optional<SigV4Error> parse_sigv4_credential(std::string_view credential, SigV4Claim& claim) {
    std::array<std::string_view, 5> parts;
    std::size_t count = 0;
    auto malformed = make_error(SigV4Fault::malformed,
                                "the credential is not of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request",
                                "Credential " + std::string(credential.substr(0, 256)));
    for (std::size_t begin = 0; begin <= credential.size(); ++count) {
        auto end = std::min(credential.find('/', begin), credential.size());
        if (count == parts.size()) return malformed;
        parts[count] = credential.substr(begin, end - begin);
        begin = end + 1;
    }
    if (count != parts.size() || parts[4] != "aws4_request") return malformed;
    bool valid = parts[1].size() == 8 && is_digits(parts[1]) && is_word(parts[0]) && is_word(parts[2]) &&
                 is_word(parts[3]) && parts[0].size() <= access_key_bytes_max && parts[2].size() <= 64 &&
                 parts[3].size() <= 64;
    if (!valid) return malformed;
    claim.access_key_id = parts[0];
    claim.date = parts[1];
    claim.region = parts[2];
    claim.service = parts[3];
    return std::nullopt;
}

SigV4ParseResult parse_sigv4(const SigV4Request& request) {
    if (auto authorization = find_header(request, "authorization")) {
        return parse_authorization(request, *authorization);
    }
    if (request.query.find("X-Amz-Algorithm=") != std::string_view::npos ||
        request.query.find("X-Amz-Signature=") != std::string_view::npos) {
        auto result = parse_query(request);
        if (auto* error = std::get_if<SigV4Error>(&result)) error->presigned = true;
        return result;
    }
    return std::monostate();
}

}  // namespace integreat::aws
