// SPDX-License-Identifier: Apache-2.0
#include "cli/configuration/doctor.h"

#include <fstream>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/testing/temporary_folder.h"

namespace integreat::cli {
namespace {

using testing::HasSubstr;

TEST(Doctor, DetectsAPortInUse) {
    TemporaryFolder folder;
    int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    auto port = ntohs(address.sin_port);
    auto finding = check_port("the gateway", port, folder.path);
    EXPECT_EQ(finding.severity, Finding::Severity::error);
    EXPECT_THAT(finding.fix, HasSubstr("--ports auto"));
    ::close(listener);
    EXPECT_EQ(check_port("the gateway", port, folder.path).severity, Finding::Severity::ok);
}

TEST(Doctor, DetectsAnInvalidDataFolder) {
    TemporaryFolder folder;
    std::ofstream(folder.path / "file") << "x";
    EXPECT_EQ(check_data_folder(folder.path / "file").severity, Finding::Severity::error);
    EXPECT_EQ(check_open_files(1).severity, Finding::Severity::ok);
    EXPECT_EQ(check_open_files(1ull << 40).severity, Finding::Severity::warning);
}

}  // namespace
}  // namespace integreat::cli
