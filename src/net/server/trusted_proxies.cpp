// SPDX-License-Identifier: Apache-2.0
#include "net/server/trusted_proxies.h"

#include <algorithm>

#include "base/text/ascii.h"

namespace integreat::net {

namespace ip = boost::asio::ip;

Address unmap_v4(const Address& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& texts) {
    TrustedProxies proxies;
    for (const auto& text : texts) {
        bool network = text.find('/') != std::string::npos;
        boost::system::error_code error;
        if (auto v4 = ip::make_network_v4(network ? text : text + "/32", error); !error) {
            proxies.v4_.push_back(v4.canonical());
        } else if (auto v6 = ip::make_network_v6(network ? text : text + "/128", error); !error) {
            proxies.v6_.push_back(v6.canonical());
        } else {
            return Error{Fault::invalid,
                         "\"" + text + "\" is neither an address nor a network such as 10.0.0.0/8", ""};
        }
    }
    return proxies;
}

bool TrustedProxies::trusts(const Address& address) const {
    if (address.is_v4()) {
        ip::network_v4 host(address.to_v4(), 32);
        return std::any_of(v4_.begin(), v4_.end(), [&](const auto& network) {
            return network == host || host.is_subnet_of(network);
        });
    }
    ip::network_v6 host(address.to_v6(), 128);
    return std::any_of(v6_.begin(), v6_.end(),
                       [&](const auto& network) { return network == host || host.is_subnet_of(network); });
}

std::string TrustedProxies::client_address(const Address& peer, const http::Headers& headers) const {
    auto client = peer;
    for (auto index = headers.size(); index-- > 0;) {
        auto [name, value] = headers[index];
        if (!iequals(name, "X-Forwarded-For")) continue;
        for (auto rest = value; !rest.empty();) {
            auto comma = rest.rfind(',');
            auto text = trim(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
            rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
            boost::system::error_code error;
            auto address = ip::make_address(std::string(text), error);
            if (error) return client.to_string();  // The addresses to the left cannot be trusted.
            client = unmap_v4(address);
            if (!trusts(client)) return client.to_string();
        }
    }
    return client.to_string();
}

}  // namespace integreat::net
