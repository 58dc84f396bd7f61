// SPDX-License-Identifier: Apache-2.0
#include "http/transport/buffered.h"

#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "http/message/event_stream.h"
#include "http/transport/application.h"

namespace integreat::http {
namespace {

using namespace std::chrono_literals;

// Returns the given steps one by one, then the end of the body.
class ScriptedBody final : public BodyStream {
public:
    struct Step {
        std::string bytes;
        ReadStatus status = ReadStatus::ready;
    };
    explicit ScriptedBody(std::vector<Step> steps) : steps_(std::move(steps)) {}

    ReadStatus read(std::string& to, const ReadRequest& request) override {
        if (next_ == steps_.size()) return ReadStatus::eof;
        const auto& step = steps_[next_++];
        if (step.bytes == "throw") throw std::runtime_error("as scripted");
        to += step.bytes;
        if (step.status == ReadStatus::pending && step.bytes != "forever")
            waker_ = std::jthread(request.waker);
        return step.status;
    }

private:
    std::vector<Step> steps_;
    std::size_t next_ = 0;
    std::jthread waker_;
};

StreamingResponse scripted(std::vector<ScriptedBody::Step> steps) {
    return {.body = std::make_unique<ScriptedBody>(std::move(steps))};
}

StreamingResponse region(std::uint64_t offset, std::uint64_t length) {
    auto* file = std::tmpfile();
    std::fputs("0123456789", file);
    std::fflush(file);
    auto open = std::make_shared<const UniqueFd>(::dup(fileno(file)));
    std::fclose(file);
    return {.body = FileRegion{.file = open, .offset = offset, .length = length}};
}

TEST(BufferResponse, JoinsTheChunks) {
    auto stream = scripted({{"one "}, {"two ", ReadStatus::pending}, {"three", ReadStatus::eof}});
    stream.status = 201;
    stream.headers.add("Kind", "test");
    auto response = buffer_response(std::move(stream), 100, 10s);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "one two three");
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(response->headers.value("Kind"), "test");
}

TEST(BufferResponse, ReturnsTheAvailableDataOfAnEndlessStream) {
    auto stream = make_event_stream(
        std::make_unique<ScriptedBody>(std::vector<ScriptedBody::Step>{{"forever", ReadStatus::pending}}));
    auto response = buffer_response(std::move(stream), 100, 0ms);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "forever");
    EXPECT_EQ(response->headers.value("Content-Type"), "text/event-stream");
}

TEST(BufferResponse, RefusesIncompleteResponses) {
    for (auto steps : {std::vector<ScriptedBody::Step>{{"a"}, {"throw"}},
                       {{"a"}, {"b", ReadStatus::error}},
                       {{"forever", ReadStatus::pending}}}) {
        auto response = buffer_response(scripted(std::move(steps)), 100, 0ms);
        ASSERT_FALSE(response);
        EXPECT_EQ(response.error().fault, Fault::unavailable);
    }
    auto stream = scripted({{"abc"}});
    stream.length = 4;
    EXPECT_FALSE(buffer_response(std::move(stream), 100, 0ms));
    EXPECT_FALSE(buffer_response(region(5, 6), 100, 0ms));
}

TEST(BufferResponse, RefusesTooLongResponses) {
    for (std::size_t limit : {9u, 10u}) {
        auto streamed = buffer_response(scripted({{"01234"}, {"56789"}}), limit, 0ms);
        auto read = buffer_response(region(0, 10), limit, 0ms);
        ASSERT_EQ(static_cast<bool>(streamed), limit == 10);
        ASSERT_EQ(static_cast<bool>(read), limit == 10);
        if (limit == 10) continue;
        EXPECT_EQ(streamed.error().fault, Fault::exhausted);
        EXPECT_EQ(read.error().fault, Fault::exhausted);
    }
}

TEST(BufferResponse, ReadsTheRegionOfAFile) {
    auto response = buffer_response(region(3, 4), 100, 0ms);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "3456");
}

TEST(EventStream, WritesOneFieldPerLine) {
    std::string text;
    append_event(text, {.id = "7", .type = "created", .data = "one\ntwo\r\nthree\rfour"});
    append_event(text, {.data = ""});
    EXPECT_EQ(text,
              "event: created\ndata: one\ndata: two\ndata: three\ndata: four\nid: 7\n\n"
              "data: \n\n");
}

}  // namespace
}  // namespace integreat::http
