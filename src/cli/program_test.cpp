// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/runtime/command_context.h"
#include "cli/testing/temporary_folder.h"

namespace integreat::cli {
namespace {

using testing::HasSubstr;

struct Output {
    int code = 0;
    std::string out;
    std::string err;
};

Output run(std::vector<const char*> words) {
    words.insert(words.begin(), "integreat");
    std::ostringstream out, err;
    int code = run_program(static_cast<int>(words.size()), words.data(), out, err);
    return {code, out.str(), err.str()};
}

TEST(Program, PrintsHelpWithCommandsAndExitCodes) {
    auto help = run({"--help"});
    EXPECT_EQ(help.code, 0);
    for (auto word : {"dev", "serve", "check", "routes", "tenant", "db", "seed", "key", "user", "why",
                      "doctor", "completion", "Exit codes"}) {
        EXPECT_THAT(help.out, HasSubstr(word));
    }
    EXPECT_EQ(run({"--version"}).code, 0);
}

TEST(Program, ReturnsTwoForAnInvalidCommandLine) {
    EXPECT_EQ(run({}).code, exit_usage);
    EXPECT_EQ(run({"devv"}).code, exit_usage);
    EXPECT_EQ(run({"dev", "--ports", "some"}).code, exit_usage);
    EXPECT_EQ(run({"tenant", "add", "library"}).code, exit_usage);
    EXPECT_THAT(run({"tenant", "add", "library"}).err, HasSubstr("--project"));
}

TEST(Program, ReturnsOneWithAMessageWhenNoGatewayIsRunning) {
    TemporaryFolder folder;
    auto data = folder.path.string();
    auto output = run({"why", "req_01J", "--data", data.c_str()});
    EXPECT_EQ(output.code, exit_failure);
    EXPECT_THAT(output.err, HasSubstr("no gateway is running on " + data));
}

TEST(Help, PrintsTheHelpOfACommand) {
    EXPECT_EQ(run({"help", "db", "plan"}).out, run({"db", "plan", "--help"}).out);
    EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
    auto unknown = run({"help", "db", "plann"});
    EXPECT_EQ(unknown.code, exit_usage);
    EXPECT_THAT(unknown.err, HasSubstr("unknown command \"plann\", did you mean \"plan\"?"));
}

TEST(Help, TheManualOfAllCommandsIsInTheDocumentation) {
    std::ifstream file(INTEGREAT_SOURCE_DIR "/docs/reference/commands.md");
    std::string written{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(written, run({"help", "--manual"}).out)
        << "run `integreat help --manual > docs/reference/commands.md`";
}

TEST(Completion, ContainsCommandsAndOptionsForEachShell) {
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

}  // namespace
}  // namespace integreat::cli
