// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing/request_ids.h"

#include <set>

#include <gmock/gmock.h>

namespace integreat::gateway {
namespace {

using ::testing::MatchesRegex;

constexpr std::string_view parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

http::RequestContext make_context(RequestIdGenerator& generator, std::string_view traceparent,
                                  Time started = from_unix_seconds(1)) {
    http::RequestContext context;
    context.started = started;
    generator.assign(context, traceparent);
    return context;
}

TEST(RequestIds, SortByTime) {
    FixedRandom random;
    RequestIdGenerator generator(random);
    auto first = make_context(generator, "", from_unix_seconds(1'795'000'000));
    auto second = make_context(generator, "", from_unix_seconds(1'795'000'001));
    EXPECT_THAT(first.id.text, MatchesRegex("req_[0-9A-HJKMNP-TV-Z]{26}"));
    EXPECT_LT(first.id.text, second.id.text);
    EXPECT_THAT(first.id.text, ::testing::StartsWith("req_01"));  // The prefix of ULIDs of these decades.
}

TEST(RequestIds, AreUnique) {
    FixedRandom random;
    RequestIdGenerator generator(random);
    std::set<std::string> ids, traces, spans;
    for (int i = 0; i < 10'000; ++i) {
        auto context = make_context(generator, "");
        EXPECT_TRUE(ids.insert(context.id.text).second);
        EXPECT_TRUE(traces.insert(context.trace.trace_id).second);
        EXPECT_TRUE(spans.insert(context.trace.parent_id).second);
    }
}

TEST(RequestIds, ContinueAValidTraceWithANewSpan) {
    FixedRandom random;
    RequestIdGenerator generator(random);
    auto context = make_context(generator, parent);
    EXPECT_EQ(context.trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_NE(context.trace.parent_id, "00f067aa0ba902b7");
    EXPECT_TRUE(context.trace.sampled);
    EXPECT_EQ(format_traceparent(context.trace),
              "00-4bf92f3577b34da6a3ce929d0e0e4736-" + context.trace.parent_id + "-01");
}

TEST(RequestIds, BeginANewTraceInsteadOfAnInvalidOne) {
    FixedRandom random;
    RequestIdGenerator generator(random);
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
        auto context = make_context(generator, wrong);
        EXPECT_THAT(context.trace.trace_id, MatchesRegex("[0-9a-f]{32}")) << wrong;
        EXPECT_NE(context.trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736") << wrong;
    }
}

TEST(RequestIds, AcceptFieldsAppendedByNewerVersions) {
    http::TraceContext trace;
    EXPECT_TRUE(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02-what", trace));
    EXPECT_FALSE(trace.sampled);
}

}  // namespace
}  // namespace integreat::gateway
