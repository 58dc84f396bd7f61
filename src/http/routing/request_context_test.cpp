// SPDX-License-Identifier: Apache-2.0
#include "http/routing/request_context.h"

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

TEST(Call, HandsNothingOnToTheNextRequestOfAConnection) {
    Call call;
    call.cause = "of the first";
    call.replay_body = "what the first one's Idempotency-Key gets";
    call.response_body = "what the first one was answered";
    call.principal = std::make_shared<const Principal>();
    clear(call);
    EXPECT_EQ(call.cause, "");
    EXPECT_EQ(call.replay_body, "");
    EXPECT_EQ(call.response_body, "");
    EXPECT_EQ(call.principal, nullptr);
    EXPECT_EQ(call.transaction, nullptr);
}

}  // namespace
}  // namespace integreat::http
