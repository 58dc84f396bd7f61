// SPDX-License-Identifier: Apache-2.0
// The HTTP client interface for key sets, providers and webhooks. net/client implements it (libcurl, TLS
// verified); tests use a fake. Blocks; never called on an I/O thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/message/message.h"
#include "http/message/upstream.h"

namespace integreat::http {

struct ClientRequest {
    Method method = Method::get;
    std::string url;  // Absolute http or https URL.
    Headers headers;
    std::string body;
    std::chrono::milliseconds timeout{10'000};     // Timeout of the whole exchange.
    std::size_t response_bytes_max = 1024 * 1024;  // A longer response is Fault::unavailable.
    // Set for an app's own server: while its circuit is open, the result is Fault::exhausted with "not_sent:
    // ".
    std::shared_ptr<const Upstream> upstream = nullptr;
};

class HttpClient {
public:
    // Sends the request and returns the response, whatever its status. Fault::unavailable if there is none;
    // then `cause` begins with "not_sent: " if no byte of the request can have reached the server, else with
    // "unknown: ". Does not follow redirects.
    virtual Result<FullResponse> fetch(const ClientRequest& request) = 0;

protected:
    ~HttpClient() = default;
};

}  // namespace integreat::http
