// SPDX-License-Identifier: Apache-2.0
// The exchange of a login token for AWS credentials (GetId and GetCredentialsForIdentity, keys cached), and
// one signed request with them, without sockets. Time per iteration is CPU time of one core.
#include <benchmark/benchmark.h>

#include "cloud/local/testing/local_cloud_fixture.h"

namespace integreat::cloud::testing {
namespace {

// The test fixture as a plain object.
class CredentialExchange final : public LocalCloudTest {
public:
    void TestBody() override {}

    // Returns false if a request was refused.
    bool exchange(const std::string& token) {
        auto identity = get_text(get_id(campus, campus_project, token), "IdentityId");
        return get_credentials(identity, campus_project, token).status == 200;
    }
    std::string token() { return sign(claims(campus_project)); }
    Key key() { return credentials(campus, campus_project); }
    bool identify(const Key& key) { return form("sts", "Action=GetCallerIdentity", key).status == 200; }
};

void exchange_for_credentials(benchmark::State& state) {
    CredentialExchange cloud;
    auto token = cloud.token();
    for (auto _ : state) {
        if (!cloud.exchange(token)) state.SkipWithError("the exchange was refused");
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(exchange_for_credentials);

void signed_request_with_a_session(benchmark::State& state) {
    CredentialExchange cloud;
    auto key = cloud.key();
    for (auto _ : state) {
        if (!cloud.identify(key)) state.SkipWithError("the request was refused");
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(signed_request_with_a_session);

}  // namespace
}  // namespace integreat::cloud::testing
