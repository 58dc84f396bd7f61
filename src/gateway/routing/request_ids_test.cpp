// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/request_ids.h"

#include <set>

#include <gmock/gmock.h>

namespace integreat::gateway {
namespace {

using testing::MatchesRegex;

constexpr std::string_view parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

http::Call numbered(Numbering& numbering, std::string_view traceparent, Time started = from_unix_seconds(1)) {
    http::Call call;
    call.started = started;
    numbering.number(call, traceparent);
    return call;
}

TEST(Numbering, GivesIdsThatSortByTime) {
    FixedRandom random;
    Numbering numbering(random);
    auto earlier = numbered(numbering, "", from_unix_seconds(1'795'000'000));
    auto later = numbered(numbering, "", from_unix_seconds(1'795'000'001));
    EXPECT_THAT(earlier.id.text, MatchesRegex("req_[0-9A-HJKMNP-TV-Z]{26}"));
    EXPECT_LT(earlier.id.text, later.id.text);
    EXPECT_THAT(earlier.id.text, testing::StartsWith("req_01"));  // As ULIDs of these decades do.
}

TEST(Numbering, NeverRepeatsItself) {
    FixedRandom random;
    Numbering numbering(random);
    std::set<std::string> ids, traces, spans;
    for (int i = 0; i < 10'000; ++i) {
        auto call = numbered(numbering, "");
        EXPECT_TRUE(ids.insert(call.id.text).second);
        EXPECT_TRUE(traces.insert(call.trace.trace_id).second);
        EXPECT_TRUE(spans.insert(call.trace.parent_id).second);
    }
}

TEST(Numbering, ContinuesAValidTraceWithASpanOfItsOwn) {
    FixedRandom random;
    Numbering numbering(random);
    auto call = numbered(numbering, parent);
    EXPECT_EQ(call.trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_NE(call.trace.parent_id, "00f067aa0ba902b7");
    EXPECT_TRUE(call.trace.sampled);
    EXPECT_EQ(traceparent_of(call.trace),
              "00-4bf92f3577b34da6a3ce929d0e0e4736-" + call.trace.parent_id + "-01");
}

TEST(Numbering, BeginsANewTraceInsteadOfAnInvalidOne) {
    FixedRandom random;
    Numbering numbering(random);
    for (std::string_view wrong : {
             "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
             "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
             "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
             "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01extra",
             "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
             "garbage",
         }) {
        auto call = numbered(numbering, wrong);
        EXPECT_THAT(call.trace.trace_id, MatchesRegex("[0-9a-f]{32}")) << wrong;
        EXPECT_NE(call.trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736") << wrong;
    }
}

TEST(Numbering, AcceptsWhatLaterVersionsAppend) {
    http::TraceContext trace;
    EXPECT_TRUE(read_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02-what", trace));
    EXPECT_FALSE(trace.sampled);
}

}  // namespace
}  // namespace integreat::gateway
