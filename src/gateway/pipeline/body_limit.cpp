// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/body_limit.h"

#include <charconv>

namespace integreat::gateway {

namespace {

// Returns the Content-Length, if there is one; the transport has checked its form.
std::optional<std::uint64_t> content_length(const http::Headers& headers) {
    auto text = headers.get("Content-Length");
    std::uint64_t length = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), length).ec != std::errc())
        return {};
    return length;
}

}  // namespace

bool limit_body(PipelineContext& context) {
    const auto& headers = context.request.headers;
    const auto& route = *context.request_context.route;
    auto limit = route.max_body_bytes;
    auto length = content_length(headers);
    bool too_large = length ? *length > limit : limit == 0 && headers.contains("Transfer-Encoding");
    if (!too_large) return true;
    auto rejection =
        make_rejection(http::ProblemType::body_too_large,
                       limit == 0 ? "This route accepts no body."
                                  : "This route accepts at most " + std::to_string(limit) + " bytes.",
                       "route " + route.name + " accepts at most " + std::to_string(limit) + " bytes");
    rejection.facts.emplace_back("Content-Length", length ? std::to_string(*length) : "(chunked)");
    return reject(context, "body", std::move(rejection));
}

}  // namespace integreat::gateway
