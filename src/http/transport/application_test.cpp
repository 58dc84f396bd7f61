// SPDX-License-Identifier: Apache-2.0
// Pending responses for transports that have the whole request and may block.
#include "http/transport/application.h"

#include <thread>

#include <gtest/gtest.h>

namespace integreat::http {
namespace {

using namespace std::chrono_literals;

class HandleTest : public ::testing::Test {
protected:
    HandleTest() {
        application.admit = [this](const Request& request, RequestContext& request_context) -> Admission {
            EXPECT_TRUE(request_context.may_block);
            if (request.path() == "/admit") return pending();
            return ReadBody{.max_bytes = 10};
        };
        application.handle = [this](const Request&, RequestContext&) -> Response { return pending(); };
        application.reject = [](const Request&, RequestContext&, const Problem& problem) {
            return to_response(problem, "req_test");
        };
    }
    PendingResponse pending() {
        return {.on_ready =
                    [this](std::function<void(bool)> ready) {
                        if (completes)
                            completing = std::jthread([ready = std::move(ready)] { ready(false); });
                    },
                .complete = [] { return FullResponse{.body = "complete"}; }};
    }
    FullResponse send(std::string target) {
        Request request{.target = std::move(target)};
        return std::get<FullResponse>(handle(application, request, context));
    }

    Application application;
    RequestContext context;
    bool completes = true;
    std::jthread completing;
};

TEST_F(HandleTest, WaitsForAPendingResponse) {
    EXPECT_EQ(send("/admit").body, "complete");
    EXPECT_EQ(send("/handle").body, "complete");
    context.deadline = context.arrived + 1h;
    EXPECT_EQ(send("/handle").body, "complete");
}

TEST_F(HandleTest, RejectsAPendingResponseAtTheDeadline) {
    completes = false;
    context.deadline = context.arrived + 1ms;
    auto response = send("/handle");
    EXPECT_EQ(response.status, 503);
    EXPECT_NE(response.body.find("unavailable"), std::string::npos);
    EXPECT_EQ(response.headers.value("Retry-After"), "1");
}

}  // namespace
}  // namespace integreat::http
