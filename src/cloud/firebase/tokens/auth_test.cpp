// SPDX-License-Identifier: Apache-2.0
#include <csignal>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/testing/firebase_fixture.h"
#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "crypto/jwt.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {
constexpr auto certificates = "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
constexpr auto key_set = "/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";
}  // namespace

TEST_F(AuthTest, PublishesItsKeysAsGoogleDoes) {
    auto shown = get(certificates);
    EXPECT_EQ(shown.headers.value("Cache-Control"), "public, max-age=60, must-revalidate, no-transform");
    ASSERT_EQ(shown.body.size(), 1u);
    auto certificate = crypto::parse_certificate(shown.body.begin()->value().as_string());
    ASSERT_TRUE(certificate);
    EXPECT_GT(certificate->not_after, clock.now());

    auto key = get(key_set).body.at("keys").at(0).as_object();
    EXPECT_EQ(key.at("kid").as_string(), shown.body.begin()->key());
    EXPECT_EQ(key.at("alg"), "RS256");
    EXPECT_EQ(crypto::base64url_decode(key.at("n").as_string()), certificate->key.modulus());
    EXPECT_EQ(get("/identitytoolkit/v3/relyingparty/publicKeys").text, shown.text);
}

TEST_F(AuthTest, ARetiredKeyStaysPublishedUntilItsTokensAreOver) {
    auto before = sign_up();
    ASSERT_TRUE(rotate_signing_key(*auth));
    EXPECT_EQ(get(certificates).body.size(), 2u);
    EXPECT_EQ(get(key_set).body.at("keys").as_array().size(), 2u);
    EXPECT_EQ(look(before.at("idToken")).status, 200);
    auto after = sign_in();
    EXPECT_NE(crypto::parse_jwt(before.at("idToken"))->header.at("kid"),
              crypto::parse_jwt(after.at("idToken"))->header.at("kid"));
    EXPECT_EQ(look(after.at("idToken")).status, 200);
    clock.advance(std::chrono::hours(24 * 14 + 1));  // A session cookie may live two weeks.
    EXPECT_EQ(get(certificates).body.size(), 1u);
}

TEST_F(AuthTest, TheCommandLineAddsUsersAndRoles) {
    auto added = add_user(*auth, campus.id, {"Reg@example.com", "secret123", R"({"role":"registrar"})"});
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_EQ(crypto::parse_jwt(sign_in("reg@example.com").at("idToken"))->payload.at("role"), "registrar");
    ASSERT_TRUE(set_claims(*auth, campus.id, "reg@example.com", R"({"role":"dean"})"));
    EXPECT_EQ(crypto::parse_jwt(sign_in("reg@example.com").at("idToken"))->payload.at("role"), "dean");
    auto listed = list_users(*auth, campus.id);
    ASSERT_EQ(listed->size(), 1u);
    EXPECT_EQ(listed->at(0).email, "reg@example.com");
    EXPECT_TRUE(list_users(*auth, teleo.id)->empty());
}

TEST_F(AuthTest, TheCommandLineIsToldWhatToMend) {
    auto why = [](const auto& result) { return result ? "nothing" : result.error().message; };
    NewUser ann{"ann@example.com", "secret123"};
    ASSERT_TRUE(add_user(*auth, campus.id, ann));
    EXPECT_EQ(why(add_user(*auth, campus.id, ann)), "there is a user ann@example.com already");
    EXPECT_EQ(why(add_user(*auth, {"nowhere"}, ann)),
              "there is no Firebase project nowhere in this data folder");
    EXPECT_EQ(why(add_user(*auth, campus.id, {"ann", "secret123"})), "this is not an e-mail address: ann");
    EXPECT_EQ(why(add_user(*auth, campus.id, {"b@example.com", "1"})),
              "the password needs at least 6 characters");
    EXPECT_EQ(why(set_claims(*auth, campus.id, "ann@example.com", "[]")),
              "claims must be a JSON object, such as {\"role\":\"registrar\"}");
    EXPECT_EQ(why(set_claims(*auth, campus.id, "ann@example.com", R"({"sub":1})")),
              "the claim sub is reserved by Firebase");
    EXPECT_EQ(why(set_claims(*auth, campus.id, "bob@example.com", "{}")),
              "there is no user bob@example.com in project campus-student-lifecycle");
    EXPECT_EQ(why(add_project(*auth, {"x"}, {"../etc"})),
              "a Firebase project id has 4 to 63 lower-case letters, digits and hyphens");
}

