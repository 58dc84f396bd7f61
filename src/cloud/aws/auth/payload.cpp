// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/auth/payload.h"

#include <algorithm>
#include <charconv>

#include "cloud/aws/core/operation.h"
#include "cloud/aws/protocol/error_responses.h"
#include "crypto/encoding.h"

namespace integreat::cloud {

namespace {

constexpr std::string_view hash_field = "x-amz-content-sha256";

bool is_hash(std::string_view text) {
    return text.size() == 64 &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

AwsError no_such_payload(std::string_view given) {
    AwsError error{.status = 400,
                   .code = "InvalidArgument",
                   .message =
                       "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                       "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or "
                       "a valid sha256 value."};
    error.details = {{"ArgumentName", std::string(hash_field)}, {"ArgumentValue", std::string(given)}};
    return error;
}

std::optional<std::uint64_t> decoded_length(const http::Request& request) {
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

// Each trailer must have been announced, and each announced one be there.
std::optional<AwsError> check_trailers(std::string_view announced, const Parameters& trailers) {
    std::size_t count = 0;
    while (!announced.empty()) {
        auto name = announced.substr(0, announced.find(','));
        announced.remove_prefix(std::min(name.size() + 1, announced.size()));
        if (name.empty()) continue;
        ++count;
        auto found =
            std::ranges::any_of(trailers, [&](const auto& trailer) { return trailer.first == name; });
        if (!found) return malformed_trailer("the announced trailer " + std::string(name) + " did not come");
    }
    if (count != trailers.size())
        return malformed_trailer("a trailer came that x-amz-trailer did not announce");
    return std::nullopt;
}

}  // namespace

std::variant<std::string, AwsError> declared_payload(const Exchange& exchange, const aws::SigV4Claim& claim) {
    auto declared = exchange.request.headers.get(hash_field);
    if (claim.presigned) {
        bool is_signed = std::ranges::find(claim.signed_headers, hash_field) != claim.signed_headers.end();
        if (declared && is_signed) return std::string(*declared);
        auto in_query = exchange.parameter("X-Amz-Content-Sha256");
        return std::string(in_query.value_or(aws::unsigned_payload));
    }
    if (declared) return std::string(*declared);
    return AwsError{.status = 400,
                    .code = "InvalidRequest",
                    .message = "Missing required header for this request: x-amz-content-sha256"};
}

std::variant<Payload, AwsError> Payload::expect(const Exchange& exchange, const aws::SigV4Claim* claim,
                                                const crypto::Sha256& signing_key) {
    Payload payload;
    if (exchange.api->protocol != Protocol::rest_xml) return payload;  // Its hash is part of the signature.
    auto declared = exchange.request.headers.value(hash_field);
    if (declared.empty() && claim && claim->presigned) {
        declared = exchange.parameter("X-Amz-Content-Sha256").value_or("");
    }
    if (declared.empty() || declared == aws::unsigned_payload) return payload;
    if (is_hash(declared)) {
        payload.declared_hash_ = declared;
        payload.hasher_.emplace(crypto::Hash::sha256);
        return payload;
    }
    auto form = aws::aws_chunks_form(declared);
    bool needs_claim = form && *form != aws::AwsChunksForm::unsigned_chunks_with_trailer;
    if (!form || (needs_claim && !claim)) return no_such_payload(declared);
    auto length = decoded_length(exchange.request);
    if (!length) {
        return AwsError{.status = 411,
                        .code = "MissingContentLength",
                        .message = "You must provide the Content-Length HTTP header."};
    }
    aws::AwsChunksSigning signing;
    if (needs_claim) signing = {signing_key, claim->signature, claim->timestamp, claim->scope()};
    payload.chunks_.emplace(*form, *length, std::move(signing));
    for (char c : exchange.request.headers.value("x-amz-trailer")) {
        if (c != ' ') payload.announced_trailers_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    return payload;
}

std::optional<AwsError> Payload::take(std::string_view bytes, const Sink& sink) {
    if (!chunks_) {
        if (hasher_) hasher_->update(bytes);
        return bytes.empty() ? std::nullopt : sink(bytes);
    }
    for (auto piece = chunks_->take(bytes); !piece.empty(); piece = chunks_->take(bytes)) {
        if (auto error = sink(piece)) return error;
    }
    if (chunks_->mistake()) return bad_chunks(*chunks_->mistake());
    return std::nullopt;
}

std::variant<Parameters, AwsError> Payload::finish() {
    if (hasher_) {
        auto computed = crypto::hex_encode(hasher_->finish());
        if (computed != declared_hash_) return hash_mismatch(Protocol::rest_xml, declared_hash_, computed);
    }
    if (!chunks_) return Parameters();
    if (!chunks_->finished()) {
        return bad_chunks({aws::AwsChunksMistake::Kind::length, "the body ends before the last chunk"});
    }
    if (auto error = check_trailers(announced_trailers_, chunks_->trailers())) return *std::move(error);
    return chunks_->trailers();
}

}  // namespace integreat::cloud
