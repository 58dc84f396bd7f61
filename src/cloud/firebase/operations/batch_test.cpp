// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/testing/firebase_fixture.h"
#include "crypto/encoding.h"
#include "crypto/scrypt.h"

namespace integreat::firebase {

namespace json = boost::json;

class BatchTest : public AuthTest {
protected:
    Response page(const std::string& query) {
        return send({.method = http::Method::get,
                     .target = toolkit + ("projects/" + campus.id.text) + "/accounts:batchGet" + query,
                     .headers = {{"Authorization", "Bearer owner"}}});
    }
    std::string import_one(const json::object& user) {
        auto response = admin("/accounts:batchCreate", {{"users", {user}}});
        if (response.status != 200) return response.error();
        const auto& errors = response.body.at("error").as_array();
        return errors.empty() ? "" : std::string(errors[0].at("message").as_string());
    }
};

TEST_F(BatchTest, ListsUsersPageByPage) {
    for (const char* uid : {"a", "b", "c"})
        admin("/accounts", {{"localId", uid}});
    auto first = page("?maxResults=2");
    EXPECT_EQ(first.body.at("users").as_array().size(), 2u);
    EXPECT_EQ(first.at("nextPageToken"), "b");
    auto second = page("?maxResults=2&nextPageToken=b");
    EXPECT_EQ(second.body.at("users").as_array().size(), 1u);
    EXPECT_FALSE(second.body.contains("nextPageToken"));
    EXPECT_FALSE(page("?nextPageToken=c").body.contains("users"));
    for (const char* query : {"?maxResults=0", "?maxResults=1001", "?maxResults=x"}) {
        EXPECT_EQ(page(query).error(), "INVALID_PAGE_SELECTION : maxResults must be 1 to 1000");
    }
}

TEST_F(BatchTest, ImportsUsersWithTheirScryptHashes) {
    auto digest = crypto::scrypt(Secret("imported"), "salt", {.log2_n = 10, .r = 8, .p = 1});
    json::object ann{{"localId", "ann"},
                     {"email", "Ann@example.com"},
                     {"passwordHash", crypto::base64url_encode(crypto::as_view(*digest))},
                     {"salt", crypto::base64_encode("salt")},
                     {"customAttributes", R"({"role":"dean"})"},
                     {"providerUserInfo", {{{"providerId", "google.com"}, {"rawId", "g-1"}}}}};
    json::object hash{{"hashAlgorithm", "STANDARD_SCRYPT"},
                      {"cpuMemCost", 1024},
                      {"blockSize", 8},
                      {"parallelization", 1},
                      {"dkLen", 32},
                      {"users", {ann}}};
    auto response = admin("/accounts:batchCreate", hash);
    EXPECT_EQ(response.at("error"), "[]") << response.text;
    EXPECT_EQ(sign_in("ann@example.com", "imported").at("localId"), "ann");
    hash["cpuMemCost"] = 1000;
    EXPECT_TRUE(admin("/accounts:batchCreate", hash).error().starts_with("INVALID_HASH_ALGORITHM : "));
    hash["cpuMemCost"] = 1024;
    hash["dkLen"] = 64;
    EXPECT_TRUE(admin("/accounts:batchCreate", hash).error().starts_with("INVALID_HASH_ALGORITHM : "));
    hash["hashAlgorithm"] = "MD5";
    EXPECT_TRUE(admin("/accounts:batchCreate", hash).error().starts_with("INVALID_HASH_ALGORITHM : "));
}

TEST_F(BatchTest, ReportsEachUserThatCannotBeImported) {
    sign_up();
    EXPECT_EQ(admin("/accounts:batchCreate", {}).error(), "MISSING_USER_ACCOUNT");
    EXPECT_EQ(import_one({{"localId", "x"}}), "");
    EXPECT_EQ(import_one({{"localId", "x"}}), "localId belongs to an existing account - can not overwrite.");
    EXPECT_EQ(import_one({{"email", "b@example.com"}}), "localId is missing");
    EXPECT_EQ(import_one({{"localId", "y"}, {"email", "ann@example.com"}}),
              "email exists in other account in database");
    EXPECT_EQ(import_one({{"localId", "y"}, {"email", "y"}}), "email is invalid");
    EXPECT_EQ(import_one({{"localId", "y"}, {"phoneNumber", "1"}}), "phone number format is invalid");
    EXPECT_EQ(import_one({{"localId", "y"}, {"customAttributes", "[]"}}), "Invalid custom claims provided.");
    EXPECT_EQ(import_one({{"localId", "y"}, {"passwordHash", "AAAA"}}),
              "a password hash needs hashAlgorithm STANDARD_SCRYPT");
    EXPECT_EQ(import_one({{"localId", "y"}, {"rawPassword", "secret"}}),
              "rawPassword is not supported; create the user with accounts:signUp");
    EXPECT_EQ(import_one({{"localId", "y"}, {"providerUserInfo", {{{"providerId", "google.com"}}}}}),
              "providerId and rawId are required");
    EXPECT_EQ(admin("/accounts:batchCreate", {{"users", json::array(1001, json::object())}}).error(),
              "INVALID_ARGUMENT : users must be a list of at most 1000 objects");
}

TEST_F(BatchTest, DeletesEnabledUsersOnlyByForce) {
    admin("/accounts", {{"localId", "a"}});
    admin("/accounts", {{"localId", "b"}, {"disabled", true}});
    auto response = admin("/accounts:batchDelete", {{"localIds", {"a", "b", "nobody"}}});
    EXPECT_EQ(response.body.at("errors").at(0).at("message"),
              "NOT_DISABLED : Disable the account before batch deletion.");
    EXPECT_EQ(page("").body.at("users").as_array().size(), 1u);
    EXPECT_EQ(admin("/accounts:batchDelete", {{"localIds", {"a"}}, {"force", true}}).text, "{}");
    EXPECT_FALSE(page("").body.contains("users"));
    EXPECT_EQ(admin("/accounts:batchDelete", {}).error(), "LOCAL_ID_LIST_EXCEEDS_LIMIT");
    EXPECT_EQ(admin("/accounts:batchDelete", {{"localIds", json::array(1001, "x")}}).error(),
              "LOCAL_ID_LIST_EXCEEDS_LIMIT");
}

TEST_F(BatchTest, ClearsOneProjectOnly) {
    sign_up();
    client(teleo, "accounts:signUp", {{"email", "ann@example.com"}, {"password", "secret123"}});
    EXPECT_EQ(tool(http::Method::del, "/accounts").text, "{}");
    EXPECT_EQ(sign_in().error(), "INVALID_LOGIN_CREDENTIALS");
    EXPECT_EQ(client(teleo, "accounts:signInWithPassword",
                     {{"email", "ann@example.com"}, {"password", "secret123"}})
                  .status,
              200);
}

}  // namespace integreat::firebase
