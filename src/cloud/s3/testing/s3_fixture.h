// SPDX-License-Identifier: Apache-2.0
// The local S3 behind its front, called with signed requests and without sockets. For tests only.
#pragma once

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "cloud/aws/testing/frontend_fixture.h"
#include "cloud/s3/store/s3.h"
#include "cloud/s3/testing/random_bytes.h"

namespace integreat::s3 {

class S3Test : public testing::Test {
protected:
    using Headers = std::vector<std::pair<std::string, std::string>>;
    using Received = cloud::testing::Received;

    S3Test() : front(cloud::make_front({}, clock, random)) {
        std::string pattern = std::filesystem::temp_directory_path() / "integreat-s3-XXXXXX";
        folder = ::mkdtemp(pattern.data());
        s3 = *open_s3(folder, clock, random);
        s3->on_event = [this](const Event& event) { events.push_back(event.name + " " + event.key); };
        front.find_credentials = [this](std::string_view id, std::string_view) { return find(id); };
        front.apis.push_back(api(*s3));
        application = cloud::application(front);
        EXPECT_TRUE(ensure_bucket(*s3, "a-bucket"));
    }
    ~S3Test() override {
        s3.reset();
        std::filesystem::remove_all(folder);
    }

    // AKIAROOT may do everything, AKIAANN what `anns_policy` lets her.
    std::variant<cloud::Credentials, cloud::KeyTrouble> find(std::string_view id) {
        if (id == "AKIAROOT")
            return cloud::Credentials{Secret("secret"), {.who = policy::root("000000000000")}};
        if (id != "AKIAANN") return cloud::KeyTrouble::unknown_key;
        cloud::Caller ann{.who = policy::user("arn:aws:iam::000000000000:user/ann", "AIDAANN")};
        auto document = policy::parse_document(anns_policy, policy::DocumentKind::identity);
        EXPECT_TRUE(document);
        ann.identity_policies.push_back({"Access", *document});
        return cloud::Credentials{Secret("secret"), ann};
    }

    Received send(const http::Request& request) {
        http::Call call;
        auto response = http::handle(application, request, call);
        Received received;
        if (auto* stream = std::get_if<http::Stream>(&response); stream) {
            if (request.method == http::Method::head) {
                received = {.status = stream->status, .headers = stream->headers, .body = {}};
                received.headers.set("Content-Length", std::to_string(*http::length_of(*stream)));
            } else {
                auto reply = http::collect(std::move(*stream), 1 << 30, std::chrono::seconds(5));
                EXPECT_TRUE(reply);
                received = {.status = reply->status, .headers = reply->headers, .body = reply->body};
            }
        } else {
            auto& reply = std::get<http::Reply>(response);
            received = {.status = reply.status, .headers = reply.headers, .body = reply.body};
        }
        received.headers.append(call.response_headers);
        cause = call.cause;
        return received;
    }
    http::Request request(http::Method method, const std::string& target, Headers headers, std::string body) {
        if (!body.empty() || method == http::Method::put)
            headers.emplace_back("Content-Length", std::to_string(body.size()));
        cloud::testing::Sent sent{.method = method,
                                  .target = target,
                                  .service = "s3",
                                  .headers = std::move(headers),
                                  .body = std::move(body)};
        if (who.empty()) return cloud::testing::unsigned_request(sent);
        return cloud::testing::signed_request(sent, {.id = who, .secret = "secret"}, clock.now());
    }
    Received call(http::Method method, const std::string& target, Headers headers = {},
                  std::string body = {}) {
        return send(request(method, target, std::move(headers), std::move(body)));
    }
    Received get(const std::string& target, Headers headers = {}) {
        return call(http::Method::get, target, std::move(headers));
    }
    Received head(const std::string& target, Headers headers = {}) {
        return call(http::Method::head, target, std::move(headers));
    }
    Received put(const std::string& target, std::string body = {}, Headers headers = {}) {
        return call(http::Method::put, target, std::move(headers), std::move(body));
    }
    Received post(const std::string& target, std::string body = {}, Headers headers = {}) {
        return call(http::Method::post, target, std::move(headers), std::move(body));
    }
    Received del(const std::string& target, Headers headers = {}) {
        return call(http::Method::del, target, std::move(headers));
    }
    // "NoSuchKey 404"
    static std::string refusal(const Received& received) {
        return received.text("Code") + " " + std::to_string(received.status);
    }
    // The texts of all elements of that name.
    static std::vector<std::string> all(const Received& received, const std::string& name) {
        std::vector<std::string> texts;
        auto open = "<" + name + ">", close = "</" + name + ">";
        for (auto at = received.body.find(open); at != std::string::npos;
             at = received.body.find(open, at + 1)) {
            auto begin = at + open.size();
            texts.push_back(received.body.substr(begin, received.body.find(close, begin) - begin));
        }
        return texts;
    }
    void enable_versions() {
        auto done = put("/a-bucket?versioning",
                        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
        ASSERT_EQ(done.status, 200) << done.body;
    }

    std::string folder;
    FixedClock clock;
    FixedRandom random{3};
    std::unique_ptr<S3> s3;
    cloud::Front front;
    http::Application application;
    std::string who = "AKIAROOT";
    std::string anns_policy =
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]})";
    std::vector<std::string> events;
    std::string cause;
};

}  // namespace integreat::s3
