// SPDX-License-Identifier: Apache-2.0
// Quotas of the account and the errors when they are exceeded.
#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud {
namespace {

using namespace testing;

class QuotasTest : public LocalCloudTest {
protected:
    // Returns "code: message" of the error, or an empty text.
    std::string make_provider(const std::string& url, int client_ids = 1) {
        Parameters parameters{{"Url", "https://" + url}};
        for (int i = 1; i <= client_ids; ++i) {
            auto number = std::to_string(i);
            parameters.emplace_back("ClientIDList.member." + number, "client-" + number);
        }
        auto result = root_client().call_query("iam", "CreateOpenIDConnectProvider", parameters);
        return result ? "" : result.error().code + ": " + result.error().message;
    }
    static std::vector<TenantSpec> make_specs(int count) {
        std::vector<TenantSpec> all;
        for (int i = 0; i < count; ++i)
            all.push_back({.project = "tenant-" + std::to_string(i), .origins = {}});
        return all;
    }
};

// The fixture has created two providers, campus's and evntgarde's.
TEST_F(QuotasTest, AnAccountHasAHundredProvidersUnlessTheQuotaIsRaised) {
    for (int i = 2; i < 100; ++i)
        ASSERT_EQ(make_provider("issuer.example/" + std::to_string(i)), "");
    EXPECT_EQ(make_provider("issuer.example/one-more"),
              "LimitExceeded: Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100");

    auto raised = reserve_provider_quota(*cloud, make_specs(1));
    ASSERT_TRUE(raised);
    EXPECT_EQ(*raised, 101u);
    EXPECT_EQ(make_provider("issuer.example/one-more"), "");
    EXPECT_EQ(make_provider("issuer.example/two-more"),
              "LimitExceeded: Cannot exceed quota for OpenIdConnectProvidersPerAccount: 101");
}

TEST_F(QuotasTest, DoesNotRaiseTheQuotaForExistingOrFewTenants) {
    const TenantSpec existing[] = {{.project = campus_project, .origins = {}}};
    EXPECT_EQ(*reserve_provider_quota(*cloud, existing), std::nullopt);
    EXPECT_EQ(*reserve_provider_quota(*cloud, make_specs(98)), std::nullopt);
    EXPECT_EQ(*reserve_provider_quota(*cloud, make_specs(99)), 101u);
    EXPECT_EQ(*reserve_provider_quota(*cloud, make_specs(99)), std::nullopt) << "the quota is already raised";
}

TEST_F(QuotasTest, NoAccountIsGrantedMoreThanSevenHundredProviders) {
    EXPECT_EQ(*reserve_provider_quota(*cloud, make_specs(698)), 700u);
    auto refused = reserve_provider_quota(*cloud, make_specs(699));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::invalid);
    EXPECT_EQ(refused.error().message,
              "an AWS account holds at most 700 OpenID Connect providers, but 701 are needed, one per "
              "Firebase project of a tenant; remove some apps");
}

TEST_F(QuotasTest, AProviderHasAtMostAHundredClientIds) {
    EXPECT_EQ(make_provider("issuer.example/full", 100), "");
    EXPECT_EQ(make_provider("issuer.example/over", 101),
              "LimitExceeded: Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100");
}

TEST_F(QuotasTest, AFormHasAtMostAThousandFields) {
    EXPECT_TRUE(make_provider("issuer.example/many", 998).starts_with("LimitExceeded: "));
    EXPECT_TRUE(make_provider("issuer.example/many", 999).starts_with("MalformedQueryString: "));
}

}  // namespace
}  // namespace integreat::cloud
