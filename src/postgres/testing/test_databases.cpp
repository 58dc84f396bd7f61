// SPDX-License-Identifier: Apache-2.0
#include "postgres/testing/test_databases.h"

#include <atomic>
#include <cstdio>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "postgres/databases/create_database.h"
#include "postgres/driver/connection.h"
#include "postgres/server/installation.h"

namespace integreat::postgres::testing {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view folder_prefix = "integreat-test-";

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "the test database is not available: %s (%s)\n", result.error().message.c_str(),
                     result.error().cause.c_str());
        std::abort();
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// Copies all files, with their owners and modes.
void clone_folder(const fs::path& from, const fs::path& to) {
    auto copy_owner = [](const fs::path& source, const fs::path& target) {
        struct stat original {};
        ASSERT(stat(source.c_str(), &original) == 0);
        ASSERT(chown(target.c_str(), original.st_uid, original.st_gid) == 0);
        ASSERT(chmod(target.c_str(), original.st_mode & 07777) == 0);
    };
    fs::create_directory(to);
    copy_owner(from, to);
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
        auto target = to / fs::relative(entry.path(), from);
        if (entry.is_directory()) fs::create_directory(target);
        if (entry.is_regular_file()) fs::copy_file(entry.path(), target);
        if (entry.is_directory() || entry.is_regular_file()) copy_owner(entry.path(), target);
    }
}

// Removes the folders of test programs that ended without cleaning up.
void remove_stale_folders(const fs::path& parent) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(parent, ignored)) {
        auto name = entry.path().filename().string();
        if (!name.starts_with(folder_prefix)) continue;
        auto pid = std::atoi(name.c_str() + folder_prefix.size());
        if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), ignored);
    }
}

fs::path new_folder() {
    static std::atomic<int> count{0};
    auto parent = fs::path("/tmp");
    if (count++ == 0) remove_stale_folders(parent);
    auto name = (parent / (std::string(folder_prefix) + std::to_string(getpid()) + "-XXXXXX")).string();
    ASSERT(mkdtemp(name.data()));
    ASSERT(chmod(name.c_str(), 0711) == 0);
    return name;
}

EmbeddedPostgresSettings make_settings(const fs::path& folder) {
    return {.folder = folder / "postgres", .durable = false, .log_bytes_max = 1024 * 1024};
}

Random& test_random() {
    static FixedRandom random;
    return random;
}

std::string template_database(DatabaseKind kind) {
    return kind == DatabaseKind::platform ? "base_platform" : "base_tenant";
}
const Secret& password() {
    static const Secret secret("secret");
    return secret;
}

Monotonic one_minute_from_now() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

// Returns a folder name that identifies the PostgreSQL version, the user and the migrations.
std::string template_folder_name() {
    std::string name = "postgres-template-" + std::to_string(must(find_installation("")).version) + "-" +
                       std::to_string(geteuid());
    std::size_t hash = 0;
    for (const auto& migration : all_migrations()) {
        hash = hash * 31 +
               std::hash<std::string>()(std::string(migration.sha256) + std::string(migration.grants));
    }
    return name + "-" + std::to_string(hash);
}

// Returns a data folder with a database of each kind to clone, created once per build folder, beside the test
// programs.
fs::path ensure_template_folder() {
    auto build_folder = fs::read_symlink("/proc/self/exe").parent_path();
    auto target = build_folder / template_folder_name();
    int lock = open((build_folder / "postgres-template.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    ASSERT(lock >= 0 && flock(lock, LOCK_EX) == 0);
    if (!fs::exists(target)) {
        auto folder = new_folder();
        auto server = must(EmbeddedPostgres::start(make_settings(folder), test_random()));
        for (auto kind : {DatabaseKind::platform, DatabaseKind::tenant}) {
            must(create_database(*server,
                                 {.name = template_database(kind),
                                  .kind = kind,
                                  .password = password(),
                                  .migrations = all_migrations(),
                                  .use_template = false},
                                 one_minute_from_now()));
        }
        server.reset();
        auto unfinished = target;
        unfinished += ".unfinished";
        fs::remove_all(unfinished);
        clone_folder(folder / "postgres", unfinished);
        fs::rename(unfinished, target);
        fs::remove_all(folder);
    }
    close(lock);
    return target;
}

}  // namespace

TestServer::~TestServer() {
    server.reset();
    std::error_code ignored;
    fs::remove_all(folder, ignored);
}

std::unique_ptr<TestServer> start_test_server() {
    auto server = std::make_unique<TestServer>();
    server->folder = new_folder();
    clone_folder(ensure_template_folder(), server->folder / "postgres");
    server->server = must(EmbeddedPostgres::start(make_settings(server->folder), test_random()));
    return server;
}

EmbeddedPostgres& shared_server() {
    static auto own = start_test_server();
    return *own->server;
}

TestDatabase fresh_database(EmbeddedPostgres& server, const TenantId& tenant) {
    static std::atomic<int> count{0};
    auto base = template_database(database_kind(tenant));
    auto name = "test_" + std::to_string(++count);
    ConnectFailure failure;
    auto connection = Connection::open(server.superuser_url("postgres"), one_minute_from_now(), failure);
    if (!connection) must(Result<>(failure.error));
    // Copied as files: also writing the copy to the WAL would take twice as long.
    must(connection->script(
        "CREATE DATABASE " + name + " OWNER integreat_owner TEMPLATE " + base + " STRATEGY file_copy",
        one_minute_from_now()));
    return {.pool = {.tenant = tenant, .url = server.url(name, login_role(base), password())},
            .name = name,
            .role = login_role(base),
            .superuser_url = server.superuser_url(name)};
}

TestDatabase fresh_database(const TenantId& tenant) {
    return fresh_database(shared_server(), tenant);
}

}  // namespace integreat::postgres::testing
