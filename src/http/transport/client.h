// SPDX-License-Identifier: Apache-2.0
// HTTP out: how the platform reaches key sets, providers and webhooks. The real one is net/outbound.cpp
// (libcurl, TLS verified); tests hand in a function of their own. Blocks; never called on an I/O thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/message/message.h"
#include "http/message/upstream.h"

namespace integreat::http {

struct OutboundRequest {
    Method method = Method::get;
    std::string url;  // Absolute, http or https.
    Headers headers;
    std::string body;
    std::chrono::milliseconds timeout{10'000};     // For everything together.
    std::size_t response_bytes_max = 1024 * 1024;  // Beyond it: Fault::unavailable.
    // An app's own server: while its circuit is open, Fault::exhausted and "not_sent: " instead of a call.
    std::shared_ptr<const Upstream> upstream = nullptr;
};

class Outbound {
public:
    // An answer of any status is a Reply. Fault::unavailable if there is none; then `cause` begins with
    // "not_sent: " if nothing can have reached the other side, with "unknown: " if something may have.
    // Redirects are not followed.
    virtual Result<Reply> fetch(const OutboundRequest& request) = 0;

protected:
    ~Outbound() = default;
};

}  // namespace integreat::http
