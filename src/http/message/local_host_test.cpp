// SPDX-License-Identifier: Apache-2.0
#include "http/message/local_host.h"

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

bool accepts(std::string_view host, std::string_view origin = {}) {
    Request request;
    request.headers.add("Host", host);
    if (!origin.empty()) request.headers.add("Origin", origin);
    return names_this_machine(request);
}

TEST(LocalHost, AcceptsThisMachine) {
    for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]", "[::1]:80"})
        EXPECT_TRUE(accepts(host)) << host;
    EXPECT_TRUE(accepts("127.0.0.1:8080", "http://localhost:3000"));
}

TEST(LocalHost, RefusesOtherHostsAndOrigins) {
    for (const char* host :
         {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1]x", "[::2]"})
        EXPECT_FALSE(accepts(host)) << host;
    for (const char* origin : {"http://evil.example", "null", "http://localhost.evil.example", "file://"})
        EXPECT_FALSE(accepts("127.0.0.1", origin)) << origin;
}

}  // namespace
}  // namespace integreat::http
