// SPDX-License-Identifier: Apache-2.0
#include "http/message/proxy_headers.h"

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

const TenantId campus{"campus"};

TEST(ProxyHeaders, LimitCookiesToTheirApp) {
    EXPECT_EQ(limit_cookie("sid=1", campus), "sid=1; Path=/v1/apps/campus/");
    EXPECT_EQ(limit_cookie("sid=evil; Path=/; Domain=example.ph; Secure; HttpOnly", campus),
              "sid=evil; Secure; HttpOnly; Path=/v1/apps/campus/");
    EXPECT_EQ(limit_cookie("a=b;path=/x ;; DOMAIN = y;Max-Age=5", campus),
              "a=b; Max-Age=5; Path=/v1/apps/campus/");
    EXPECT_EQ(limit_cookie("__Secure-a=b; Secure", campus), "__Secure-a=b; Secure; Path=/v1/apps/campus/");
}

TEST(ProxyHeaders, DropCookiesThatNeedTheWholeHost) {
    EXPECT_EQ(limit_cookie("__Host-a=b; Path=/; Secure", campus), std::nullopt);
    EXPECT_EQ(limit_cookie("__host-a=b; Path=/; Secure", campus), std::nullopt);
    EXPECT_EQ(limit_cookie("", campus), std::nullopt);
    EXPECT_EQ(limit_cookie("; Path=/", campus), std::nullopt);
}

TEST(ProxyHeaders, DropFieldsWithAnEffectOnTheWholeHost) {
    Headers ours;
    for (const char* name : {"Service-Worker-Allowed", "clear-site-data", "Strict-Transport-Security",
                             "Access-Control-Allow-Origin"})
        EXPECT_FALSE(is_forwardable(name, ours)) << name;
    for (const char* name : {"Set-Cookie", "ETag", "Content-Type", "Link"})
        EXPECT_TRUE(is_forwardable(name, ours)) << name;
}

}  // namespace
}  // namespace integreat::http
