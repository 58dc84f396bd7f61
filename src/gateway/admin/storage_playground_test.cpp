// SPDX-License-Identifier: Apache-2.0
#include "gateway/admin/storage_playground.h"

#include <map>

#include <gmock/gmock.h>

#include "gateway/testing/gateway_fixture.h"

namespace integreat::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class StoragePlaygroundTest : public ::testing::Test {
protected:
    StoragePlaygroundTest() {
        fixture.exposure = http::Exposure::this_machine;
        fixture.publish(
            storage_playground_routes({.config = [](std::string_view app) -> std::optional<PlaygroundConfig> {
                                           if (app != "campus") return std::nullopt;
                                           return PlaygroundConfig{.title = "Campus <1>",
                                                                   .json = R"({"title":"</script><b>"})",
                                                                   .origins = {"http://127.0.0.1:4566"}};
                                       },
                                       .file = [this](const std::string& name) -> std::optional<std::string> {
                                           auto found = files.find(name);
                                           if (found == files.end()) return std::nullopt;
                                           return found->second;
                                       },
                                       .build_commands = "npm ci && npm run build"}));
    }

    std::map<std::string, std::string> files{{"try.js", "run()"}, {"try.css", "b{}"}, {"secret", "x"}};
    testing::GatewayFixture fixture;
};

TEST_F(StoragePlaygroundTest, PassesTheConfigurationToItsOwnScript) {
    auto page = fixture.get("/try/campus");
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, HasSubstr("src=\"/try/files/try.js\""));
    EXPECT_THAT(page.body, HasSubstr(R"({"title":"\u003c/script>\u003cb>"})"));
    EXPECT_THAT(page.body, HasSubstr("<title>Files of Campus &lt;1&gt;</title>"));
    auto policy = page.headers.value("Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self';"));
    EXPECT_THAT(policy, HasSubstr("connect-src 'self' http://127.0.0.1:4566;"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST_F(StoragePlaygroundTest, ServesOnlyTheTwoFiles) {
    auto file = fixture.get("/try/files/try.js");
    EXPECT_EQ(file.body, "run()");
    EXPECT_EQ(file.headers.value("Content-Type"), "text/javascript; charset=utf-8");
    EXPECT_EQ(fixture.get("/try/files/try.css").headers.value("Content-Type"), "text/css; charset=utf-8");
    for (auto other : {"secret", "..", "%2e%2e%2fsecret", "try.js%00"})
        EXPECT_NE(fixture.get("/try/files/" + std::string(other)).status, 200) << other;
    EXPECT_EQ(fixture.get("/try/files/secret").type, "not-found");
}

TEST_F(StoragePlaygroundTest, ShowsTheBuildCommandsOfMissingFiles) {
    files.erase("try.js");
    auto page = fixture.get("/try/campus");
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, HasSubstr("npm ci &amp;&amp; npm run build"));
    EXPECT_EQ(fixture.get("/try/files/try.js").type, "not-found");
}

TEST_F(StoragePlaygroundTest, RejectsUnknownApps) {
    EXPECT_EQ(fixture.get("/try/nobody").type, "not-found");
}

}  // namespace
}  // namespace integreat::gateway
