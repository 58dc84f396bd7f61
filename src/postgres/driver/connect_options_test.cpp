// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "postgres/driver/connection.h"

namespace integreat::postgres {
namespace {

ConnectOptions options(const std::string& url) {
    auto parsed = connect_options(Secret(url));
    EXPECT_TRUE(parsed);
    return parsed ? *parsed : ConnectOptions{};
}

TEST(ConnectOptions, CheckTheNameOfAServerElsewhere) {
    auto neon = options("postgresql://u:p@ep-cool-1.us-east-2.aws.neon.tech/db");
    EXPECT_EQ(neon.find("sslmode"), "verify-full");
    EXPECT_EQ(neon.find("sslrootcert"), "/etc/ssl/certs/ca-certificates.crt");
    EXPECT_EQ(neon.find("host"), "ep-cool-1.us-east-2.aws.neon.tech");
}

TEST(ConnectOptions, KeepWhatTheUrlSays) {
    auto neon = options("postgresql://u:p@db.example/db?sslmode=require&channel_binding=require");
    EXPECT_EQ(neon.find("sslmode"), "require");
    EXPECT_EQ(neon.find("channel_binding"), "require");
    EXPECT_EQ(neon.find("sslrootcert"), "");
    EXPECT_EQ(
        options("postgresql://u@db.example/db?sslmode=verify-full&sslrootcert=/own.crt").find("sslrootcert"),
        "/own.crt");
}

TEST(ConnectOptions, UseNoTlsOnThisMachine) {
    EXPECT_EQ(options("host=/run/x dbname=y").find("sslmode"), "");
    EXPECT_EQ(options("postgresql://u@localhost/db").find("sslmode"), "");
    EXPECT_EQ(options("postgresql://u@localhost/db").find("client_encoding"), "UTF8");
}

}  // namespace
}  // namespace integreat::postgres
