// SPDX-License-Identifier: Apache-2.0
// Test fixture: a local Firebase Auth with two projects in a temporary folder, called without sockets.
#pragma once

#include <cstdlib>
#include <filesystem>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "cloud/firebase/api/application.h"
#include "cloud/firebase/tokens/auth.h"

namespace integreat::firebase {

class AuthTest : public testing::Test {
protected:
    static constexpr auto certificates_path =
        "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
    static constexpr auto toolkit = "/identitytoolkit.googleapis.com/v1/";

    AuthTest() : folder(make_folder()) {
        std::filesystem::copy(first_start(), folder, std::filesystem::copy_options::recursive);
        reopen();
        campus = *add_project(*auth, {"campus"}, {"campus-student-lifecycle"});
        teleo = *add_project(*auth, {"teleo"}, {"teleo-church-application"});
    }
    ~AuthTest() override { std::filesystem::remove_all(folder); }

    static std::string make_folder() {
        std::string pattern = std::filesystem::temp_directory_path() / "integreat-firebase-XXXXXX";
        return ::mkdtemp(pattern.data());
    }

    // Returns a folder prepared by a first start, created once per process because RSA keys are slow to
    // generate.
    static const std::string& first_start() {
        struct FirstStart {
            FirstStart() {
                FixedClock clock;
                FixedRandom random;
                auto auth = open(folder, clock, random);
                EXPECT_TRUE(add_project(**auth, {"campus"}, {"campus-student-lifecycle"}));
                EXPECT_TRUE(add_project(**auth, {"teleo"}, {"teleo-church-application"}));
            }
            ~FirstStart() { std::filesystem::remove_all(folder); }
            std::string folder = make_folder();
        };
        static const FirstStart prepared;
        return prepared.folder;
    }

    void reopen() {
        auth.reset();
        auto opened = open(folder, clock, random);
        ASSERT_TRUE(opened) << opened.error().message << opened.error().cause;
        auth = std::move(*opened);
    }

    struct Response {
        int status = 0;
        std::string text;
        boost::json::object body;
        http::Headers headers;

        std::string at(std::string_view name) const {
            const auto* value = body.if_contains(name);
            if (!value) return {};
            return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
        }
        // Returns the message, such as "EMAIL_EXISTS", after checking the shape of the error.
        std::string error() const {
            if (status == 200 || !body.contains("error")) return {};
            const auto& error = body.at("error").as_object();
            EXPECT_EQ(error.at("code"), status);
            EXPECT_EQ(error.at("errors").as_array().at(0).as_object().at("message"), error.at("message"));
            EXPECT_EQ(headers.value("Access-Control-Allow-Origin"), "http://localhost:5173");
            return std::string(error.at("message").as_string());
        }
    };

    Response send(http::Request request) {
        if (!request.headers.contains("Host")) request.headers.set("Host", "127.0.0.1:9099");
        if (!request.headers.contains("Origin")) request.headers.set("Origin", "http://localhost:5173");
        request.peer.address = "127.0.0.1";
        auto app = application(*auth);
        http::RequestContext context;
        auto full = std::get<http::FullResponse>(http::handle(app, request, context));
        Response response{.status = full.status, .text = full.body, .body = {}, .headers = full.headers};
        cause = context.cause;
        boost::json::error_code failure;
        auto value = boost::json::parse(full.body, failure);
        if (!failure && value.is_object()) response.body = value.get_object();
        return response;
    }
    Response get(const std::string& target) { return send({.method = http::Method::get, .target = target}); }

    // Sends a request like the JS SDK: client("accounts:signUp", {{"email", …}}).
    Response client(const std::string& what, const boost::json::object& body) {
        return client(campus, what, body);
    }
    Response client(const Project& project, const std::string& what, const boost::json::object& body) {
        return send({.method = http::Method::post,
                     .target = toolkit + what + "?key=" + project.api_key,
                     .headers = {{"Content-Type", "application/json"}},
                     .body = boost::json::serialize(body)});
    }
    // Sends a request like firebase-admin: admin("/accounts:update", {{"localId", …}}).
    Response admin(const std::string& what, const boost::json::object& body) {
        return send({.method = http::Method::post,
                     .target = toolkit + ("projects/" + campus.id.text) + what,
                     .headers = {{"Authorization", "Bearer owner"}},
                     .body = boost::json::serialize(body)});
    }
    Response refresh(const Project& project, const std::string& token) {
        return send({.method = http::Method::post,
                     .target = "/securetoken.googleapis.com/v1/token?key=" + project.api_key,
                     .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                     .body = "grant_type=refresh_token&refresh_token=" + token});
    }
    Response tool(http::Method method, const std::string& what, const boost::json::object& body = {}) {
        return send({.method = method,
                     .target = "/emulator/v1/projects/" + campus.id.text + what,
                     .body = boost::json::serialize(body)});
    }

    Response sign_up(const std::string& email = "ann@example.com",
                     const std::string& password = "secret123") {
        return client("accounts:signUp",
                      {{"email", email}, {"password", password}, {"returnSecureToken", true}});
    }
    Response sign_in(const std::string& email = "ann@example.com",
                     const std::string& password = "secret123") {
        return client("accounts:signInWithPassword", {{"email", email}, {"password", password}});
    }
    Response lookup(const std::string& id_token) {
        return client("accounts:lookup", {{"idToken", id_token}});
    }
    // Returns the newest code of a kind from the tool route.
    std::string latest_code(const std::string& kind) {
        std::string latest;
        auto listed = tool(http::Method::get, "/oobCodes");
        for (const auto& code : listed.body.at("oobCodes").as_array()) {
            const auto& response = code.as_object();
            if (response.at("requestType").as_string() == kind)
                latest = std::string(response.at("oobCode").as_string());
        }
        return latest;
    }
    void configure(const boost::json::object& config) {
        ASSERT_EQ(tool(http::Method::patch, "/config", config).status, 200);
    }

    std::string folder;
    FixedClock clock;
    FixedRandom random{2};
    std::unique_ptr<Auth> auth;
    Project campus, teleo;
    std::string cause;
};

}  // namespace integreat::firebase
