// SPDX-License-Identifier: Apache-2.0
#include "postgres/server/embedded_postgres.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process/child_process.h"
#include "postgres/server/installation.h"
#include "postgres/testing/test_databases.h"

namespace integreat::postgres {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

struct Folder {
    Folder() {
        std::string name = "/tmp/integreat-server-test-XXXXXX";
        if (mkdtemp(name.data())) path = name;
        chmod(name.c_str(), 0755);
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

bool accepts_queries(const EmbeddedPostgres& server) {
    FixedClock clock;
    Pool pool({.tenant = platform_tenant, .url = server.superuser_url("postgres")}, clock);
    auto rows = pool.run(platform_tenant, Monotonic::max(), "SELECT 1");
    return rows && rows->integer(0, 0) == 1;
}

bool ends_within(pid_t pid, seconds time) {
    auto until = steady_clock::now() + time;
    while (kill(pid, 0) == 0 && steady_clock::now() < until)
        std::this_thread::yield();
    return kill(pid, 0) != 0;
}

std::string contents(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(EmbeddedPostgres, CreatesADataFolderAndStartsAgainFromIt) {
    Folder folder;
    FixedRandom random;
    auto first = EmbeddedPostgres::start({.folder = folder.path / "postgres"}, random);
    ASSERT_TRUE(first) << first.error().message << first.error().cause;
    EXPECT_TRUE((*first)->healthy());
    EXPECT_TRUE(accepts_queries(**first));
    struct stat password {};
    ASSERT_EQ(stat((folder.path / "postgres" / "superuser-password").c_str(), &password), 0);
    EXPECT_EQ(password.st_mode & 0777, 0600u);
    auto pid = (*first)->pid();
    first->reset();
    EXPECT_TRUE(ends_within(pid, seconds(5)));
    auto second = EmbeddedPostgres::start({.folder = folder.path / "postgres"}, random);
    ASSERT_TRUE(second) << second.error().message << second.error().cause;
    EXPECT_TRUE(accepts_queries(**second));
}

TEST(EmbeddedPostgres, ListensOnNoPort) {
    auto own = testing::start_test_server();
    FixedClock clock;
    Pool pool({.tenant = platform_tenant, .url = own->server->superuser_url("postgres")}, clock);
    EXPECT_EQ(pool.run(platform_tenant, Monotonic::max(), "SHOW listen_addresses")->text(0, 0), "");
    EXPECT_EQ(pool.run(platform_tenant, Monotonic::max(), "SHOW unix_socket_permissions")->text(0, 0),
              "0700");
}

TEST(EmbeddedPostgres, IsUsedByOneProcessOnly) {
    auto own = testing::start_test_server();
    FixedRandom random;
    auto second = EmbeddedPostgres::start({.folder = own->server->folder()}, random);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().fault, Fault::conflict);
    EXPECT_THAT(second.error().message, HasSubstr("process " + std::to_string(getpid())));
    EXPECT_TRUE(accepts_queries(*own->server));
}

TEST(EmbeddedPostgres, RestartsAfterACrash) {
    auto own = testing::start_test_server();
    auto before = own->server->pid();
    kill(before, SIGKILL);
    auto until = steady_clock::now() + seconds(10);
    while ((own->server->pid() == before || !own->server->healthy()) && steady_clock::now() < until) {
        std::this_thread::yield();
    }
    EXPECT_EQ(own->server->restarts(), 1);
    EXPECT_NE(own->server->pid(), before);
    EXPECT_TRUE(accepts_queries(*own->server));
}

TEST(EmbeddedPostgres, FindsAShortFolderForItsSocket) {
    Folder folder;
    FixedRandom random;
    auto deep = folder.path / std::string(60, 'd') / std::string(60, 'e');
    auto server = EmbeddedPostgres::start({.folder = deep, .durable = false}, random);
    ASSERT_TRUE(server) << server.error().message << server.error().cause;
    EXPECT_TRUE(accepts_queries(**server));
    auto socket = contents(deep / "socket-folder");
    EXPECT_THAT(socket, ::testing::StartsWith("/tmp/integreat-"));
    server->reset();
    EXPECT_FALSE(fs::exists(socket.substr(0, socket.size() - 1)));
}

TEST(EmbeddedPostgres, RotatesItsLog) {
    Folder folder;
    FixedRandom random;
    auto path = folder.path / "postgres";
    { auto server = EmbeddedPostgres::start({.folder = path, .durable = false}, random); }
    std::ofstream(path / "server.log", std::ios::app) << std::string(10'000, 'x') << "\n";
    auto server = EmbeddedPostgres::start({.folder = path, .durable = false, .log_bytes_max = 5'000}, random);
    ASSERT_TRUE(server);
    auto until = steady_clock::now() + seconds(10);
    auto is_copied = [&] { return contents(path / "server.log.1").find("xxxx") != std::string::npos; };
    while (!is_copied() && steady_clock::now() < until)
        std::this_thread::yield();
    EXPECT_TRUE(is_copied());
    while (fs::file_size(path / "server.log") > 5'000 && steady_clock::now() < until)
        std::this_thread::yield();
    EXPECT_LE(fs::file_size(path / "server.log"), 5'000u);
}

TEST(EmbeddedPostgres, NamesTheFolderItMayNotEnter) {
    Folder folder;
    chmod(folder.path.c_str(), 0700);
    auto nobody = UnixAccount{"nobody", 65534, 65534};
    EXPECT_EQ(find_unsearchable_folder(folder.path / "postgres", nobody), folder.path);
    if (geteuid() != 0) return;
    FixedRandom random;
    auto refused = EmbeddedPostgres::start({.folder = folder.path / "postgres"}, random);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::invalid);
    EXPECT_THAT(refused.error().message, HasSubstr("run `chmod o+x " + folder.path.string() + "`"));
}

TEST(EmbeddedPostgres, NamesThePostgresItsDataNeed) {
    Folder folder;
    std::ofstream(folder.path / "PG_VERSION") << "9\n";
    auto none = find_installation(folder.path);
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message, HasSubstr("run `apt-get install postgresql-9`"));
}

TEST(EmbeddedPostgres, ShowsItsLogWhenItDoesNotStart) {
    Folder folder;
    FixedRandom random;
    auto path = folder.path / "postgres";
    { auto server = EmbeddedPostgres::start({.folder = path, .durable = false}, random); }
    std::ofstream(path / "data" / "postgresql.conf", std::ios::app) << "no_such_setting = 1\n";
    auto refused = EmbeddedPostgres::start({.folder = path, .durable = false}, random);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().cause, HasSubstr("no_such_setting"));
}

// The next test runs this one in a separate process.
TEST(EmbeddedPostgresChild, DISABLED_RunsUntilKilled) {
    auto own = testing::start_test_server();
    auto note = fs::path(getenv("INTEGREAT_TEST_NOTE"));
    std::ofstream(note.string() + ".new") << own->server->pid() << " " << own->folder.string() << "\n";
    fs::rename(note.string() + ".new", note);
    while (true)
        pause();
}

TEST(EmbeddedPostgres, EndsWhenItsParentIsKilled) {
    Folder folder;
    auto note = folder.path / "note";
    std::string setting = "INTEGREAT_TEST_NOTE=" + note.string();
    std::string program = "test", filter = "--gtest_filter=EmbeddedPostgresChild.*",
                all = "--gtest_also_run_disabled_tests";
    char* arguments[] = {program.data(), filter.data(), all.data(), nullptr};
    char* environment[] = {setting.data(), nullptr};
    pid_t parent = 0;
    ASSERT_EQ(posix_spawn(&parent, "/proc/self/exe", nullptr, nullptr, arguments, environment), 0);
    auto until = steady_clock::now() + seconds(60);
    while (!fs::exists(note) && steady_clock::now() < until)
        std::this_thread::yield();
    pid_t server = 0;
    std::string data_folder;
    std::ifstream(note) >> server >> data_folder;
    ASSERT_GT(server, 0);
    EXPECT_EQ(kill(server, 0), 0);
    kill(parent, SIGKILL);
    waitpid(parent, nullptr, 0);
    EXPECT_TRUE(ends_within(server, seconds(10)));
    fs::remove_all(data_folder);
}

}  // namespace
}  // namespace integreat::postgres
