// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), making and
// checking, in the Authorization header and in a presigned query. Checking is three steps, because the key is
// found in between: parse_sigv4 (what the client claims), check_sigv4_time, check_sigv4 (with the secret).
// A refusal says which part was wrong, for our log; AWS's words for it are the front's (cloud/front).
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/digest.h"

namespace integreat::aws {

inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view sha256_of_nothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// A request as it was received, or as it will be sent.
struct SigV4Field {
    std::string_view name;
    std::string_view value;
};
struct SigV4Message {
    std::string_view method;
    std::string_view path;   // Encoded, as on the wire.
    std::string_view query;  // Without the question mark.
    std::span<const SigV4Field> headers;
};

// S3 signs the path as it is; all others normalise it and encode it once more.
enum class SigV4Path : std::uint8_t { as_sent, encoded_again };

enum class SigV4Fault : std::uint8_t {
    unsupported,        // Another scheme: "AWS key:signature", "Bearer …".
    incomplete,         // A parameter is missing.
    malformed,          // The credential or another parameter cannot be read.
    date_malformed,     // Neither X-Amz-Date nor Date, or not a time.
    date_of_scope,      // The scope is of another day than the request.
    header_not_signed,  // `host`, or an x-amz-* field that is in the request.
    header_missing,     // A signed field is not in the request.
    too_old,
    too_new,
    expired,         // A presigned one, by its own X-Amz-Expires.
    expiry_invalid,  // X-Amz-Expires is no number from 0 to a week.
    signature,
};

struct SigV4Refusal {
    SigV4Fault fault;
    std::string part;    // For our log: "the signed header content-type is not in the request".
    std::string detail;  // What AWS's sentence needs: the header's name, the parameter's name.
    bool presigned = false;
};

struct SigV4Claim {
    bool presigned = false;
    std::string access_key_id;
    std::string date;  // Of the scope: "20261122".
    std::string region;
    std::string service;
    std::string timestamp;  // As sent: "20261122T081500Z".
    Time signed_at;
    std::chrono::seconds expires{0};  // Of a presigned one.
    std::vector<std::string> signed_headers;
    std::string signature;
    std::string security_token;  // Empty if there is none.

    std::string scope() const { return date + "/" + region + "/" + service + "/aws4_request"; }
};

// The first: nobody signed it.
using SigV4Reading = std::variant<std::monostate, SigV4Claim, SigV4Refusal>;
SigV4Reading parse_sigv4(const SigV4Message& message);

// "KEY/20261122/us-east-1/s3/aws4_request": also for signatures whose parameters are the fields of a form.
std::optional<SigV4Refusal> read_credential(std::string_view credential, SigV4Claim& claim);
std::optional<Time> parse_sigv4_time(std::string_view timestamp);
std::string format_sigv4_time(Time time);

struct SigV4TimeRules {
    std::chrono::seconds skew_max{15 * 60};
    std::chrono::seconds expires_max{7 * 24 * 3600};
};
std::optional<SigV4Refusal> check_sigv4_time(const SigV4Claim& claim, Time now,
                                             const SigV4TimeRules& rules = {});

// Keys that sign, derived from secret keys by day, region and service. A few thousand are kept: deriving one
// takes four HMACs, and a client uses the same one all day.
class SigningKeyCache {
public:
    explicit SigningKeyCache(std::size_t count_max = 4'096);
    ~SigningKeyCache();

    crypto::Sha256 find(const SigV4Claim& claim, const Secret& secret_key);
    std::size_t size();

private:
    struct Entries;
    std::size_t count_max_;
    std::unique_ptr<Guarded<Entries>> entries_;
};

crypto::Sha256 derive_signing_key(const Secret& secret_key, const SigV4Claim& claim);

struct SigV4Expectation {
    const SigV4Message& message;
    const SigV4Claim& claim;
    SigV4Path path = SigV4Path::as_sent;
    std::string_view payload_hash;  // Hexadecimal, or UNSIGNED-PAYLOAD and its like.
};
// Compares in constant time. A wrong signature is looked into: if the client would be right about another
// host, path or payload, the refusal says which; else `detail` is what we signed, as S3 shows it.
std::optional<SigV4Refusal> check_sigv4(const SigV4Expectation& expected, const crypto::Sha256& signing_key);

// The pieces, as AWS's pages name them.
std::string canonical_request(const SigV4Expectation& expected);
std::string string_to_sign(const SigV4Claim& claim, std::string_view canonical);
std::string sign_text(const crypto::Sha256& signing_key, std::string_view text);  // Hexadecimal.

struct SigV4Signer {
    std::string access_key_id;
    Secret secret_key;
    std::string region;
    std::string service;
    std::string security_token;  // Empty if the key is permanent.
    SigV4Path path = SigV4Path::encoded_again;
};
// The value of Authorization. Signs all headers of the message; it must hold Host, X-Amz-Date (as `now`), and
// X-Amz-Security-Token if there is a token.
std::string sign_request(const SigV4Message& message, const SigV4Signer& signer, Time now,
                         std::string_view payload_hash);
// The whole query of a presigned request, `message.query` included.
std::string presign_query(const SigV4Message& message, const SigV4Signer& signer, Time now,
                          std::chrono::seconds expires);

// Percent-encoding as SigV4 wants it: everything but letters, digits, "-._~" (and "/" if `keep_slashes`).
std::string uri_encode(std::string_view text, bool keep_slashes = false);

}  // namespace integreat::aws