TEST_F(AuthTest, ReadyMadeUsersStayTheSameAndArePutBack) {
    auto first = ready_made_users(*auth, campus, {"registrar", "church_admin"});
    ASSERT_TRUE(first) << first.error().message << first.error().cause;
    ASSERT_EQ(first->size(), 2u);
    EXPECT_EQ(first->at(0).email, "registrar@campus.example");
    auto session = sign_in(first->at(0).email, first->at(0).password);
    EXPECT_EQ(crypto::parse_jwt(session.at("idToken"))->payload.at("role"), "registrar");

    reopen();
    auto again = ready_made_users(*auth, campus, {"registrar", "church_admin"});
    EXPECT_EQ(again->at(0).password, first->at(0).password);
    EXPECT_EQ(look(session.at("idToken")).status, 200) << "an unchanged user is left alone";

    clock.advance(std::chrono::seconds(1));
    client("accounts:update", {{"idToken", session.at("idToken")}, {"password", "my-own-one"}});
    ASSERT_TRUE(ready_made_users(*auth, campus, {"registrar"}));
    EXPECT_EQ(sign_in(first->at(0).email, first->at(0).password).status, 200);
    admin("/accounts:delete", {{"localId", session.at("localId")}});
    ASSERT_TRUE(ready_made_users(*auth, campus, {"registrar"}));
    EXPECT_EQ(sign_in(first->at(0).email, first->at(0).password).status, 200);
}

TEST_F(AuthTest, OnlyItsOwnerReadsTheFiles) {
    auto mode_of = [](const std::string& path) {
        struct stat found {};
        EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
        return found.st_mode & 0777;
    };
    EXPECT_EQ(mode_of(folder), 0700u);
    EXPECT_EQ(mode_of(folder + "/users.sqlite"), 0600u);
    EXPECT_EQ(mode_of(folder + "/service-accounts/campus-student-lifecycle.json"), 0600u);
}

TEST_F(AuthTest, RefusesAFileOfANewerVersionOrOfAnotherProgram) {
    auto break_it = [&](const std::string& sql) {
        auto transaction = auth->store->write();
        EXPECT_TRUE(transaction->run_script(sql));
        EXPECT_TRUE(transaction->commit());
    };
    break_it("PRAGMA user_version=99");
    auto newer = open(folder, clock, random);
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().message,
              "the users were written by a newer version (schema 99, this one knows 1): use"
              " that version or another data folder (" +
                  folder + "/users.sqlite)");
    break_it("PRAGMA application_id=7");
    EXPECT_EQ(open(folder, clock, random).error().fault, Fault::invalid);
}

TEST_F(AuthTest, WhatWasAnsweredSurvivesAKill) {
    auth.reset();
    auto child = ::fork();
    if (child == 0) {
        reopen();
        bool answered = sign_up().status == 200;
        ::kill(::getpid(), answered ? SIGKILL : SIGTERM);
    }
    int ended = 0;
    ASSERT_EQ(::waitpid(child, &ended, 0), child);
    ASSERT_EQ(WTERMSIG(ended), SIGKILL);
    reopen();
    EXPECT_EQ(sign_in().status, 200);
}

TEST_F(AuthTest, AnotherProcessMayWriteAtTheSameTime) {
    auto other = open(folder, clock, random);
    ASSERT_TRUE(other);
    ASSERT_TRUE(add_user(**other, campus.id, {"ann@example.com", "secret123"}));
    EXPECT_EQ(sign_in().status, 200);
    auto transaction = (*other)->store->write();
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(transaction->execute("UPDATE users SET disabled=1"));
    { auto abandoned = std::move(*transaction); }  // Rolled back.
    EXPECT_EQ(sign_in().status, 200);
}

}  // namespace integreat::firebase
