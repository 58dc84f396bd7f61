// SPDX-License-Identifier: Apache-2.0
#include "net/server/connection_limiter.h"

namespace integreat::net {

namespace {

// Returns the key of a client; an IPv6 client owns at least a /64.
std::string client_key(const Address& address) {
    if (address.is_v4()) {
        auto bytes = address.to_v4().to_bytes();
        return {bytes.begin(), bytes.end()};
    }
    auto bytes = address.to_v6().to_bytes();
    return {bytes.begin(), bytes.begin() + 8};
}

}  // namespace

ConnectionLimiter::Decision ConnectionLimiter::acquire(const Address& address, bool exempt) {
    auto counts = counts_.lock();
    if (counts->all >= max_) return Decision::server_full;
    auto& count = counts->by_client[client_key(address)];
    if (count >= per_client_max_ && !exempt) return Decision::client_full;
    ++count;
    ++counts->all;
    return Decision::admitted;
}

void ConnectionLimiter::release(const Address& address) {
    auto counts = counts_.lock();
    --counts->all;
    auto found = counts->by_client.find(client_key(address));
    if (--found->second == 0) counts->by_client.erase(found);
}

}  // namespace integreat::net
