// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), signing and
// verification, in the Authorization header and in a presigned query. Verification has three steps, because
// the key is looked up in between: parse_sigv4 of sigv4_parse.h (the client's claims), check_sigv4_time,
// check_sigv4 (with the secret). An error names the wrong part, for the log; cloud/aws converts it to AWS's
// messages.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/hash.h"

namespace integreat::aws {

inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view empty_payload_sha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// A header of a request that is to be verified or signed.
struct SigV4Header {
    std::string_view name;
    std::string_view value;
};
struct SigV4Request {
    std::string_view method;
    std::string_view path;   // Encoded, as on the wire.
    std::string_view query;  // Without the question mark.
    std::span<const SigV4Header> headers;
};

// S3 signs the path as sent; all other services normalize it and encode it once more.
enum class SigV4PathEncoding : std::uint8_t { once, twice };

enum class SigV4Fault : std::uint8_t {
    unsupported,          // Another scheme: "AWS key:signature", "Bearer …".
    incomplete,           // A parameter is missing.
    malformed,            // The credential or another parameter cannot be parsed.
    date_malformed,       // Neither X-Amz-Date nor Date, or not a time.
    scope_date_mismatch,  // The scope has another date than the request.
    header_not_signed,    // `host`, or an x-amz-* header of the request.
    header_missing,       // A signed header is not in the request.
    too_old,
    too_new,
    expired,         // A presigned request, by its own X-Amz-Expires.
    expiry_invalid,  // X-Amz-Expires is not a number from 0 to one week.
    signature,
};

struct SigV4Error {
    SigV4Fault fault;
    std::string part;    // For the log: "the signed header content-type is not in the request".
    std::string detail;  // For AWS's message: the name of the header or parameter.
    bool presigned = false;
};

// The parameters of a signature as sent by the client, not yet verified.
struct SigV4Claim {
    bool presigned = false;
    std::string access_key_id;
    std::string date;  // Date of the scope: "20261122".
    std::string region;
    std::string service;
    std::string timestamp;  // As sent: "20261122T081500Z".
    Time signed_at;
    std::chrono::seconds expires{0};  // Presigned requests only.
    std::vector<std::string> signed_headers;
    std::string signature;
    std::string security_token;  // Empty if there is none.

    std::string scope() const { return date + "/" + region + "/" + service + "/aws4_request"; }
};

std::optional<Time> parse_sigv4_time(std::string_view timestamp);
std::string format_sigv4_time(Time time);

struct SigV4TimeLimits {
    std::chrono::seconds skew_max{15 * 60};
    std::chrono::seconds expires_max{7 * 24 * 3600};
};
std::optional<SigV4Error> check_sigv4_time(const SigV4Claim& claim, Time now,
                                           const SigV4TimeLimits& rules = {});

// A cache of signing keys, derived from secret keys by date, region and service: deriving one takes four
// HMACs, and a client uses the same one all day.
class SigningKeyCache {
public:
    explicit SigningKeyCache(std::size_t count_max = 4'096);
    ~SigningKeyCache();

    crypto::Sha256 find(const SigV4Claim& claim, const Secret& secret_key);
    std::size_t size();

private:
    struct Entries;
    std::size_t count_max_;
    std::unique_ptr<Synchronized<Entries>> entries_;
};

crypto::Sha256 derive_signing_key(const Secret& secret_key, const SigV4Claim& claim);

// The inputs of a signature to be calculated.
struct SigV4SigningInput {
    const SigV4Request& request;
    const SigV4Claim& claim;
    SigV4PathEncoding path_encoding = SigV4PathEncoding::once;
    std::string_view payload_hash;  // Hexadecimal, or a constant such as UNSIGNED-PAYLOAD.
};
// Verifies the signature in constant time. On a mismatch it searches for the cause: if the signature matches
// another host, path or payload, the error says which; else `detail` is the canonical request, as S3 returns
// it.
std::optional<SigV4Error> check_sigv4(const SigV4SigningInput& input, const crypto::Sha256& signing_key);

// The steps of the signature after canonical_request, named as in the AWS documentation.
std::string string_to_sign(const SigV4Claim& claim, std::string_view canonical);
std::string sign_string(const crypto::Sha256& signing_key, std::string_view text);  // Hexadecimal.

struct SigV4Signer {
    std::string access_key_id;
    Secret secret_key;
    std::string region;
    std::string service;
    std::string security_token;  // Empty if the key is permanent.
    SigV4PathEncoding path_encoding = SigV4PathEncoding::twice;
};
// Returns the value of Authorization. Signs all headers of the request; they must include Host, X-Amz-Date
// (equal to `now`), and X-Amz-Security-Token if there is a token.
std::string sign_request(const SigV4Request& request, const SigV4Signer& signer, Time now,
                         std::string_view payload_hash);
// Returns the query of a presigned request, including `request.query`.
std::string presign_query(const SigV4Request& request, const SigV4Signer& signer, Time now,
                          std::chrono::seconds expires);

}  // namespace integreat::aws
