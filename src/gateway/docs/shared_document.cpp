// SPDX-License-Identifier: Apache-2.0
#include "gateway/docs/shared_document.h"

#include <algorithm>
#include <optional>

#include <zlib.h>

#include "base/assert.h"
#include "base/text/ascii.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace integreat::gateway {

namespace {

constexpr int gzip_window_bits = 15 + 16;  // zlib manual, deflateInit2: plus 16 for the gzip format.

std::string compress(const std::string& text) {
    z_stream stream{};
    ASSERT(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window_bits, MAX_MEM_LEVEL,
                        Z_DEFAULT_STRATEGY) == Z_OK);
    std::string bytes(deflateBound(&stream, text.size()), '\0');
    std::string input = text;
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_out = static_cast<uInt>(bytes.size());
    ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);  // Guaranteed by deflateBound.
    bytes.resize(stream.total_out);
    ASSERT(deflateEnd(&stream) == Z_OK);
    bytes.shrink_to_fit();
    return bytes;
}

// Returns whether an item of Accept-Encoding has weight 0: "gzip;q=0".
bool is_excluded(std::string_view parameters) {
    auto q = parameters.find("q=");
    if (q == std::string_view::npos) return false;
    auto weight = parameters.substr(q + 2);
    return weight.find_first_not_of("0. ") == std::string_view::npos;
}

// RFC 9110 section 12.5.3.
bool accepts_gzip(const http::Headers& headers) {
    auto accepted = headers.get("Accept-Encoding");
    if (!accepted) return false;
    std::optional<bool> any;
    for (auto item : split(*accepted, ',')) {
        auto end = std::min(item.find(';'), item.size());
        auto coding = trim(item.substr(0, end), " \t");
        bool accepts = !is_excluded(item.substr(end));
        if (iequals(coding, "gzip")) return accepts;
        if (coding == "*") any = accepts;
    }
    return any.value_or(false);
}

bool has_current_copy(const http::Headers& headers, const std::string& etag) {
    auto sent = headers.get("If-None-Match");
    if (!sent) return false;
    for (auto item : split(*sent, ',')) {
        auto tag = trim(item, " \t");
        if (tag.starts_with("W/")) tag.remove_prefix(2);
        if (tag == etag || tag == "*") return true;
    }
    return false;
}

}  // namespace

SharedDocument make_shared_document(std::string text) {
    auto hash = crypto::hex_encode(crypto::as_view(crypto::sha256(text))).substr(0, 32);
    auto gzip = std::make_shared<const std::string>(compress(text));
    return {std::make_shared<const std::string>(std::move(text)), std::move(gzip), std::move(hash)};
}

http::FullResponse make_document_response(const SharedDocument& document, const http::Request& request,
                                          http::Headers headers) {
    bool gzip = accepts_gzip(request.headers);
    auto etag = "\"" + document.hash + (gzip ? "-gzip\"" : "\"");
    headers.add("ETag", etag);
    headers.add("Vary", "Accept-Encoding");
    headers.add("Cache-Control", "no-cache");
    if (has_current_copy(request.headers, etag)) return {.status = 304, .headers = std::move(headers)};
    if (gzip) headers.add("Content-Encoding", "gzip");
    return {.headers = std::move(headers), .shared_body = gzip ? document.gzip : document.identity};
}

std::optional<SharedDocument> DocumentCache::find(std::uint64_t generation) {
    auto entry = entry_.lock();
    if (!entry->document.identity || entry->generation != generation) return std::nullopt;
    return entry->document;
}

SharedDocument DocumentCache::render(std::uint64_t generation,
                                     const std::function<std::string()>& render_text) {
    auto document = make_shared_document(render_text());
    *entry_.lock() = {generation, document};
    return document;
}

}  // namespace integreat::gateway
