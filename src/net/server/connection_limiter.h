// SPDX-License-Identifier: Apache-2.0
// Who is connected how often, over all I/O threads: asked once per connection, not per request.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "base/concurrency/synchronized.h"
#include "base/result.h"
#include "http/message/headers.h"

namespace integreat::net {

using Address = boost::asio::ip::address;

// ::ffff:192.0.2.7 is 192.0.2.7.
Address without_mapping(const Address& address);

class Clients {
public:
    Clients(int connections_max, int per_client_max)
        : max_(connections_max), per_client_max_(per_client_max) {}

    enum class Entry { admitted, server_full, client_full };
    // An admitted one leaves with the same arguments. `exempt` from the limit per client, not from the other.
    Entry enter(const Address& address, bool exempt);
    void leave(const Address& address);

private:
    struct Counts {
        int all = 0;
        std::unordered_map<std::string, int> by_client;
    };
    int max_;
    int per_client_max_;
    Guarded<Counts> counts_;
};

// Whose X-Forwarded-For is believed.
class TrustedProxies {
public:
    // Addresses ("192.0.2.7") or networks ("10.0.0.0/8"); Fault::invalid names the first that is neither.
    static Result<TrustedProxies> parse(const std::vector<std::string>& texts);

    bool trusts(const Address& address) const;
    // The rightmost address of X-Forwarded-For that is not a trusted proxy; `peer` if there is none. What
    // stands left of it could have been made up by the client.
    std::string client_behind(const Address& peer, const http::Headers& headers) const;

private:
    std::vector<boost::asio::ip::network_v4> v4_;
    std::vector<boost::asio::ip::network_v6> v6_;
};

}  // namespace integreat::net
