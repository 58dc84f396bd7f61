// SPDX-License-Identifier: Apache-2.0
#include "http/routing/request_context.h"

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

TEST(RequestContext, KeepsNothingForTheNextRequestOfTheConnection) {
    RequestContext context;
    context.cause = "cause of the first request";
    context.replay_body = "replay body of the first request";
    context.response_body = "response body of the first request";
    context.principal = std::make_shared<const Principal>();
    context.finished_stages = 6;
    int attached = 0;
    context.attachments.set(&attached);
    clear(context);
    EXPECT_EQ(context.cause, "");
    EXPECT_EQ(context.replay_body, "");
    EXPECT_EQ(context.response_body, "");
    EXPECT_EQ(context.principal, nullptr);
    EXPECT_EQ(context.finished_stages, 0);
    EXPECT_EQ(context.attachments.find<int>(), nullptr);
}

}  // namespace
}  // namespace integreat::http
