// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/ready_file.h"

#include <fstream>
#include <iterator>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/runtime/running_instance.h"
#include "cli/testing/temporary_folder.h"

namespace integreat::cli {
namespace {

using testing::HasSubstr;

ReadyFile ready_with_one_user() {
    return {.pid = 7,
            .gateway = "http://127.0.0.1:8080",
            .firebase = "http://127.0.0.1:9099",
            .aws = {},
            .sandbox = {},
            .tenants = {{.app = "campus",
                         .title = "Campus",
                         .firebase_project = "campus-student-lifecycle",
                         .firebase_api_key = "AIza0",
                         .identity_pool = {},
                         .bucket = {},
                         .users = {{"student@campus.example", "pass", "student"}}}}};
}

TEST(ReadyFile, DescribesServicesAndTenantsAsJson) {
    auto parsed = boost::json::parse(to_json(ready_with_one_user())).as_object();
    EXPECT_EQ(parsed["pid"], 7);
    EXPECT_EQ(parsed["gateway"], "http://127.0.0.1:8080");
    EXPECT_TRUE(parsed["aws"].is_null());
    EXPECT_TRUE(parsed["sandbox"].is_null());
    auto& campus = parsed["tenants"].at("campus").as_object();
    EXPECT_EQ(campus["firebase_project"], "campus-student-lifecycle");
    EXPECT_TRUE(campus["bucket"].is_null());
    EXPECT_TRUE(campus["identity_pool"].is_null());
    EXPECT_EQ(campus["users"].at(0).at("role"), "student");
}

TEST(StartupBanner, ShowsUsersAndExampleCommands) {
    auto text = startup_banner(ready_with_one_user(), "/tmp/it",
                               {.program = "build/integreat", .data = "/tmp/it's here"});
    EXPECT_THAT(text, HasSubstr("student@campus.example"));
    EXPECT_THAT(text, HasSubstr("accounts:signInWithPassword?key=AIza0"));
    EXPECT_THAT(text, HasSubstr("http://127.0.0.1:8080/v1/apps/campus/me"));
    EXPECT_THAT(text, HasSubstr("    build/integreat routes --app campus\n"));
    EXPECT_THAT(text, HasSubstr(": build/integreat user list --data '/tmp/it'\\''s here'\n"));
    text = startup_banner(ready_with_one_user(), "/tmp/it",
                          {.program = "/opt/my programs/integreat", .configuration = "/etc/i"});
    EXPECT_THAT(text, HasSubstr("    '/opt/my programs/integreat' routes --app campus --config /etc/i\n"));
}

TEST(WriteFileAtomically, ReplacesTheFileAndRestrictsItToTheOwner) {
    TemporaryFolder folder;
    auto path = folder.path / "ready.json";
    ASSERT_TRUE(write_file_atomically(path.string(), "one\n"));
    ASSERT_TRUE(write_file_atomically(path.string(), "two\n"));
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(text, "two\n");
    EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms::all,
              std::filesystem::perms(0600));
    auto nowhere = write_file_atomically((folder.path / "missing" / "ready.json").string(), "x");
    ASSERT_FALSE(nowhere);
    EXPECT_THAT(nowhere.error().message, HasSubstr("cannot create"));
}

TEST(RunningInstance, IsFoundOnlyWhileItsProcessRuns) {
    TemporaryFolder folder;
    EXPECT_FALSE(find_running_instance(folder.path));
    auto describe = [&](int pid) {
        auto ready = ready_with_one_user();
        ready.pid = pid;
        ASSERT_TRUE(write_file_atomically((folder.path / running_file).string(), to_json(ready)));
    };
    describe(::getpid());
    ASSERT_TRUE(find_running_instance(folder.path));
    EXPECT_EQ(find_running_instance(folder.path)->gateway, "http://127.0.0.1:8080");
    describe(0x3FFFFFFF);
    EXPECT_FALSE(find_running_instance(folder.path));
    ASSERT_TRUE(write_file_atomically((folder.path / running_file).string(), "[1,2"));
    EXPECT_FALSE(find_running_instance(folder.path));
}

}  // namespace
}  // namespace integreat::cli
