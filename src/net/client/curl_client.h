// SPDX-License-Identifier: Apache-2.0
// An HTTP client over libcurl. Connections are kept alive and reused; TLS certificates are verified with the
// system's CAs; redirects are not followed; only http and https are supported.
#pragma once

#include <condition_variable>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "http/transport/client.h"

namespace integreat::net {

class CurlHttpClient final : public http::HttpClient {
public:
    // Permits `calls_max` concurrent calls; further calls wait for a handle, within their own timeout.
    // `ca_file`: PEM certificates of the CAs to trust instead of the system's.
    explicit CurlHttpClient(int calls_max = 32, std::string ca_file = {});
    ~CurlHttpClient();

    Result<http::FullResponse> fetch(const http::ClientRequest& request) override;

private:
    // A libcurl easy handle, including its idle connections.
    using Handle = void*;
    struct HandlePool {
        std::vector<Handle> idle;
        int busy = 0;
    };

    Handle acquire(std::chrono::milliseconds timeout);  // Returns null on timeout.
    void release(Handle handle);

    int calls_max_;
    std::string ca_file_;
    Synchronized<HandlePool> handles_;
    std::condition_variable handle_available_;
};

}  // namespace integreat::net
