// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <arpa/inet.h>
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/commands/doctor.h"
#include "cli/runtime/ready_file.h"
#include "cli/runtime/running_instance.h"

namespace integreat::cli {
namespace {

using testing::HasSubstr;

struct Ended {
    int code = 0;
    std::string out;
    std::string err;
};

Ended run(std::vector<const char*> words) {
    words.insert(words.begin(), "integreat");
    std::ostringstream out, err;
    int code = run_program(static_cast<int>(words.size()), words.data(), out, err);
    return {code, out.str(), err.str()};
}

struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "integreat-cli-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

TEST(Program, HelpsWhoeverAsksAndSaysHowItEnds) {
    auto help = run({"--help"});
    EXPECT_EQ(help.code, 0);
    for (auto word : {"dev", "serve", "check", "routes", "tenant", "db", "seed", "key", "user", "why",
                      "doctor", "completion", "Exit codes"}) {
        EXPECT_THAT(help.out, HasSubstr(word));
    }
    EXPECT_EQ(run({"--version"}).code, 0);
}

TEST(Program, EndsWithTwoWhenTheCommandLineIsWrong) {
    EXPECT_EQ(run({}).code, exit_usage);
    EXPECT_EQ(run({"devv"}).code, exit_usage);
    EXPECT_EQ(run({"dev", "--ports", "some"}).code, exit_usage);
    EXPECT_EQ(run({"tenant", "add", "library"}).code, exit_usage);
    EXPECT_THAT(run({"tenant", "add", "library"}).err, HasSubstr("--project"));
}

TEST(Program, EndsWithOneAndASentenceWhenNothingRuns) {
    Folder folder;
    auto data = folder.path.string();
    auto ended = run({"why", "req_01J", "--data", data.c_str()});
    EXPECT_EQ(ended.code, exit_trouble);
    EXPECT_THAT(ended.err, HasSubstr("no gateway is running on " + data));
}

TEST(Completion, NamesEveryCommandAndOptionForEachShell) {
    for (auto shell : {"bash", "zsh", "fish"}) {
        auto script = run({"completion", shell});
        EXPECT_EQ(script.code, 0);
        for (auto word : {"dev", "ready-file", "revoke", "schema"})
            EXPECT_THAT(script.out, HasSubstr(word)) << shell;
    }
    auto wrong = run({"completion", "bsh"});
    EXPECT_EQ(wrong.code, exit_usage);
    EXPECT_THAT(wrong.err, HasSubstr("did you mean \"bash\"?"));
}

Ready ready_with_one_user() {
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

TEST(Ready, TellsProgramsWhatRunsWhere) {
    auto told = boost::json::parse(to_json(ready_with_one_user())).as_object();
    EXPECT_EQ(told["pid"], 7);
    EXPECT_EQ(told["gateway"], "http://127.0.0.1:8080");
    EXPECT_TRUE(told["aws"].is_null());
    EXPECT_TRUE(told["sandbox"].is_null());
    auto& campus = told["tenants"].at("campus").as_object();
    EXPECT_EQ(campus["firebase_project"], "campus-student-lifecycle");
    EXPECT_TRUE(campus["bucket"].is_null());
    EXPECT_TRUE(campus["identity_pool"].is_null());
    EXPECT_EQ(campus["users"].at(0).at("role"), "student");
}

TEST(Ready, TellsPeopleUsersAndCommandsToPaste) {
    auto text =
        welcome(ready_with_one_user(), "/tmp/it", {.program = "build/integreat", .data = "/tmp/it's here"});
    EXPECT_THAT(text, HasSubstr("student@campus.example"));
    EXPECT_THAT(text, HasSubstr("accounts:signInWithPassword?key=AIza0"));
    EXPECT_THAT(text, HasSubstr("http://127.0.0.1:8080/v1/apps/campus/me"));
    EXPECT_THAT(text, HasSubstr("    build/integreat routes --app campus\n"));
    EXPECT_THAT(text, HasSubstr(": build/integreat user list --data '/tmp/it'\\''s here'\n"));
    text = welcome(ready_with_one_user(), "/tmp/it",
                   {.program = "/opt/my programs/integreat", .configuration = "/etc/i"});
    EXPECT_THAT(text, HasSubstr("    '/opt/my programs/integreat' routes --app campus --config /etc/i\n"));
}

TEST(Ready, IsWrittenWholeAndForItsOwnerOnly) {
    Folder folder;
    auto path = folder.path / "ready.json";
    ASSERT_TRUE(write_whole(path.string(), "one\n"));
    ASSERT_TRUE(write_whole(path.string(), "two\n"));
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(text, "two\n");
    EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms::all,
              std::filesystem::perms(0600));
    auto nowhere = write_whole((folder.path / "missing" / "ready.json").string(), "x");
    ASSERT_FALSE(nowhere);
    EXPECT_THAT(nowhere.error().message, HasSubstr("cannot create"));
}

TEST(Running, IsBelievedOnlyWhileItsProcessLives) {
    Folder folder;
    EXPECT_FALSE(find_running(folder.path));
    auto describe = [&](int pid) {
        auto ready = ready_with_one_user();
        ready.pid = pid;
        ASSERT_TRUE(write_whole((folder.path / running_file).string(), to_json(ready)));
    };
    describe(::getpid());
    ASSERT_TRUE(find_running(folder.path));
    EXPECT_EQ(find_running(folder.path)->gateway, "http://127.0.0.1:8080");
    describe(0x3FFFFFFF);
    EXPECT_FALSE(find_running(folder.path));
    ASSERT_TRUE(write_whole((folder.path / running_file).string(), "[1,2"));
    EXPECT_FALSE(find_running(folder.path));
}

TEST(Doctor, SeesAPortThatIsTaken) {
    Folder folder;
    int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    auto port = ntohs(address.sin_port);
    auto taken = examine_port("the gateway", port, folder.path);
    EXPECT_EQ(taken.state, Finding::State::broken);
    EXPECT_THAT(taken.mend, HasSubstr("--ports auto"));
    ::close(listener);
    EXPECT_EQ(examine_port("the gateway", port, folder.path).state, Finding::State::good);
}

TEST(Doctor, SeesADataFolderThatCannotBeOne) {
    Folder folder;
    std::ofstream(folder.path / "file") << "x";
    EXPECT_EQ(examine_folder(folder.path / "file").state, Finding::State::broken);
    EXPECT_EQ(examine_open_files(1).state, Finding::State::good);
    EXPECT_EQ(examine_open_files(1ull << 40).state, Finding::State::doubtful);
}

}  // namespace
}  // namespace integreat::cli
