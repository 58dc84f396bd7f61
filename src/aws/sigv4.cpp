// SPDX-License-Identifier: Apache-2.0
#include "aws/sigv4.h"

#include <unordered_map>

#include "aws/sigv4_text.h"
#include "crypto/encoding.h"

namespace integreat::aws {

namespace {

using std::chrono::seconds;

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

std::optional<int> number_of(std::string_view digits) {
    int number = 0;
    for (char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        number = number * 10 + (c - '0');
    }
    return number;
}

bool matches(const SigV4Expectation& expected, const crypto::Sha256& signing_key) {
    auto text = string_to_sign(expected.claim, canonical_request(expected));
    return equal_in_constant_time(sign_text(signing_key, text), expected.claim.signature);
}

// The path with each octet encoded afresh: what a client signs that sent some characters unencoded.
std::string encoded_afresh(std::string_view path) {
    return uri_encode(percent_decode(path), true);
}

// Which single part, taken otherwise, would make the client right? Nothing if none does.
std::string find_difference(const SigV4Expectation& expected, const crypto::Sha256& signing_key) {
    auto other_path = expected;
    other_path.path = expected.path == SigV4Path::as_sent ? SigV4Path::encoded_again : SigV4Path::as_sent;
    if (matches(other_path, signing_key)) {
        return other_path.path == SigV4Path::as_sent
                   ? "the path: it was signed as S3 signs it, once encoded"
                   : "the path: it was signed as other services sign it, encoded twice";
    }
    for (std::string_view payload : {unsigned_payload, sha256_of_nothing}) {
        auto other = expected;
        other.payload_hash = payload;
        if (payload != expected.payload_hash && matches(other, signing_key)) {
            return "the payload: it was signed as " + std::string(payload);
        }
    }
    std::vector<SigV4Field> headers(expected.message.headers.begin(), expected.message.headers.end());
    for (auto& field : headers) {
        auto colon = field.value.rfind(':');
        if (!equal_names(field.name, "host") || colon == std::string_view::npos) continue;
        auto sent = std::exchange(field.value, field.value.substr(0, colon));
        SigV4Message without_port{expected.message.method, expected.message.path, expected.message.query,
                                  headers};
        SigV4Expectation other{without_port, expected.claim, expected.path, expected.payload_hash};
        if (matches(other, signing_key)) return "the host: it was signed without its port";
        field.value = sent;
    }
    for (std::string_view method : {"GET", "HEAD", "PUT", "POST", "DELETE"}) {
        SigV4Message of_method{method, expected.message.path, expected.message.query,
                               expected.message.headers};
        SigV4Expectation other{of_method, expected.claim, expected.path, expected.payload_hash};
        if (method != expected.message.method && matches(other, signing_key)) {
            return "the method: it was signed for " + std::string(method);
        }
    }
    return {};
}

}  // namespace

std::optional<Time> parse_sigv4_time(std::string_view text) {
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
    auto year = number_of(text.substr(0, 4));
    auto month = number_of(text.substr(4, 2));
    auto day = number_of(text.substr(6, 2));
    auto hour = number_of(text.substr(9, 2));
    auto minute = number_of(text.substr(11, 2));
    auto second = number_of(text.substr(13, 2));
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

std::optional<SigV4Refusal> check_sigv4_time(const SigV4Claim& claim, Time now, const SigV4TimeRules& rules) {
    if (claim.presigned && claim.expires > rules.expires_max) {
        return SigV4Refusal{SigV4Fault::expiry_invalid, "X-Amz-Expires is more than a week", "week"};
    }
    if (claim.signed_at > now + rules.skew_max) {
        return SigV4Refusal{SigV4Fault::too_new,
                            "X-Amz-Date is " + claim.timestamp + ", now is " + format_sigv4_time(now), ""};
    }
    if (claim.presigned) {
        if (now <= claim.signed_at + claim.expires) return std::nullopt;
        return SigV4Refusal{SigV4Fault::expired,
                            "it was good until " + format_sigv4_time(claim.signed_at + claim.expires) +
                                ", now is " + format_sigv4_time(now),
                            ""};
    }
    if (claim.signed_at >= now - rules.skew_max) return std::nullopt;
    return SigV4Refusal{SigV4Fault::too_old,
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
    : count_max_(count_max), entries_(std::make_unique<Guarded<Entries>>()) {}
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
    // All at once and rarely: deriving them again is cheap, an order of age kept for each is not.
    if (entries->by_scope.size() >= count_max_) entries->by_scope.clear();
    entries->by_scope.insert_or_assign(name, Entries::Entry{secret_key, key});
    return key;
}

std::size_t SigningKeyCache::size() {
    return entries_->lock()->by_scope.size();
}

crypto::Sha256 derive_signing_key(const Secret& secret_key, const SigV4Claim& claim) {
    Secret first("AWS4" + secret_key.reveal());
    auto key = crypto::hmac_sha256(first.reveal(), claim.date);
    key = crypto::hmac_sha256(crypto::as_view(key), claim.region);
    key = crypto::hmac_sha256(crypto::as_view(key), claim.service);
    return crypto::hmac_sha256(crypto::as_view(key), "aws4_request");
}

std::string sign_text(const crypto::Sha256& signing_key, std::string_view text) {
    return crypto::hex_encode(crypto::as_view(crypto::hmac_sha256(crypto::as_view(signing_key), text)));
}

std::string string_to_sign(const SigV4Claim& claim, std::string_view canonical) {
    return std::string(algorithm) + "\n" + claim.timestamp + "\n" + claim.scope() + "\n" +
           crypto::hex_encode(crypto::as_view(crypto::sha256(canonical)));
}

std::optional<SigV4Refusal> check_sigv4(const SigV4Expectation& expected, const crypto::Sha256& signing_key) {
    if (matches(expected, signing_key)) return std::nullopt;
    auto afresh = encoded_afresh(expected.message.path);
    if (expected.path == SigV4Path::as_sent && afresh != expected.message.path) {
        SigV4Message message{expected.message.method, afresh, expected.message.query,
                             expected.message.headers};
        SigV4Expectation other{message, expected.claim, expected.path, expected.payload_hash};
        if (matches(other, signing_key)) return std::nullopt;  // Means the same path, and was signed as such.
    }
    auto part = find_difference(expected, signing_key);
    if (part.empty()) {
        part =
            "the signature: the secret key is another, or a part was changed after it was signed "
            "(method, path, query, a signed header or the payload's hash)";
    }
    return SigV4Refusal{SigV4Fault::signature, std::move(part), canonical_request(expected)};
}

std::string sign_request(const SigV4Message& message, const SigV4Signer& signer, Time now,
                         std::string_view payload_hash) {
    SigV4Claim claim{
        .access_key_id = signer.access_key_id, .region = signer.region, .service = signer.service};
    claim.timestamp = format_sigv4_time(now);
    claim.date = claim.timestamp.substr(0, 8);
    for (const auto& field : message.headers)
        claim.signed_headers.push_back(lower_case(field.name));
    std::ranges::sort(claim.signed_headers);
    auto& names = claim.signed_headers;
    names.erase(std::unique(names.begin(), names.end()), names.end());
    auto canonical = canonical_request({message, claim, signer.path, payload_hash});
    auto signature =
        sign_text(derive_signing_key(signer.secret_key, claim), string_to_sign(claim, canonical));
    std::string list;
    for (const auto& name : names)
        list += (list.empty() ? "" : ";") + name;
    return std::string(algorithm) + " Credential=" + claim.access_key_id + "/" + claim.scope() +
           ", SignedHeaders=" + list + ", Signature=" + signature;
}

std::string presign_query(const SigV4Message& message, const SigV4Signer& signer, Time now,
                          std::chrono::seconds expires) {
    SigV4Claim claim{.presigned = true,
                     .access_key_id = signer.access_key_id,
                     .region = signer.region,
                     .service = signer.service,
                     .signed_headers = {"host"}};
    claim.timestamp = format_sigv4_time(now);
    claim.date = claim.timestamp.substr(0, 8);
    auto query = std::string(message.query);
    auto add = [&](const char* name, const std::string& value) {
        query += (query.empty() ? "" : "&") + std::string(name) + "=" + uri_encode(value);
    };
    add("X-Amz-Algorithm", std::string(algorithm));
    add("X-Amz-Credential", claim.access_key_id + "/" + claim.scope());
    add("X-Amz-Date", claim.timestamp);
    add("X-Amz-Expires", std::to_string(expires.count()));
    if (!signer.security_token.empty()) add("X-Amz-Security-Token", signer.security_token);
    add("X-Amz-SignedHeaders", "host");
    SigV4Message with_query{message.method, message.path, query, message.headers};
    auto canonical = canonical_request({with_query, claim, signer.path, unsigned_payload});
    add("X-Amz-Signature",
        sign_text(derive_signing_key(signer.secret_key, claim), string_to_sign(claim, canonical)));
    return query;
}

}  // namespace integreat::aws
