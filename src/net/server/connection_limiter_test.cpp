// SPDX-License-Identifier: Apache-2.0
#include "net/server/connection_limiter.h"

#include <gtest/gtest.h>

namespace integreat::net {
namespace {

using boost::asio::ip::make_address;

TEST(ConnectionLimiter, LimitsAllConnectionsAndThoseOfEachClient) {
    ConnectionLimiter limiter(4, 2);
    EXPECT_EQ(limiter.acquire(make_address("192.0.2.1"), false), ConnectionLimiter::Decision::admitted);
    EXPECT_EQ(limiter.acquire(make_address("192.0.2.1"), false), ConnectionLimiter::Decision::admitted);
    EXPECT_EQ(limiter.acquire(make_address("192.0.2.1"), false), ConnectionLimiter::Decision::client_full);
    EXPECT_EQ(limiter.acquire(make_address("192.0.2.1"), true), ConnectionLimiter::Decision::admitted);
    EXPECT_EQ(limiter.acquire(make_address("192.0.2.2"), false), ConnectionLimiter::Decision::admitted);
    EXPECT_EQ(limiter.acquire(make_address("192.0.2.3"), true), ConnectionLimiter::Decision::server_full);
    limiter.release(make_address("192.0.2.2"));
    EXPECT_EQ(limiter.acquire(make_address("192.0.2.3"), false), ConnectionLimiter::Decision::admitted);
}

TEST(ConnectionLimiter, CountsAnIpv6NetworkAsOneClient) {
    ConnectionLimiter limiter(10, 1);
    EXPECT_EQ(limiter.acquire(make_address("2001:db8::1"), false), ConnectionLimiter::Decision::admitted);
    EXPECT_EQ(limiter.acquire(make_address("2001:db8::2"), false), ConnectionLimiter::Decision::client_full);
    EXPECT_EQ(limiter.acquire(make_address("2001:db8:0:1::1"), false), ConnectionLimiter::Decision::admitted);
    limiter.release(make_address("2001:db8::7"));
    EXPECT_EQ(limiter.acquire(make_address("2001:db8::2"), false), ConnectionLimiter::Decision::admitted);
}

}  // namespace
}  // namespace integreat::net
