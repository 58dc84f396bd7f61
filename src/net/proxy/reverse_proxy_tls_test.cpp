// SPDX-License-Identifier: Apache-2.0
// Relays to upstreams that have a name and a certificate: one server in front of another.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "net/testing/test_certificates.h"
#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using ::testing::HasSubstr;

// `server` of ServerTest is the upstream; `front` relays everything to it.
class NamedUpstreamTest : public ServerTest {
protected:
    NamedUpstreamTest() {
        folder = std::filesystem::temp_directory_path() / ("integreat-relay-tls-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder);
        certificate_file = folder / "certificate.pem";
        key_file = folder / "key.pem";
    }
    ~NamedUpstreamTest() override {
        front.reset();
        server.reset();
        std::filesystem::remove_all(folder);
    }

    void speak_tls(const TestCertificate& certificate) {
        write_certificate(certificate, certificate_file, key_file);
        settings.tls_certificate_file = certificate_file;
        settings.tls_key_file = key_file;
    }

    // Starts both. The front finds the upstream as `host` and believes the certificates of `trusted`.
    void relay_to(const std::string& host, bool secure, const std::string& trusted = {}) {
        start();
        http::Upstream upstream{.tenant = {"campus"}, .name = "portal", .key = host, .secure = secure};
        upstream.host = host;
        upstream.port = port();
        upstream.retries_max = 0;
        auto described = std::make_shared<const http::Upstream>(upstream);
        front_application = application;
        front_application.admit = [described](const http::Request& request, http::Call&) -> http::Admission {
            return http::Relay{.upstream = described,
                               .target = request.target,
                               .headers = request.headers,
                               .body_bytes_max = 1 << 20};
        };
        front_application.finish = [this](const http::Request&, const http::Call& call,
                                          const http::Outcome&) { causes.lock()->push_back(call.cause); };
        front_upstreams = std::make_unique<Upstreams>(trusted);
        auto started =
            Server::start({.threads = 1}, front_application, *front_upstreams, front_registry, clock);
        ASSERT_TRUE(started) << started.error().message;
        front = *std::move(started);
    }

    Answer get() { return TestClient(front->port()).ask("GET /a HTTP/1.1\r\nHost: front\r\n\r\n"); }
    // The front answers for an upstream that it must not talk to, which hears nothing.
    void expect_unreachable(std::string_view cause) {
        auto answer = get();
        EXPECT_EQ(answer.status, 502);
        EXPECT_THAT(answer.body, HasSubstr("/problems/upstream-unreachable"));
        front.reset();  // Its requests are finished then.
        ASSERT_EQ(causes.lock()->size(), 1u);
        EXPECT_THAT(causes.lock()->front(), HasSubstr(std::string(cause)));
        EXPECT_TRUE(finished_.lock()->empty());
    }

    std::filesystem::path folder;
    std::string certificate_file, key_file;
    http::Application front_application;
    metrics::Registry front_registry;
    std::unique_ptr<Upstreams> front_upstreams;
    Guarded<std::vector<std::string>> causes;
    std::unique_ptr<Server> front;
};

TEST_F(NamedUpstreamTest, IsFoundByItsName) {
    application.answer = [](const http::Request& request, http::Call&) -> http::Response {
        return http::Reply{.body = std::string(request.headers.value("Host"))};
    };
    relay_to("localhost", false);
    for (int i = 0; i < 2; ++i) {
        auto answer = get();
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "localhost:" + std::to_string(port()));
    }
}

TEST_F(NamedUpstreamTest, IsUnreachableByANameThatLeadsNowhere) {
    relay_to(std::string(64, 'a') + ".invalid", false);  // No label is so long, so nobody is asked.
    expect_unreachable("looking up its address");
}

TEST_F(NamedUpstreamTest, IsBelievedByTheNameInItsCertificate) {
    speak_tls({.common_name = "upstream", .also_for = "DNS:localhost"});
    application.admit = [](const http::Request&, http::Call&) -> http::Admission {
        return http::ReadBody{.bytes_max = 1 << 20};
    };
    application.answer = [](const http::Request& request, http::Call&) -> http::Response {
        return http::Reply{.body = request.secure ? request.body : "not secure"};
    };
    relay_to("localhost", true, certificate_file);
    TestClient client(front->port());
    std::string body(300'000, 'x');
    auto post = "POST /a HTTP/1.1\r\nHost: front\r\nContent-Length: 300000\r\n\r\n" + body;
    for (int i = 0; i < 3; ++i) {
        auto answer = client.ask(post);
        ASSERT_EQ(answer.status, 200);
        ASSERT_EQ(answer.body, body);
    }
    EXPECT_EQ(front_upstreams->health(clock.monotonic()).at(0).connections, 1);  // Kept, TLS and all.
}

TEST_F(NamedUpstreamTest, IsBelievedByTheAddressInItsCertificate) {
    speak_tls({.common_name = "upstream", .also_for = "IP:127.0.0.1"});
    relay_to("127.0.0.1", true, certificate_file);
    EXPECT_EQ(get().body, "GET ");
}

TEST_F(NamedUpstreamTest, IsNotBelievedWithTheCertificateOfAnother) {
    speak_tls({.common_name = "localhost", .also_for = "DNS:other.example"});
    relay_to("localhost", true, certificate_file);
    expect_unreachable("certificate verify failed");
}

TEST_F(NamedUpstreamTest, IsNotBelievedByAnAddressThatItsCertificateDoesNotName) {
    speak_tls({.common_name = "127.0.0.1", .also_for = "DNS:localhost"});
    relay_to("127.0.0.1", true, certificate_file);
    expect_unreachable("certificate verify failed");
}

TEST_F(NamedUpstreamTest, IsNotBelievedWhenNobodyWeTrustVouchesForIt) {
    speak_tls({.common_name = "upstream", .also_for = "DNS:localhost"});
    relay_to("localhost", true);  // Those whom the system trusts.
    expect_unreachable("certificate verify failed");
}

TEST_F(NamedUpstreamTest, IsNotBelievedAfterItsCertificateHasExpired) {
    speak_tls({.common_name = "upstream", .also_for = "DNS:localhost", .seconds_left = -60});
    relay_to("localhost", true, certificate_file);
    expect_unreachable("certificate verify failed");
}

TEST_F(NamedUpstreamTest, IsNotBelievedWithoutTls) {
    relay_to("localhost", true);
    auto answer = get();
    EXPECT_EQ(answer.status, 502);
    EXPECT_THAT(answer.body, HasSubstr("/problems/upstream-unreachable"));
}

TEST_F(NamedUpstreamTest, IsNotBelievedWhenTheTrustedCertificatesCannotBeRead) {
    speak_tls({.common_name = "upstream", .also_for = "DNS:localhost"});
    std::ofstream(folder / "trusted.pem") << "nothing\n";
    relay_to("localhost", true, folder / "trusted.pem");
    expect_unreachable("reading the trusted certificates");
}

}  // namespace
}  // namespace integreat::net
