// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/auth/payload.h"

#include <algorithm>
#include <charconv>

#include "base/text/ascii.h"
#include "cloud/aws/core/operation.h"
#include "cloud/aws/protocol/error_responses.h"
#include "crypto/encoding.h"

namespace integreat::cloud {

namespace {

constexpr std::string_view hash_header = "x-amz-content-sha256";

bool is_hash(std::string_view text) {
    return text.size() == 64 &&
           std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

AwsError invalid_payload_header(std::string_view given) {
    AwsError error{.status = 400,
                   .code = "InvalidArgument",
                   .message =
                       "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                       "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or "
                       "a valid sha256 value."};
    error.details = {{"ArgumentName", std::string(hash_header)}, {"ArgumentValue", std::string(given)}};
    return error;
}

std::optional<std::uint64_t> parse_decoded_length(const http::Request& request) {
    auto text = request.headers.value("x-amz-decoded-content-length");
    std::uint64_t length = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return length;
}

AwsError malformed_trailer(std::string cause) {
    AwsError error{.status = 400,
                   .code = "MalformedTrailerError",
                   .message =
                       "The request contained trailing data that was not well-formed or did not conform to "
                       "our published schema."};
    error.cause = std::move(cause);
    return error;
}

// Every trailer must be announced in x-amz-trailer, and every announced trailer must be present.
std::optional<AwsError> check_trailers(std::string_view announced, const Parameters& trailers) {
    std::size_t count = 0;
    while (!announced.empty()) {
        auto name = announced.substr(0, announced.find(','));
        announced.remove_prefix(std::min(name.size() + 1, announced.size()));
        if (name.empty()) continue;
        ++count;
        auto found =
            std::ranges::any_of(trailers, [&](const auto& trailer) { return trailer.first == name; });
        if (!found) return malformed_trailer("the announced trailer " + std::string(name) + " is missing");
    }
    if (count != trailers.size())
        return malformed_trailer("the body has a trailer that x-amz-trailer does not announce");
    return std::nullopt;
}

}  // namespace

std::variant<std::string, AwsError> parse_declared_payload(const OperationContext& context,
                                                           const aws::SigV4Claim& claim) {
    auto declared = context.request.headers.get(hash_header);
    if (claim.presigned) {
        bool is_signed = std::ranges::find(claim.signed_headers, hash_header) != claim.signed_headers.end();
        if (declared && is_signed) return std::string(*declared);
        auto in_query = context.parameter("X-Amz-Content-Sha256");
        return std::string(in_query.value_or(aws::unsigned_payload));
    }
    if (declared) return std::string(*declared);
    return AwsError{.status = 400,
                    .code = "InvalidRequest",
                    .message = "Missing required header for this request: x-amz-content-sha256"};
}

std::variant<Payload, AwsError> Payload::make(const OperationContext& context, const aws::SigV4Claim* claim,
                                              const crypto::Sha256& signing_key) {
    Payload payload;
    if (context.api->protocol != Protocol::rest_xml)
        return payload;  // The signature covers the hash of the body.
    auto declared = context.request.headers.value(hash_header);
    if (declared.empty() && claim && claim->presigned) {
        declared = context.parameter("X-Amz-Content-Sha256").value_or("");
    }
    if (declared.empty() || declared == aws::unsigned_payload) return payload;
    if (is_hash(declared)) {
        payload.declared_hash_ = declared;
        payload.hasher_.emplace(crypto::HashAlgorithm::sha256);
        return payload;
    }
    auto form = aws::parse_chunked_body_format(declared);
    bool needs_claim = form && *form != aws::ChunkedBodyFormat::unsigned_chunks_with_trailer;
    if (!form || (needs_claim && !claim)) return invalid_payload_header(declared);
    auto length = parse_decoded_length(context.request);
    if (!length) {
        return AwsError{.status = 411,
                        .code = "MissingContentLength",
                        .message = "You must provide the Content-Length HTTP header."};
    }
    aws::ChunkedBodySigning signing;
    if (needs_claim) signing = {signing_key, claim->signature, claim->timestamp, claim->scope()};
    payload.chunks_.emplace(*form, *length, std::move(signing));
    for (char c : context.request.headers.value("x-amz-trailer")) {
        if (c != ' ') payload.announced_trailers_ += to_lower(c);
    }
    return payload;
}

std::optional<AwsError> Payload::update(std::string_view bytes, const Sink& sink) {
    if (!chunks_) {
        if (hasher_) hasher_->update(bytes);
        return bytes.empty() ? std::nullopt : sink(bytes);
    }
    for (auto chunk = chunks_->decode(bytes); !chunk.empty(); chunk = chunks_->decode(bytes)) {
        if (auto error = sink(chunk)) return error;
    }
    if (chunks_->error()) return chunked_body_error(*chunks_->error());
    return std::nullopt;
}

std::variant<Parameters, AwsError> Payload::finish() {
    if (hasher_) {
        auto computed = crypto::hex_encode(hasher_->finish());
        if (computed != declared_hash_) return hash_mismatch(Protocol::rest_xml, declared_hash_, computed);
    }
    if (!chunks_) return Parameters();
    if (!chunks_->finished()) {
        return chunked_body_error(
            {aws::ChunkedBodyError::Kind::length, "the body ends before the last chunk"});
    }
    if (auto error = check_trailers(announced_trailers_, chunks_->trailers())) return *std::move(error);
    return chunks_->trailers();
}

}  // namespace integreat::cloud
