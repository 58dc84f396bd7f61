// SPDX-License-Identifier: Apache-2.0
// A server with the local S3 only and one access key with all permissions, for tests that
// kill it and for benchmarks. Prints its port and runs until the end of standard input.
//
//     s3_server FOLDER [THREADS]
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/system_clock.h"
#include "cloud/aws/core/frontend.h"
#include "cloud/aws/dispatch/application.h"
#include "cloud/s3/operations/table.h"
#include "cloud/s3/store/s3.h"
#include "crypto/system_random.h"
#include "net/proxy/upstream_pool.h"
#include "net/server/server.h"

namespace {

using namespace integreat;

constexpr std::string_view access_key_id = "AKIAIOSFODNN7EXAMPLE";
constexpr const char* secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

std::variant<cloud::Credentials, cloud::CredentialError> find_credentials(std::string_view id,
                                                                          std::string_view token) {
    if (id != access_key_id) return cloud::CredentialError::unknown_key;
    if (!token.empty()) return cloud::CredentialError::invalid_token;
    cloud::Caller root{.principal = policy::root("000000000000"), .access_key_id = std::string(id)};
    return cloud::Credentials{Secret(secret_key), std::move(root)};
}

int fail(const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return 1;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) return fail({Fault::invalid, "s3_server FOLDER [THREADS]"});
    std::signal(SIGPIPE, SIG_IGN);  // As the program does: a client that disconnects must not end it.
    SystemClock clock;
    crypto::SystemRandom random;
    auto s3 = s3::open_s3(arguments[1], clock, random);
    if (!s3) return fail(s3.error());
    auto frontend = cloud::make_frontend({}, clock, random);
    frontend.find_credentials = find_credentials;
    frontend.apis.push_back(s3::api(**s3));
    auto application = cloud::application(frontend);
    metrics::Registry registry;
    net::UpstreamRegistry upstreams;
    net::ServerSettings settings{.threads = count > 2 ? std::atoi(arguments[2]) : 1};
    settings.max_body_bytes = std::size_t{6} << 30;  // Each operation has its own limit.
    auto server = net::Server::start(settings, application, upstreams, registry, clock);
    if (!server) return fail(server.error());
    std::printf("%d\n", (*server)->port());
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    return 0;
}
