// SPDX-License-Identifier: Apache-2.0
// Test fixture: the local S3 behind its frontend, called with signed requests and without sockets.
#pragma once

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "cloud/aws/dispatch/application.h"
#include "cloud/aws/testing/frontend_fixture.h"
#include "cloud/s3/operations/table.h"
#include "cloud/s3/store/s3.h"
#include "cloud/s3/testing/random_bytes.h"

namespace integreat::s3 {

class S3Test : public testing::Test {
protected:
    using Headers = std::vector<std::pair<std::string, std::string>>;
    using ReceivedResponse = cloud::testing::ReceivedResponse;

    S3Test() : frontend(cloud::make_frontend({}, clock, random)) {
        std::string pattern = std::filesystem::temp_directory_path() / "integreat-s3-XXXXXX";
        folder = ::mkdtemp(pattern.data());
        s3 = *open_s3(folder, clock, random);
        s3->on_event = [this](const Event& event) { events.push_back(event.name + " " + event.key); };
        frontend.find_credentials = [this](std::string_view id, std::string_view) {
            return find_credentials(id);
        };
        frontend.apis.push_back(api(*s3));
        application = cloud::application(frontend);
        EXPECT_EQ(put("/a-bucket").status, 200);
    }
    ~S3Test() override {
        s3.reset();
        std::filesystem::remove_all(folder);
    }

    // AKIAROOT has all permissions, AKIAANN those of `anns_policy`.
    std::variant<cloud::Credentials, cloud::CredentialError> find_credentials(std::string_view id) {
        if (id == "AKIAROOT")
            return cloud::Credentials{Secret("secret"), {.principal = policy::root("000000000000")}};
        if (id != "AKIAANN") return cloud::CredentialError::unknown_key;
        cloud::Caller ann{.principal = policy::user("arn:aws:iam::000000000000:user/ann", "AIDAANN")};
        auto document = policy::parse_document(anns_policy, policy::DocumentKind::identity);
        EXPECT_TRUE(document);
        ann.identity_policies.push_back({"Access", *document});
        return cloud::Credentials{Secret("secret"), ann};
    }

    ReceivedResponse send(const http::Request& request) {
        return cloud::testing::send_request(application, request, &cause);
    }
    http::Request request(http::Method method, const std::string& target, Headers headers, std::string body) {
        if (!body.empty() || method == http::Method::put)
            headers.emplace_back("Content-Length", std::to_string(body.size()));
        cloud::testing::RequestSpec spec{.method = method,
                                         .target = target,
                                         .service = "s3",
                                         .headers = std::move(headers),
                                         .body = std::move(body)};
        if (access_key_id.empty()) return cloud::testing::unsigned_request(spec);
        return cloud::testing::signed_request(spec, {.id = access_key_id, .secret = "secret"}, clock.now());
    }
    ReceivedResponse call(http::Method method, const std::string& target, Headers headers = {},
                          std::string body = {}) {
        return send(request(method, target, std::move(headers), std::move(body)));
    }
    ReceivedResponse get(const std::string& target, Headers headers = {}) {
        return call(http::Method::get, target, std::move(headers));
    }
    ReceivedResponse head(const std::string& target, Headers headers = {}) {
        return call(http::Method::head, target, std::move(headers));
    }
    ReceivedResponse put(const std::string& target, std::string body = {}, Headers headers = {}) {
        return call(http::Method::put, target, std::move(headers), std::move(body));
    }
    ReceivedResponse post(const std::string& target, std::string body = {}, Headers headers = {}) {
        return call(http::Method::post, target, std::move(headers), std::move(body));
    }
    ReceivedResponse del(const std::string& target, Headers headers = {}) {
        return call(http::Method::del, target, std::move(headers));
    }
    // Returns the code and the status of an error: "NoSuchKey 404".
    static std::string error_of(const ReceivedResponse& received) {
        return received.text("Code") + " " + std::to_string(received.status);
    }
    // Returns the texts of all elements of this name.
    static std::vector<std::string> all(const ReceivedResponse& received, const std::string& name) {
        std::vector<std::string> texts;
        auto open = "<" + name + ">", close = "</" + name + ">";
        for (auto at = received.body.find(open); at != std::string::npos;
             at = received.body.find(open, at + 1)) {
            auto begin = at + open.size();
            texts.push_back(received.body.substr(begin, received.body.find(close, begin) - begin));
        }
        return texts;
    }
    void enable_versioning() {
        auto response = put("/a-bucket?versioning",
                            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
        ASSERT_EQ(response.status, 200) << response.body;
    }

    std::string folder;
    FixedClock clock;
    FixedRandom random{3};
    std::unique_ptr<S3> s3;
    cloud::AwsFrontend frontend;
    http::Application application;
    std::string access_key_id = "AKIAROOT";
    std::string anns_policy =
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]})";
    std::vector<std::string> events;
    std::string cause;
};

}  // namespace integreat::s3
