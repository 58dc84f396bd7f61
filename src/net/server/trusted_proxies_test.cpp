// SPDX-License-Identifier: Apache-2.0
#include "net/server/trusted_proxies.h"

#include <gtest/gtest.h>

namespace integreat::net {
namespace {

using boost::asio::ip::make_address;

TEST(TrustedProxies, AreAddressesOrNetworks) {
    auto proxies = TrustedProxies::parse({"192.0.2.7", "10.1.0.0/16", "2001:db8::/32", "::1"});
    ASSERT_TRUE(proxies);
    for (auto* trusted : {"192.0.2.7", "10.1.255.1", "2001:db8:1::1", "::1"}) {
        EXPECT_TRUE(proxies->trusts(make_address(trusted))) << trusted;
    }
    for (auto* other : {"192.0.2.8", "10.2.0.1", "2001:db9::1", "::2"}) {
        EXPECT_FALSE(proxies->trusts(make_address(other))) << other;
    }
    EXPECT_EQ(unmap_v4(make_address("::ffff:192.0.2.7")), make_address("192.0.2.7"));

    auto faulty = TrustedProxies::parse({"10.0.0.0/8", "proxy.example"});
    ASSERT_FALSE(faulty);
    EXPECT_EQ(faulty.error().message,
              "\"proxy.example\" is neither an address nor a network such as 10.0.0.0/8");
}

TEST(TrustedProxies, DetermineTheClientAddress) {
    auto proxies = TrustedProxies::parse({"192.0.2.7", "10.1.0.0/16"});
    ASSERT_TRUE(proxies);
    auto client = [&](std::initializer_list<const char*> values) {
        http::Headers headers;
        for (auto* value : values)
            headers.add("x-forwarded-for", value);
        return proxies->client_address(make_address("192.0.2.7"), headers);
    };
    EXPECT_EQ(client({}), "192.0.2.7");
    EXPECT_EQ(client({"198.51.100.1"}), "198.51.100.1");
    EXPECT_EQ(client({"198.51.100.1, 198.51.100.2"}), "198.51.100.2");
    EXPECT_EQ(client({"198.51.100.1 ,10.1.0.9,\t10.1.0.8"}), "198.51.100.1");
    EXPECT_EQ(client({"198.51.100.1", "198.51.100.2", "10.1.0.9"}), "198.51.100.2");
    EXPECT_EQ(client({"10.1.0.1"}), "10.1.0.1");
    EXPECT_EQ(client({"198.51.100.1, unknown, 10.1.0.9"}), "10.1.0.9");
    EXPECT_EQ(client({"::ffff:198.51.100.1"}), "198.51.100.1");
    EXPECT_EQ(client({"2001:db8::5"}), "2001:db8::5");
    EXPECT_EQ(client({""}), "192.0.2.7");
}

}  // namespace
}  // namespace integreat::net
