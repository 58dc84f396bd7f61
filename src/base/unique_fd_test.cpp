// SPDX-License-Identifier: Apache-2.0
#include "base/unique_fd.h"

#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>

namespace integreat {
namespace {

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

class UniqueFdTest : public testing::Test {
protected:
    UniqueFdTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        read = UniqueFd(ends[0]);
        write = UniqueFd(ends[1]);
    }

    UniqueFd read, write;
};

TEST_F(UniqueFdTest, ClosesOnDestruction) {
    int fd = read.get();
    { UniqueFd owner = std::move(read); }
    EXPECT_FALSE(is_open(fd));
    EXPECT_FALSE(read);
}

TEST_F(UniqueFdTest, ClosesTheOldDescriptorOnAssignment) {
    int replaced = read.get(), kept = write.get();
    read = std::move(write);
    EXPECT_FALSE(is_open(replaced));
    EXPECT_TRUE(is_open(kept));
    EXPECT_EQ(read.get(), kept);
}

TEST_F(UniqueFdTest, ReleasesWithoutClosing) {
    int fd = read.release();
    EXPECT_TRUE(is_open(fd));
    EXPECT_FALSE(read);
    ::close(fd);
}

TEST(UniqueFd, IsEmptyAfterAFailedOpen) {
    EXPECT_FALSE(UniqueFd());
    EXPECT_FALSE(UniqueFd(::open("/nonexistent/file", O_RDONLY)));
}

}  // namespace
}  // namespace integreat
