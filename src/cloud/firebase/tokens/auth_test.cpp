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
constexpr auto key_set = "/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";
}  // namespace

TEST_F(AuthTest, PublishesItsKeysLikeGoogle) {
    auto response = get(certificates_path);
    EXPECT_EQ(response.headers.value("Cache-Control"), "public, max-age=60, must-revalidate, no-transform");
    ASSERT_EQ(response.body.size(), 1u);
    auto certificate = crypto::parse_certificate(response.body.begin()->value().as_string());
    ASSERT_TRUE(certificate);
    EXPECT_GT(certificate->not_after, clock.now());

    auto key = get(key_set).body.at("keys").at(0).as_object();
    EXPECT_EQ(key.at("kid").as_string(), response.body.begin()->key());
    EXPECT_EQ(key.at("alg"), "RS256");
    EXPECT_EQ(crypto::base64url_decode(key.at("n").as_string()), certificate->key.modulus());
    EXPECT_EQ(get("/identitytoolkit/v3/relyingparty/publicKeys").text, response.text);
}

TEST_F(AuthTest, ARetiredKeyStaysPublishedUntilItsTokensExpire) {
    auto before = sign_up();
    ASSERT_TRUE(rotate_signing_key(*auth));
    EXPECT_EQ(get(certificates_path).body.size(), 2u);
    EXPECT_EQ(get(key_set).body.at("keys").as_array().size(), 2u);
    EXPECT_EQ(lookup(before.at("idToken")).status, 200);
    auto after = sign_in();
    EXPECT_NE(crypto::parse_jwt(before.at("idToken"))->header.at("kid"),
              crypto::parse_jwt(after.at("idToken"))->header.at("kid"));
    EXPECT_EQ(lookup(after.at("idToken")).status, 200);
    clock.advance(std::chrono::hours(24 * 14 + 1));  // A session cookie is valid for up to two weeks.
    EXPECT_EQ(get(certificates_path).body.size(), 1u);
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

TEST_F(AuthTest, TheCommandLineGetsUsefulErrors) {
    auto message = [](const auto& result) { return result ? "nothing" : result.error().message; };
    NewUser ann{"ann@example.com", "secret123"};
    ASSERT_TRUE(add_user(*auth, campus.id, ann));
    EXPECT_EQ(message(add_user(*auth, campus.id, ann)), "the user ann@example.com already exists");
    EXPECT_EQ(message(add_user(*auth, {"nowhere"}, ann)),
              "the Firebase project nowhere does not exist in this data folder");
    EXPECT_EQ(message(add_user(*auth, campus.id, {"ann", "secret123"})), "invalid e-mail address: ann");
    EXPECT_EQ(message(add_user(*auth, campus.id, {"b@example.com", "1"})),
              "the password must have at least 6 characters");
    EXPECT_EQ(message(set_claims(*auth, campus.id, "ann@example.com", "[]")),
              "claims must be a JSON object, such as {\"role\":\"registrar\"}");
    EXPECT_EQ(message(set_claims(*auth, campus.id, "ann@example.com", R"({"sub":1})")),
              "the claim sub is reserved by Firebase");
    EXPECT_EQ(message(set_claims(*auth, campus.id, "bob@example.com", "{}")),
              "the user bob@example.com does not exist in project campus-student-lifecycle");
    EXPECT_EQ(message(add_project(*auth, {"x"}, {"../etc"})),
              "a Firebase project id must have 4 to 63 lower-case letters, digits or hyphens");
}

TEST_F(AuthTest, SeedUsersAreStableAndRestored) {
    auto first = ensure_seed_users(*auth, campus, {"registrar", "church_admin"});
    ASSERT_TRUE(first) << first.error().message << first.error().cause;
    ASSERT_EQ(first->size(), 2u);
    EXPECT_EQ(first->at(0).email, "registrar@campus.example");
    auto session = sign_in(first->at(0).email, first->at(0).password);
    EXPECT_EQ(crypto::parse_jwt(session.at("idToken"))->payload.at("role"), "registrar");

    reopen();
    auto again = ensure_seed_users(*auth, campus, {"registrar", "church_admin"});
    EXPECT_EQ(again->at(0).password, first->at(0).password);
    EXPECT_EQ(lookup(session.at("idToken")).status, 200) << "an unchanged user is not modified";

    clock.advance(std::chrono::seconds(1));
    client("accounts:update", {{"idToken", session.at("idToken")}, {"password", "my-own-one"}});
    ASSERT_TRUE(ensure_seed_users(*auth, campus, {"registrar"}));
    EXPECT_EQ(sign_in(first->at(0).email, first->at(0).password).status, 200);
    admin("/accounts:delete", {{"localId", session.at("localId")}});
    ASSERT_TRUE(ensure_seed_users(*auth, campus, {"registrar"}));
    EXPECT_EQ(sign_in(first->at(0).email, first->at(0).password).status, 200);
}

TEST_F(AuthTest, FilesAreReadableByTheOwnerOnly) {
    auto file_mode = [](const std::string& path) {
        struct stat status {};
        EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
        return status.st_mode & 0777;
    };
    EXPECT_EQ(file_mode(folder), 0700u);
    EXPECT_EQ(file_mode(folder + "/users.sqlite"), 0600u);
    EXPECT_EQ(file_mode(folder + "/service-accounts/campus-student-lifecycle.json"), 0600u);
}

TEST_F(AuthTest, RefusesAFileOfANewerVersionOrOfAnotherProgram) {
    auto run_script = [&](const std::string& sql) {
        auto transaction = auth->store->write();
        EXPECT_TRUE(transaction->run_script(sql));
        EXPECT_TRUE(transaction->commit());
    };
    run_script("PRAGMA user_version=99");
    auto newer = open(folder, clock, random);
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().message,
              "the users were written by a newer version (schema 99, this version supports 1); use"
              " that version or another data folder (" +
                  folder + "/users.sqlite)");
    run_script("PRAGMA application_id=7");
    EXPECT_EQ(open(folder, clock, random).error().fault, Fault::invalid);
}

TEST_F(AuthTest, AcknowledgedWritesSurviveAKill) {
    auth.reset();
    auto child = ::fork();
    if (child == 0) {
        reopen();
        bool acknowledged = sign_up().status == 200;
        ::kill(::getpid(), acknowledged ? SIGKILL : SIGTERM);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
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
