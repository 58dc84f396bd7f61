// SPDX-License-Identifier: Apache-2.0
#include "postgres/driver/connect_options.h"

#include <gtest/gtest.h>

namespace integreat::postgres {
namespace {

ConnectOptions parse(const std::string& url) {
    auto parsed = parse_connect_options(Secret(url));
    EXPECT_TRUE(parsed);
    return parsed ? *parsed : ConnectOptions{};
}

TEST(ConnectOptions, VerifyTheNameOfARemoteServer) {
    auto neon = parse("postgresql://u:p@ep-cool-1.us-east-2.aws.neon.tech/db");
    EXPECT_EQ(neon.find("sslmode"), "verify-full");
    EXPECT_EQ(neon.find("sslrootcert"), "/etc/ssl/certs/ca-certificates.crt");
    EXPECT_EQ(neon.find("host"), "ep-cool-1.us-east-2.aws.neon.tech");
}

TEST(ConnectOptions, KeepTheOptionsOfTheUrl) {
    auto neon = parse("postgresql://u:p@db.example/db?sslmode=require&channel_binding=require");
    EXPECT_EQ(neon.find("sslmode"), "require");
    EXPECT_EQ(neon.find("channel_binding"), "require");
    EXPECT_EQ(neon.find("sslrootcert"), "");
    EXPECT_EQ(
        parse("postgresql://u@db.example/db?sslmode=verify-full&sslrootcert=/own.crt").find("sslrootcert"),
        "/own.crt");
}

TEST(ConnectOptions, UseNoTlsForALocalServer) {
    EXPECT_EQ(parse("host=/run/x dbname=y").find("sslmode"), "");
    EXPECT_EQ(parse("postgresql://u@localhost/db").find("sslmode"), "");
    EXPECT_EQ(parse("postgresql://u@localhost/db").find("client_encoding"), "UTF8");
}

}  // namespace
}  // namespace integreat::postgres
