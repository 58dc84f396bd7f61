// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/testing/test_certificates.h"
#include "net/testing/test_server.h"

namespace integreat::net {
namespace {

using namespace std::chrono_literals;

// A TLS client; `configure` may change the offered versions, ciphers and protocols.
class TlsClient {
public:
    explicit TlsClient(
        std::uint16_t port, const std::function<void(SSL_CTX*)>& configure = [](SSL_CTX*) {})
        : plain_(port), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), tls_(nullptr, SSL_free) {
        configure(context_.get());
        tls_.reset(SSL_new(context_.get()));
        SSL_set_fd(tls_.get(), plain_.socket());
        connected_ = SSL_connect(tls_.get()) == 1;
        ERR_clear_error();
    }

    bool connected() const { return connected_; }
    std::string version() const { return SSL_get_version(tls_.get()); }
    std::string protocol() const {
        const unsigned char* name = nullptr;
        unsigned int length = 0;
        SSL_get0_alpn_selected(tls_.get(), &name, &length);
        return {reinterpret_cast<const char*>(name), length};
    }
    std::string certificate_name() const {
        std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(tls_.get()),
                                                                X509_free);
        char name[64] = "";
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                                  sizeof name);
        return name;
    }
    // Sends the bytes, and reads until the server ends the connection properly.
    std::string fetch(std::string_view bytes) {
        SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
        std::string response;
        char part[4096];
        int length = 0;
        while ((length = SSL_read(tls_.get(), part, sizeof part)) > 0) {
            response.append(part, static_cast<std::size_t>(length));
        }
        ended_properly_ = SSL_get_error(tls_.get(), length) == SSL_ERROR_ZERO_RETURN;
        return response;
    }
    bool ended_properly() const { return ended_properly_; }

private:
    TestClient plain_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
    bool connected_ = false;
    bool ended_properly_ = false;
};

