// SPDX-License-Identifier: Apache-2.0
// Streams that are regions of files.
#include <cstdio>

#include "net/testing/stream_fixture.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

class FileRegionTest : public StreamTest {
protected:
    FileRegionTest() {
        for (int i = 0; content.size() < 8'000'000; ++i)
            content += std::to_string(i) + ",";
        auto* temporary = std::tmpfile();
        EXPECT_EQ(std::fwrite(content.data(), 1, content.size(), temporary), content.size());
        EXPECT_EQ(std::fflush(temporary), 0);
        file = std::make_shared<const UniqueFd>(::dup(fileno(temporary)));
        std::fclose(temporary);
        application.handle = [this](const http::Request&, http::RequestContext&) -> http::Response {
            return http::StreamingResponse{
                .status = 206, .body = http::FileRegion{.file = file, .offset = offset, .length = bytes}};
        };
    }
    std::string content;
    std::shared_ptr<const UniqueFd> file;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

TEST_F(FileRegionTest, SendsExactlyTheRegion) {
    start();
    TestClient client(port());
    for (auto [from, count] : {std::pair<std::size_t, std::size_t>{0, 0},
                               {0, 1},
                               {7, 1'000},
                               {3, 64 * 1024},
                               {3, 64 * 1024 + 1},
                               {1'234, 7'000'000}}) {
        offset = from;
        bytes = count;
        auto response = client.fetch(get);
        EXPECT_EQ(response.status, 206);
        EXPECT_EQ(response.field("Content-Length"), std::to_string(count));
        EXPECT_TRUE(response.body == content.substr(from, count)) << count;
    }
    EXPECT_EQ(finished(6)[5].summary.response_body_bytes, 7'000'000u);
    EXPECT_EQ(file.use_count(), 1);
}

TEST_F(FileRegionTest, RespondsWith500WhenTheFileEndsInTheFirstChunk) {
    offset = content.size() - 10;
    bytes = 11;
    start();
    EXPECT_EQ(TestClient(port()).fetch(get).status, 500);
}

TEST_F(FileRegionTest, ResetsTheConnectionWhenTheFileEndsTooSoon) {
    bytes = content.size() + 1;
    start();
    TestClient client(port());
    client.send(get);
    EXPECT_GT(client.read_rest().size(), 1'000'000u);
    EXPECT_TRUE(client.was_reset());
    auto summary = finished(1)[0].summary;
    EXPECT_FALSE(summary.complete);
    EXPECT_EQ(summary.response_body_bytes, content.size());
    EXPECT_EQ(file.use_count(), 1);
}

TEST_F(FileRegionTest, AbortsWhenTheClientStopsReadingOrDisconnects) {
    settings.write_timeout = 50ms;
    bytes = content.size();
    start();
    TestClient stopping(port());
    int room = 64 * 1024;
    setsockopt(stopping.socket(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    stopping.send(get);
    EXPECT_FALSE(finished(1)[0].summary.complete);
    EXPECT_EQ(registry.counter("integreat_http_timeouts_total", "", {{"stage", "write"}}).value(), 1u);
    {
        TestClient leaving(port());
        leaving.send(get);
        leaving.read_until("1,2,3");
    }
    EXPECT_FALSE(finished(2)[1].summary.complete);
    EXPECT_EQ(file.use_count(), 1);
}

}  // namespace
}  // namespace integreat::net
