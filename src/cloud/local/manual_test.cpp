// SPDX-License-Identifier: Apache-2.0
#include "cloud/local/manual.h"

#include <fstream>
#include <iterator>

#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud {
namespace {

using namespace testing;

TEST(Manual, MatchesTheTableOfOperations) {
    std::ifstream file(std::string(INTEGREAT_SOURCE_DIR) + "/docs/reference/local-cloud.md");
    std::string written{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(written, render_manual())
        << "regenerate it: integreat cloud --manual > docs/reference/local-cloud.md";
}

// Calls every operation that requires a signature without one and with a user who has no permissions.
TEST_F(LocalCloudTest, EveryOperationRefusesUnsignedAndUnauthorizedRequests) {
    auto nobody = make_user("nobody");
    std::size_t checked = 0;
    for (const auto& api : cloud->frontend.apis) {
        if (api.protocol == Protocol::rest_xml || api.protocol == Protocol::rest_json) continue;
        for (const auto& operation : api.operations) {
            EXPECT_FALSE(operation.doc.supported.empty()) << operation.doc.name;
            EXPECT_FALSE(operation.doc.checks.empty()) << operation.doc.name;
            if (operation.signing == Signing::none) continue;
            ++checked;
            RequestSpec spec{.service = api.signing_name, .body = "{}"};
            if (api.protocol == Protocol::query) {
                spec.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
                spec.body = "Action=" + std::string(operation.doc.name);
            } else {
                spec.headers = {{"X-Amz-Target", api.target_prefix + "." + std::string(operation.doc.name)}};
            }
            auto response = send_request(cloud->application, unsigned_request(spec));
            EXPECT_TRUE(response.contains("MissingAuthenticationToken"))
                << operation.doc.name << response.body;
            bool open = operation.doc.name == "GetCallerIdentity" || operation.doc.name == "GetSessionToken";
            response = send_request(cloud->application, signed_request(spec, nobody, clock.now()));
            EXPECT_EQ(response.status < 300, open) << operation.doc.name << response.body;
        }
    }
    EXPECT_GE(checked, 50u);
}

}  // namespace
}  // namespace integreat::cloud
