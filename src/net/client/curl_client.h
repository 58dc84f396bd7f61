// SPDX-License-Identifier: Apache-2.0
// HTTP out over libcurl. Connections are kept and reused between calls; TLS is verified against the system's
// authorities; redirects are not followed; nothing but http and https is spoken.
#pragma once

#include <condition_variable>
#include <vector>

#include "base/concurrency/synchronized.h"
#include "http/transport/client.h"

namespace integreat::net {

class CurlOutbound final : public http::Outbound {
public:
    // At most `calls_max` at once; those beyond wait for their turn, within their own timeout. `ca_file`: PEM
    // certificates to trust instead of the system's.
    explicit CurlOutbound(int calls_max = 32, std::string ca_file = {});
    ~CurlOutbound();

    Result<http::Reply> fetch(const http::OutboundRequest& request) override;

private:
    // A libcurl easy handle, with the connections it keeps.
    using Handle = void*;
    struct Turns {
        std::vector<Handle> idle;
        int busy = 0;
    };

    Handle take(std::chrono::milliseconds patience);  // Null if no turn came.
    void give_back(Handle handle);

    int calls_max_;
    std::string ca_file_;
    Guarded<Turns> turns_;
    std::condition_variable turn_came_;
};

}  // namespace integreat::net
