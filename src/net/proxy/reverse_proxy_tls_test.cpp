// SPDX-License-Identifier: Apache-2.0
// Proxying to upstreams with a host name and a certificate: one server in front of another.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "net/testing/test_certificates.h"
#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using ::testing::HasSubstr;

// `server` of ServerTest is the upstream; `front` proxies everything to it.
class NamedUpstreamTest : public ServerTest {
protected:
    NamedUpstreamTest() {
        folder = std::filesystem::temp_directory_path() / ("integreat-proxy-tls-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder);
        certificate_file = folder / "certificate.pem";
        key_file = folder / "key.pem";
    }
    ~NamedUpstreamTest() override {
        front.reset();
        server.reset();
        std::filesystem::remove_all(folder);
    }

    void enable_tls(const TestCertificate& certificate) {
        write_certificate(certificate, certificate_file, key_file);
        settings.tls_certificate_file = certificate_file;
        settings.tls_key_file = key_file;
    }

    // Starts both servers. The front connects to `host` and trusts the certificates in the file `trusted`.
    void start_proxy(const std::string& host, bool secure, const std::string& trusted = {}) {
        start();
        http::Upstream upstream{.tenant = {"campus"}, .name = "portal", .key = host, .secure = secure};
        upstream.host = host;
        upstream.port = port();
        upstream.max_retries = 0;
        auto definition = std::make_shared<const http::Upstream>(upstream);
        front_application = application;
        front_application.admit = [definition](const http::Request& request,
                                               http::RequestContext&) -> http::Admission {
            return http::ProxyRequest{.upstream = definition,
                                      .target = request.target,
                                      .headers = request.headers,
                                      .max_body_bytes = 1 << 20};
        };
        front_application.finish = [this](const http::Request&, const http::RequestContext& context,
                                          const http::RequestSummary&) {
            causes.lock()->push_back(context.cause);
        };
        front_upstreams = std::make_unique<UpstreamRegistry>(trusted);
        auto started =
            Server::start({.threads = 1}, front_application, *front_upstreams, front_registry, clock);
        ASSERT_TRUE(started) << started.error().message;
        front = *std::move(started);
    }

    TestResponse get() { return TestClient(front->port()).fetch("GET /a HTTP/1.1\r\nHost: front\r\n\r\n"); }
    // Expects that the front responds with 502 and sends nothing to the upstream.
    void expect_unreachable(std::string_view cause) {
        auto response = get();
        EXPECT_EQ(response.status, 502);
        EXPECT_THAT(response.body, HasSubstr("/problems/upstream-unreachable"));
        front.reset();  // Waits until its requests are finished.
        ASSERT_EQ(causes.lock()->size(), 1u);
        EXPECT_THAT(causes.lock()->front(), HasSubstr(std::string(cause)));
        EXPECT_TRUE(finished_.lock()->empty());
    }

    std::filesystem::path folder;
    std::string certificate_file, key_file;
    http::Application front_application;
    metrics::Registry front_registry;
    std::unique_ptr<UpstreamRegistry> front_upstreams;
    Synchronized<std::vector<std::string>> causes;
    std::unique_ptr<Server> front;
};

TEST_F(NamedUpstreamTest, IsResolvedByName) {
    application.handle = [](const http::Request& request, http::RequestContext&) -> http::Response {
        return http::FullResponse{.body = std::string(request.headers.value("Host"))};
    };
    start_proxy("localhost", false);
    for (int i = 0; i < 2; ++i) {
        auto response = get();
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "localhost:" + std::to_string(port()));
    }
}

TEST_F(NamedUpstreamTest, IsUnreachableByAnUnresolvableName) {
    start_proxy(std::string(64, 'a') + ".invalid",
                false);  // Longer than a label may be, so no name server is contacted.
    expect_unreachable("looking up its address");
}

TEST_F(NamedUpstreamTest, IsTrustedByTheNameInItsCertificate) {
    enable_tls({.common_name = "upstream", .alternative_names = "DNS:localhost"});
    application.admit = [](const http::Request&, http::RequestContext&) -> http::Admission {
        return http::ReadBody{.max_bytes = 1 << 20};
    };
    application.handle = [](const http::Request& request, http::RequestContext&) -> http::Response {
        return http::FullResponse{.body = request.secure ? request.body : "not secure"};
    };
    start_proxy("localhost", true, certificate_file);
    TestClient client(front->port());
    std::string body(300'000, 'x');
    auto post = "POST /a HTTP/1.1\r\nHost: front\r\nContent-Length: 300000\r\n\r\n" + body;
    for (int i = 0; i < 3; ++i) {
        auto response = client.fetch(post);
        ASSERT_EQ(response.status, 200);
        ASSERT_EQ(response.body, body);
    }
    EXPECT_EQ(front_upstreams->health(clock.monotonic()).at(0).connections,
              1);  // Kept alive with its TLS session.
}

TEST_F(NamedUpstreamTest, IsTrustedByTheAddressInItsCertificate) {
    enable_tls({.common_name = "upstream", .alternative_names = "IP:127.0.0.1"});
    start_proxy("127.0.0.1", true, certificate_file);
    EXPECT_EQ(get().body, "GET ");
}

TEST_F(NamedUpstreamTest, IsRejectedWithTheCertificateOfAnotherHost) {
    enable_tls({.common_name = "localhost", .alternative_names = "DNS:other.example"});
    start_proxy("localhost", true, certificate_file);
    expect_unreachable("certificate verify failed");
}

TEST_F(NamedUpstreamTest, IsRejectedByAnAddressMissingInItsCertificate) {
    enable_tls({.common_name = "127.0.0.1", .alternative_names = "DNS:localhost"});
    start_proxy("127.0.0.1", true, certificate_file);
    expect_unreachable("certificate verify failed");
}

TEST_F(NamedUpstreamTest, IsRejectedWithAnUntrustedCertificate) {
    enable_tls({.common_name = "upstream", .alternative_names = "DNS:localhost"});
    start_proxy("localhost", true);  // Trusts the system's CAs.
    expect_unreachable("certificate verify failed");
}

TEST_F(NamedUpstreamTest, IsRejectedWithAnExpiredCertificate) {
    enable_tls({.common_name = "upstream", .alternative_names = "DNS:localhost", .seconds_left = -60});
    start_proxy("localhost", true, certificate_file);
    expect_unreachable("certificate verify failed");
}

TEST_F(NamedUpstreamTest, IsRejectedWithoutTls) {
    start_proxy("localhost", true);
    auto response = get();
    EXPECT_EQ(response.status, 502);
    EXPECT_THAT(response.body, HasSubstr("/problems/upstream-unreachable"));
}

TEST_F(NamedUpstreamTest, IsRejectedWhenTheTrustedCertificatesCannotBeRead) {
    enable_tls({.common_name = "upstream", .alternative_names = "DNS:localhost"});
    std::ofstream(folder / "trusted.pem") << "nothing\n";
    start_proxy("localhost", true, folder / "trusted.pem");
    expect_unreachable("reading the trusted certificates");
}

}  // namespace
}  // namespace integreat::net
