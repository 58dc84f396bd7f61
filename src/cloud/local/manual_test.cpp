// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>

#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud {
namespace {

using namespace testing;

TEST(Manual, IsWhatTheTableOfOperationsSays) {
    std::ifstream file(std::string(INTEGREAT_SOURCE_DIR) + "/docs/local-cloud.md");
    std::string written{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(written, manual()) << "write it anew: integreat cloud --manual > docs/local-cloud.md";
}

// Each operation that wants a signature, called without one and by somebody who may do nothing.
TEST_F(LocalCloudTest, EveryOperationRefusesTheUnsignedAndTheUnpermitted) {
    auto made = form("iam", "Action=CreateUser&UserName=nobody", root());
    ASSERT_EQ(made.status, 200);
    made = form("iam", "Action=CreateAccessKey&UserName=nobody", root());
    Key nobody{made.text("AccessKeyId"), made.text("SecretAccessKey")};
    std::size_t walked = 0;
    for (const auto& api : cloud->front.apis) {
        if (api.protocol == Protocol::rest_xml || api.protocol == Protocol::rest_json) continue;
        for (const auto& operation : api.operations) {
            EXPECT_FALSE(operation.about.supported.empty()) << operation.about.name;
            EXPECT_FALSE(operation.about.checks.empty()) << operation.about.name;
            if (operation.signing == Signing::none) continue;
            ++walked;
            Sent sent{.service = api.signing_name, .body = "{}"};
            if (api.protocol == Protocol::query) {
                sent.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
                sent.body = "Action=" + std::string(operation.about.name);
            } else {
                sent.headers = {
                    {"X-Amz-Target", api.target_prefix + "." + std::string(operation.about.name)}};
            }
            auto answer = ask(cloud->application, unsigned_request(sent));
            EXPECT_TRUE(answer.says("MissingAuthenticationToken")) << operation.about.name << answer.body;
            bool open =
                operation.about.name == "GetCallerIdentity" || operation.about.name == "GetSessionToken";
            answer = ask(cloud->application, signed_request(sent, nobody, clock.now()));
            EXPECT_EQ(answer.status < 300, open) << operation.about.name << answer.body;
        }
    }
    EXPECT_GE(walked, 50u);
}

}  // namespace
}  // namespace integreat::cloud
