// SPDX-License-Identifier: Apache-2.0
#include "aws/sigv4.h"

#include <algorithm>
#include <unordered_map>

#include "aws/sigv4_canonical.h"
#include "crypto/encoding.h"

namespace integreat::aws {

namespace {

using std::chrono::seconds;

std::optional<int> parse_digits(std::string_view digits) {
    int number = 0;
    for (char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + (c - '0');
    }
    return number;
}

bool matches(const SigV4SigningInput& input, const crypto::Sha256& signing_key) {
    auto text = string_to_sign(input.claim, canonical_request(input));
    return equal_in_constant_time(sign_string(signing_key, text), input.claim.signature);
}

// Returns the path with each octet encoded again: clients that send characters unencoded sign this one.
std::string reencode_path(std::string_view path) {
    return uri_encode(percent_decode(path), true);
}

// Returns the single part that differs between client and server, or an empty string if it cannot be
// determined.
std::string find_difference(const SigV4SigningInput& input, const crypto::Sha256& signing_key) {
    auto other_path = input;
    other_path.path_encoding =
        input.path_encoding == SigV4PathEncoding::once ? SigV4PathEncoding::twice : SigV4PathEncoding::once;
    if (matches(other_path, signing_key)) {
        return other_path.path_encoding == SigV4PathEncoding::once
                   ? "the path: the client encoded it once, as for S3"
                   : "the path: the client encoded it twice, as for services other than S3";
    }
    for (std::string_view payload : {unsigned_payload, empty_payload_sha256}) {
        auto other = input;
        other.payload_hash = payload;
        if (payload != input.payload_hash && matches(other, signing_key)) {
            return "the payload hash: the client signed " + std::string(payload);
        }
    }
    std::vector<SigV4Header> headers(input.request.headers.begin(), input.request.headers.end());
    for (auto& header : headers) {
        auto colon = header.value.rfind(':');
        if (!iequals(header.name, "host") || colon == std::string_view::npos) continue;
        auto sent = std::exchange(header.value, header.value.substr(0, colon));
        SigV4Request without_port{input.request.method, input.request.path, input.request.query, headers};
        SigV4SigningInput other{without_port, input.claim, input.path_encoding, input.payload_hash};
        if (matches(other, signing_key)) return "the host: the client signed it without the port";
        header.value = sent;
    }
    for (std::string_view method : {"GET", "HEAD", "PUT", "POST", "DELETE"}) {
        SigV4Request with_method{method, input.request.path, input.request.query, input.request.headers};
        SigV4SigningInput other{with_method, input.claim, input.path_encoding, input.payload_hash};
        if (method != input.request.method && matches(other, signing_key)) {
            return "the method: the client signed " + std::string(method);
        }
    }
    return {};
}

}  // namespace

std::optional<Time> parse_sigv4_time(std::string_view text) {
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
    auto year = parse_digits(text.substr(0, 4));
    auto month = parse_digits(text.substr(4, 2));
    auto day = parse_digits(text.substr(6, 2));
    auto hour = parse_digits(text.substr(9, 2));
    auto minute = parse_digits(text.substr(11, 2));
    auto second = parse_digits(text.substr(13, 2));
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    std::chrono::year_month_day date(std::chrono::year(*year),
                                     std::chrono::month(static_cast<unsigned>(*month)),
                                     std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok() || *year < 1970 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return Time(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           seconds(*second);
}

std::string format_sigv4_time(Time time) {
    auto text = format_rfc3339(std::chrono::floor<seconds>(time));  // 2026-11-22T08:15:00Z
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

std::optional<SigV4Error> check_sigv4_time(const SigV4Claim& claim, Time now, const SigV4TimeLimits& rules) {
    if (claim.presigned && claim.expires > rules.expires_max) {
        return SigV4Error{SigV4Fault::expiry_invalid, "X-Amz-Expires is more than one week", "week"};
    }
    if (claim.signed_at > now + rules.skew_max) {
        return SigV4Error{SigV4Fault::too_new,
                          "X-Amz-Date is " + claim.timestamp + ", now is " + format_sigv4_time(now), ""};
    }
    if (claim.presigned) {
        if (now <= claim.signed_at + claim.expires) return std::nullopt;
        return SigV4Error{SigV4Fault::expired,
                          "the URL expired at " + format_sigv4_time(claim.signed_at + claim.expires) +
                              ", now is " + format_sigv4_time(now),
                          ""};
    }
    if (claim.signed_at >= now - rules.skew_max) return std::nullopt;
    return SigV4Error{SigV4Fault::too_old,
                      "X-Amz-Date is " + claim.timestamp + ", now is " + format_sigv4_time(now), ""};
}

struct SigningKeyCache::Entries {
    struct Entry {
        Secret secret_key;
        crypto::Sha256 signing_key;
    };
    std::unordered_map<std::string, Entry> by_scope;
};

SigningKeyCache::SigningKeyCache(std::size_t count_max)
    : count_max_(count_max), entries_(std::make_unique<Synchronized<Entries>>()) {}
SigningKeyCache::~SigningKeyCache() = default;

crypto::Sha256 SigningKeyCache::find(const SigV4Claim& claim, const Secret& secret_key) {
    auto name = claim.access_key_id + "/" + claim.scope();
    {
        auto entries = entries_->lock();
        auto found = entries->by_scope.find(name);
        if (found != entries->by_scope.end() && found->second.secret_key == secret_key)
            return found->second.signing_key;
    }
    auto key = derive_signing_key(secret_key, claim);
    auto entries = entries_->lock();
    // Cleared as a whole, and rarely: deriving keys again is cheap, tracking their age is not.
    if (entries->by_scope.size() >= count_max_) entries->by_scope.clear();
    entries->by_scope.insert_or_assign(name, Entries::Entry{secret_key, key});
    return key;
}

std::size_t SigningKeyCache::size() {
    return entries_->lock()->by_scope.size();
}

crypto::Sha256 derive_signing_key(const Secret& secret_key, const SigV4Claim& claim) {
    Secret prefixed("AWS4" + secret_key.reveal());
    auto key = crypto::hmac_sha256(prefixed.reveal(), claim.date);
    key = crypto::hmac_sha256(crypto::as_view(key), claim.region);
    key = crypto::hmac_sha256(crypto::as_view(key), claim.service);
    return crypto::hmac_sha256(crypto::as_view(key), "aws4_request");
}

std::string sign_string(const crypto::Sha256& signing_key, std::string_view text) {
    return crypto::hex_encode(crypto::as_view(crypto::hmac_sha256(crypto::as_view(signing_key), text)));
}

std::string string_to_sign(const SigV4Claim& claim, std::string_view canonical) {
    return std::string(sigv4_algorithm) + "\n" + claim.timestamp + "\n" + claim.scope() + "\n" +
           crypto::hex_encode(crypto::as_view(crypto::sha256(canonical)));
}

std::optional<SigV4Error> check_sigv4(const SigV4SigningInput& input, const crypto::Sha256& signing_key) {
    if (matches(input, signing_key)) return std::nullopt;
    auto reencoded = reencode_path(input.request.path);
    if (input.path_encoding == SigV4PathEncoding::once && reencoded != input.request.path) {
        SigV4Request request{input.request.method, reencoded, input.request.query, input.request.headers};
        SigV4SigningInput other{request, input.claim, input.path_encoding, input.payload_hash};
        if (matches(other, signing_key)) return std::nullopt;  // The same path in another spelling.
    }
    auto part = find_difference(input, signing_key);
    if (part.empty()) {
        part =
            "the signature: the secret key differs, or a part was changed after signing "
            "(method, path, query, a signed header or the payload hash)";
    }
    return SigV4Error{SigV4Fault::signature, std::move(part), canonical_request(input)};
}

std::string sign_request(const SigV4Request& request, const SigV4Signer& signer, Time now,
                         std::string_view payload_hash) {
    SigV4Claim claim{
        .access_key_id = signer.access_key_id, .region = signer.region, .service = signer.service};
    claim.timestamp = format_sigv4_time(now);
    claim.date = claim.timestamp.substr(0, 8);
    for (const auto& header : request.headers)
        claim.signed_headers.push_back(to_lower(header.name));
    std::ranges::sort(claim.signed_headers);
    auto& names = claim.signed_headers;
    names.erase(std::unique(names.begin(), names.end()), names.end());
    auto canonical = canonical_request({request, claim, signer.path_encoding, payload_hash});
    auto signature =
        sign_string(derive_signing_key(signer.secret_key, claim), string_to_sign(claim, canonical));
    return std::string(sigv4_algorithm) + " Credential=" + claim.access_key_id + "/" + claim.scope() +
           ", SignedHeaders=" + join(names, ";") + ", Signature=" + signature;
}

std::string presign_query(const SigV4Request& request, const SigV4Signer& signer, Time now,
                          std::chrono::seconds expires) {
    SigV4Claim claim{.presigned = true,
                     .access_key_id = signer.access_key_id,
                     .region = signer.region,
                     .service = signer.service,
                     .signed_headers = {"host"}};
    claim.timestamp = format_sigv4_time(now);
    claim.date = claim.timestamp.substr(0, 8);
    auto query = std::string(request.query);
    auto add = [&](const char* name, const std::string& value) {
        query += (query.empty() ? "" : "&") + std::string(name) + "=" + uri_encode(value);
    };
    add("X-Amz-Algorithm", std::string(sigv4_algorithm));
    add("X-Amz-Credential", claim.access_key_id + "/" + claim.scope());
    add("X-Amz-Date", claim.timestamp);
    add("X-Amz-Expires", std::to_string(expires.count()));
    if (!signer.security_token.empty()) add("X-Amz-Security-Token", signer.security_token);
    add("X-Amz-SignedHeaders", "host");
    SigV4Request with_query{request.method, request.path, query, request.headers};
    auto canonical = canonical_request({with_query, claim, signer.path_encoding, unsigned_payload});
    add("X-Amz-Signature",
        sign_string(derive_signing_key(signer.secret_key, claim), string_to_sign(claim, canonical)));
    return query;
}

}  // namespace integreat::aws
