// SPDX-License-Identifier: Apache-2.0
// How many tenants an account holds, and what it says when it is full.
#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud {
namespace {

using namespace testing;

class QuotasTest : public LocalCloudTest {
protected:
    Received make_provider(const std::string& url, int client_ids = 1) {
        auto body = "Action=CreateOpenIDConnectProvider&Url=https://" + url;
        for (int i = 1; i <= client_ids; ++i) {
            auto number = std::to_string(i);
            body.append("&ClientIDList.member.").append(number).append("=client-").append(number);
        }
        return form("iam", body, root());
    }
    static std::vector<TenantPlan> plans(int count) {
        std::vector<TenantPlan> all;
        for (int i = 0; i < count; ++i)
            all.push_back({.project = "tenant-" + std::to_string(i), .origins = {}});
        return all;
    }
};

// Two are there already: campus's and evntgarde's.
TEST_F(QuotasTest, AnAccountHasAHundredProvidersUnlessMoreAreAskedFor) {
    for (int i = 2; i < 100; ++i)
        ASSERT_EQ(make_provider("issuer.example/" + std::to_string(i)).status, 200);
    auto answer = make_provider("issuer.example/one-more");
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.text("Code"), "LimitExceeded");
    EXPECT_EQ(answer.text("Message"), "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100");

    auto raised = make_room(*cloud, plans(1));
    ASSERT_TRUE(raised);
    EXPECT_EQ(*raised, 101u);
    EXPECT_EQ(make_provider("issuer.example/one-more").status, 200);
    answer = make_provider("issuer.example/two-more");
    EXPECT_EQ(answer.text("Message"), "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 101");
}

TEST_F(QuotasTest, RoomForTenantsThatAreThereOrFewIsThereAlready) {
    const TenantPlan there[] = {{.project = campus_project, .origins = {}}};
    EXPECT_EQ(*make_room(*cloud, there), std::nullopt);
    EXPECT_EQ(*make_room(*cloud, plans(98)), std::nullopt);
    EXPECT_EQ(*make_room(*cloud, plans(99)), 101u);
    EXPECT_EQ(*make_room(*cloud, plans(99)), std::nullopt) << "it was raised before";
}

TEST_F(QuotasTest, NoAccountIsGrantedMoreThanSevenHundredProviders) {
    EXPECT_EQ(*make_room(*cloud, plans(698)), 700u);
    auto refused = make_room(*cloud, plans(699));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::invalid);
    EXPECT_EQ(refused.error().message,
              "one AWS account holds at most 700 OpenID Connect providers, and 701 are needed: one per "
              "tenant's Firebase project; take some apps out");
}

TEST_F(QuotasTest, AProviderHasAHundredClientIds) {
    EXPECT_EQ(make_provider("issuer.example/full", 100).status, 200);
    auto answer = make_provider("issuer.example/over", 101);
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.text("Message"), "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100");
}

TEST_F(QuotasTest, AFormHasAThousandFields) {
    EXPECT_EQ(make_provider("issuer.example/many", 998).text("Code"), "LimitExceeded");
    EXPECT_EQ(make_provider("issuer.example/many", 999).text("Code"), "MalformedQueryString");
}

}  // namespace
}  // namespace integreat::cloud
