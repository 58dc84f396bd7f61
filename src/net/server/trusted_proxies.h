// SPDX-License-Identifier: Apache-2.0
// Determines the client address of a request that arrived through proxies.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "base/result.h"
#include "http/message/headers.h"

namespace integreat::net {

using Address = boost::asio::ip::address;

// Converts an IPv4-mapped IPv6 address: ::ffff:192.0.2.7 → 192.0.2.7.
Address unmap_v4(const Address& address);

// The proxies whose X-Forwarded-For is trusted.
class TrustedProxies {
public:
    // Parses addresses ("192.0.2.7") and networks ("10.0.0.0/8"). Fault::invalid names the first invalid
    // text.
    static Result<TrustedProxies> parse(const std::vector<std::string>& texts);

    bool trusts(const Address& address) const;
    // Returns the rightmost address of X-Forwarded-For that is not a trusted proxy, or `peer` if there is
    // none. The client could have invented the addresses to the left of it.
    std::string client_address(const Address& peer, const http::Headers& headers) const;

private:
    std::vector<boost::asio::ip::network_v4> v4_;
    std::vector<boost::asio::ip::network_v6> v6_;
};

}  // namespace integreat::net