class TlsTest : public ServerTest {
protected:
    TlsTest() {
        folder_ = std::filesystem::temp_directory_path() / ("integreat-tls-" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
        settings.tls_certificate_file = folder_ / "certificate.pem";
        settings.tls_key_file = folder_ / "key.pem";
        write_certificate({.common_name = "first.example"}, settings.tls_certificate_file,
                          settings.tls_key_file);
    }
    ~TlsTest() override {
        server.reset();
        std::filesystem::remove_all(folder_);
    }

    std::filesystem::path folder_;
};

constexpr std::string_view get_and_close = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

TEST_F(TlsTest, ServesRequestsAndClosesProperly) {
    application.handle = [](const http::Request& request, http::RequestContext&) -> http::Response {
        return http::FullResponse{.body = request.secure ? request.body + std::string(300'000, 'x')
                                                         : "not secure"};
    };
    start();
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient client(port(), [&](SSL_CTX* context) {
            SSL_CTX_set_min_proto_version(context, version);
            SSL_CTX_set_max_proto_version(context, version);
        });
        ASSERT_TRUE(client.connected()) << version;
        auto response = client.fetch("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" +
                                     std::string(get_and_close));
        EXPECT_NE(response.find("\r\n\r\nhelloxxx"), std::string::npos);
        EXPECT_GT(response.size(), 600'000u);
        EXPECT_TRUE(client.ended_properly());
    }
}

// A body stream that is idle between its two chunks, until another thread wakes it.
class WokenSource final : public http::BodyStream {
public:
    explicit WokenSource(http::ReadStatus last) : last_(last) {}
    http::ReadStatus read(std::string& to, const http::ReadRequest& request) override {
        to.append(100'000, chunks_ == 0 ? 'x' : 'y');
        if (chunks_++ > 0) return last_;
        waker_ = std::jthread([wake = request.waker] { wake(); });
        return http::ReadStatus::pending;
    }

private:
    http::ReadStatus last_;
    int chunks_ = 0;
    std::jthread waker_;
};

TEST_F(TlsTest, SendsStreams) {
    auto* temporary = std::tmpfile();
    std::fputs(std::string(300'000, 'z').c_str(), temporary);
    std::fflush(temporary);
    auto file = std::make_shared<const UniqueFd>(::dup(fileno(temporary)));
    std::fclose(temporary);
    application.handle = [file](const http::Request& request, http::RequestContext&) -> http::Response {
        if (request.path() == "/file")
            return http::StreamingResponse{.body = http::FileRegion{file, 100, 200'000}};
        auto last = request.path() == "/broken" ? http::ReadStatus::error : http::ReadStatus::eof;
        return http::StreamingResponse{.body = std::make_unique<WokenSource>(last)};
    };
    start();
    auto fetch = [&](std::string path, bool ends_properly) {
        TlsClient client(port());
        auto response = client.fetch("GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        EXPECT_EQ(client.ended_properly(), ends_properly) << path;
        return response.substr(std::min(response.size(), response.find("\r\n\r\n")));
    };
    auto woken = fetch("/woken", true);
    EXPECT_EQ(std::count(woken.begin(), woken.end(), 'x'), 100'000);
    EXPECT_EQ(std::count(woken.begin(), woken.end(), 'y'), 100'000);
    EXPECT_TRUE(woken.ends_with("0\r\n\r\n"));
    EXPECT_EQ(fetch("/file", true), "\r\n\r\n" + std::string(200'000, 'z'));
    EXPECT_FALSE(fetch("/broken", false).ends_with("0\r\n\r\n"));
}

TEST_F(TlsTest, RejectsOldVersionsAndOtherProtocols) {
    start();
    EXPECT_FALSE(TlsClient(port(), [](SSL_CTX* context) {
                     SSL_CTX_set_security_level(context, 0);
                     SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
                     SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
                 }).connected());
    EXPECT_FALSE(TlsClient(port(), [](SSL_CTX* context) {
                     SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
                     SSL_CTX_set_cipher_list(context, "AES128-SHA");
                 }).connected());

    auto offering = [](std::string_view protocols) {
        return [protocols](SSL_CTX* context) {
            SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                                    static_cast<unsigned int>(protocols.size()));
        };
    };
    TlsClient both(port(), offering("\x02h2\x08http/1.1"));
    EXPECT_TRUE(both.connected());
    EXPECT_EQ(both.protocol(), "http/1.1");
    EXPECT_FALSE(TlsClient(port(), offering("\x02h2")).connected());
    server->drain();  // The client sees the failure before it is counted.
    EXPECT_GE(registry.counter("integreat_tls_handshakes_failed_total", "").value(), 3u);
}

TEST_F(TlsTest, ClosesStalledHandshakes) {
    settings.header_timeout = 20ms;
    start();
    TestClient silent(port());
    EXPECT_TRUE(silent.read_rest().empty());
    TestClient plain(port());
    plain.send(get_and_close);
    plain.read_rest();
    EXPECT_EQ(registry.counter("integreat_http_timeouts_total", "", {{"stage", "handshake"}}).value(), 1u);
}

TEST_F(TlsTest, ReloadsItsCertificateAndKeepsTheOldOneIfTheNewIsFaulty) {
    start();
    TlsClient before(port());
    EXPECT_EQ(before.certificate_name(), "first.example");

    write_certificate({.common_name = "second.example"}, settings.tls_certificate_file,
                      settings.tls_key_file);
    ASSERT_TRUE(server->reload_certificates());
    EXPECT_EQ(TlsClient(port()).certificate_name(), "second.example");
    EXPECT_NE(before.fetch(get_and_close).find("200 OK"),
              std::string::npos);  // Existing connections continue.

    write_certificate({.common_name = "third.example"}, settings.tls_certificate_file,
                      folder_ / "another.pem");
    auto mismatch = server->reload_certificates();
    ASSERT_FALSE(mismatch);
    EXPECT_NE(mismatch.error().message.find("key.pem"), std::string::npos);
    std::filesystem::resize_file(settings.tls_certificate_file, 0);
    auto empty = server->reload_certificates();
    ASSERT_FALSE(empty);
    EXPECT_NE(empty.error().message.find("certificate.pem"), std::string::npos);
    EXPECT_EQ(TlsClient(port()).certificate_name(), "second.example");
}

TEST_F(TlsTest, DoesNotStartWithoutItsFiles) {
    std::filesystem::remove(settings.tls_key_file);
    auto failed = Server::start(settings, application, upstreams, registry, clock);
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message.find("cannot read the PEM key"), std::string::npos);
}

TEST_F(TlsTest, ReportsThatAPlainServerHasNoCertificate) {
    settings.tls_certificate_file.clear();
    start();
    EXPECT_FALSE(server->reload_certificates());
}

}  // namespace
}  // namespace integreat::net
