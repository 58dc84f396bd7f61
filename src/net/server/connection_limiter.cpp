// SPDX-License-Identifier: Apache-2.0
#include "net/server/connection_limiter.h"

#include <algorithm>

namespace integreat::net {

namespace ip = boost::asio::ip;

namespace {

// One client of IPv6 owns a /64 at least.
std::string key_of(const Address& address) {
    if (address.is_v4()) {
        auto bytes = address.to_v4().to_bytes();
        return {bytes.begin(), bytes.end()};
    }
    auto bytes = address.to_v6().to_bytes();
    return {bytes.begin(), bytes.begin() + 8};
}

std::string_view trimmed(std::string_view text) {
    auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

Address without_mapping(const Address& address) {
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

Clients::Entry Clients::enter(const Address& address, bool exempt) {
    auto counts = counts_.lock();
    if (counts->all >= max_) return Entry::server_full;
    auto& count = counts->by_client[key_of(address)];
    if (count >= per_client_max_ && !exempt) return Entry::client_full;
    ++count;
    ++counts->all;
    return Entry::admitted;
}

void Clients::leave(const Address& address) {
    auto counts = counts_.lock();
    --counts->all;
    auto found = counts->by_client.find(key_of(address));
    if (--found->second == 0) counts->by_client.erase(found);
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

std::string TrustedProxies::client_behind(const Address& peer, const http::Headers& headers) const {
    auto client = peer;
    for (auto index = headers.size(); index-- > 0;) {
        auto [name, value] = headers[index];
        if (!http::equal_ignoring_case(name, "X-Forwarded-For")) continue;
        for (auto rest = value; !rest.empty();) {
            auto comma = rest.rfind(',');
            auto text = trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
            rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
            boost::system::error_code error;
            auto address = ip::make_address(std::string(text), error);
            if (error) return client.to_string();  // Nothing left of it can be believed.
            client = without_mapping(address);
            if (!trusts(client)) return client.to_string();
        }
    }
    return client.to_string();
}

}  // namespace integreat::net
