// SPDX-License-Identifier: Apache-2.0
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

// Says what it was told, step by step, and then ends.
class Scripted final : public BodySource {
public:
    struct Step {
        std::string bytes;
        Pace pace = Pace::more;
    };
    explicit Scripted(std::vector<Step> steps) : steps_(std::move(steps)) {}

    Pace produce(std::string& to, const Demand& demand) override {
        if (next_ == steps_.size()) return Pace::end;
        const auto& step = steps_[next_++];
        if (step.bytes == "throw") throw std::runtime_error("the script says so");
        to += step.bytes;
        if (step.pace == Pace::idle && step.bytes != "for ever") waker_ = std::jthread(demand.wake);
        return step.pace;
    }

private:
    std::vector<Step> steps_;
    std::size_t next_ = 0;
    std::jthread waker_;
};

Stream scripted(std::vector<Scripted::Step> steps) {
    return {.body = std::make_unique<Scripted>(std::move(steps))};
}

Stream region(std::uint64_t offset, std::uint64_t length) {
    auto* file = std::tmpfile();
    std::fputs("0123456789", file);
    std::fflush(file);
    auto open = std::make_shared<const OpenFile>(::dup(fileno(file)));
    std::fclose(file);
    return {.body = FileRegion{.file = open, .offset = offset, .length = length}};
}

TEST(Collect, PutsThePiecesTogether) {
    auto stream = scripted({{"one "}, {"two ", Pace::idle}, {"three", Pace::end}});
    stream.status = 201;
    stream.headers.add("Kind", "test");
    auto reply = collect(std::move(stream), 100, 10s);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, "one two three");
    EXPECT_EQ(reply->status, 201);
    EXPECT_EQ(reply->headers.value("Kind"), "test");
}

TEST(Collect, TakesWhatIsThereOfAnEndlessStream) {
    auto stream =
        event_stream(std::make_unique<Scripted>(std::vector<Scripted::Step>{{"for ever", Pace::idle}}));
    auto reply = collect(std::move(stream), 100, 0ms);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, "for ever");
    EXPECT_EQ(reply->headers.value("Content-Type"), "text/event-stream");
}

TEST(Collect, RefusesWhatIsNotWhole) {
    for (auto steps : {std::vector<Scripted::Step>{{"a"}, {"throw"}},
                       {{"a"}, {"b", Pace::broken}},
                       {{"for ever", Pace::idle}}}) {
        auto reply = collect(scripted(std::move(steps)), 100, 0ms);
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().fault, Fault::unavailable);
    }
    auto stream = scripted({{"abc"}});
    stream.length = 4;
    EXPECT_FALSE(collect(std::move(stream), 100, 0ms));
    EXPECT_FALSE(collect(region(5, 6), 100, 0ms));
}

TEST(Collect, RefusesWhatIsTooLong) {
    for (std::size_t limit : {9u, 10u}) {
        auto made = collect(scripted({{"01234"}, {"56789"}}), limit, 0ms);
        auto read = collect(region(0, 10), limit, 0ms);
        ASSERT_EQ(static_cast<bool>(made), limit == 10);
        ASSERT_EQ(static_cast<bool>(read), limit == 10);
        if (limit == 10) continue;
        EXPECT_EQ(made.error().fault, Fault::exhausted);
        EXPECT_EQ(read.error().fault, Fault::exhausted);
    }
}

TEST(Collect, ReadsTheRegionOfAFile) {
    auto reply = collect(region(3, 4), 100, 0ms);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, "3456");
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
