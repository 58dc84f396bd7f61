// SPDX-License-Identifier: Apache-2.0
// A local Firebase Auth with two projects in a folder of its own, called without sockets. For tests only.
#pragma once

#include <cstdlib>
#include <filesystem>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "cloud/firebase/tokens/auth.h"

namespace integreat::firebase {

class AuthTest : public testing::Test {
protected:
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

    // What a first start leaves behind, made once per process: RSA keys take their time.
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
        static const FirstStart made;
        return made.folder;
    }

    void reopen() {
        auth.reset();
        auto opened = open(folder, clock, random);
        ASSERT_TRUE(opened) << opened.error().message << opened.error().cause;
        auth = std::move(*opened);
    }

    struct Shown {
        int status = 0;
        std::string text;
        boost::json::object body;
        http::Headers headers;

        std::string at(std::string_view name) const {
            const auto* value = body.if_contains(name);
            if (!value) return {};
            return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
        }
        // "EMAIL_EXISTS", after a look at the whole shape of the error.
        std::string error() const {
            if (status == 200 || !body.contains("error")) return {};
            const auto& error = body.at("error").as_object();
            EXPECT_EQ(error.at("code"), status);
            EXPECT_EQ(error.at("errors").as_array().at(0).as_object().at("message"), error.at("message"));
            EXPECT_EQ(headers.value("Access-Control-Allow-Origin"), "http://localhost:5173");
            return std::string(error.at("message").as_string());
        }
    };

    Shown send(http::Request request) {
        if (!request.headers.contains("Host")) request.headers.set("Host", "127.0.0.1:9099");
        if (!request.headers.contains("Origin")) request.headers.set("Origin", "http://localhost:5173");
        request.peer.address = "127.0.0.1";
        auto app = application(*auth);
        http::Call call;
        auto reply = std::get<http::Reply>(http::handle(app, request, call));
        Shown shown{.status = reply.status, .text = reply.body, .body = {}, .headers = reply.headers};
        cause = call.cause;
        boost::json::error_code failure;
        auto value = boost::json::parse(reply.body, failure);
        if (!failure && value.is_object()) shown.body = value.get_object();
        return shown;
    }
    Shown get(const std::string& target) { return send({.method = http::Method::get, .target = target}); }

    // As the JS SDK calls: client("accounts:signUp", {{"email", …}}).
    Shown client(const std::string& what, const boost::json::object& body) {
        return client(campus, what, body);
    }
    Shown client(const Project& project, const std::string& what, const boost::json::object& body) {
        return send({.method = http::Method::post,
                     .target = toolkit + what + "?key=" + project.api_key,
                     .headers = {{"Content-Type", "application/json"}},
                     .body = boost::json::serialize(body)});
    }
    // As firebase-admin calls: admin("/accounts:update", {{"localId", …}}).
    Shown admin(const std::string& what, const boost::json::object& body) {
        return send({.method = http::Method::post,
                     .target = toolkit + ("projects/" + campus.id.text) + what,
                     .headers = {{"Authorization", "Bearer owner"}},
                     .body = boost::json::serialize(body)});
    }
    Shown refresh(const Project& project, const std::string& token) {
        return send({.method = http::Method::post,
                     .target = "/securetoken.googleapis.com/v1/token?key=" + project.api_key,
                     .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                     .body = "grant_type=refresh_token&refresh_token=" + token});
    }
    Shown tool(http::Method method, const std::string& what, const boost::json::object& body = {}) {
        return send({.method = method,
                     .target = "/emulator/v1/projects/" + campus.id.text + what,
                     .body = boost::json::serialize(body)});
    }

    Shown sign_up(const std::string& email = "ann@example.com", const std::string& password = "secret123") {
        return client("accounts:signUp",
                      {{"email", email}, {"password", password}, {"returnSecureToken", true}});
    }
    Shown sign_in(const std::string& email = "ann@example.com", const std::string& password = "secret123") {
        return client("accounts:signInWithPassword", {{"email", email}, {"password", password}});
    }
    Shown look(const std::string& id_token) { return client("accounts:lookup", {{"idToken", id_token}}); }
    // The newest code of a kind, as the tool route lists it.
    std::string code_for(const std::string& kind) {
        std::string found;
        auto listed = tool(http::Method::get, "/oobCodes");
        for (const auto& code : listed.body.at("oobCodes").as_array()) {
            const auto& shown = code.as_object();
            if (shown.at("requestType").as_string() == kind)
                found = std::string(shown.at("oobCode").as_string());
        }
        return found;
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
