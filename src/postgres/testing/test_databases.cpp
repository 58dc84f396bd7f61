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

#include "postgres/databases/registry.h"
#include "postgres/driver/connection.h"
#include "postgres/server/installation.h"

namespace integreat::postgres::testing {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view folder_prefix = "integreat-test-";

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "the tests' database cannot be had: %s (%s)\n", result.error().message.c_str(),
                     result.error().cause.c_str());
        std::abort();
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// The same files with the same owners and modes.
void clone_folder(const fs::path& from, const fs::path& to) {
    auto keep_owner = [](const fs::path& source, const fs::path& target) {
        struct stat original {};
        ASSERT(stat(source.c_str(), &original) == 0);
        ASSERT(chown(target.c_str(), original.st_uid, original.st_gid) == 0);
        ASSERT(chmod(target.c_str(), original.st_mode & 07777) == 0);
    };
    fs::create_directory(to);
    keep_owner(from, to);
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
        auto target = to / fs::relative(entry.path(), from);
        if (entry.is_directory()) fs::create_directory(target);
        if (entry.is_regular_file()) fs::copy_file(entry.path(), target);
        if (entry.is_directory() || entry.is_regular_file()) keep_owner(entry.path(), target);
    }
}

// Folders of test programs that ended without cleaning up.
void remove_leftovers(const fs::path& parent) {
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
    if (count++ == 0) remove_leftovers(parent);
    auto name = (parent / (std::string(folder_prefix) + std::to_string(getpid()) + "-XXXXXX")).string();
    ASSERT(mkdtemp(name.data()));
    ASSERT(chmod(name.c_str(), 0711) == 0);
    return name;
}

PrivateServerSettings settings_for(const fs::path& folder) {
    return {.folder = folder / "postgres", .durable = false, .log_bytes_max = 1024 * 1024};
}

Random& random_for_tests() {
    static FixedRandom random;
    return random;
}

std::string base_of(DatabaseKind kind) {
    return kind == DatabaseKind::platform ? "base_platform" : "base_tenant";
}
const Secret& password() {
    static const Secret secret("secret");
    return secret;
}

Monotonic soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

// Says which PostgreSQL, which user and which migrations a template is of.
std::string template_name() {
    std::string name = "postgres-template-" + std::to_string(must(find_installation("")).version) + "-" +
                       std::to_string(geteuid());
    std::size_t hash = 0;
    for (const auto& step : migrations()) {
        hash = hash * 31 + std::hash<std::string>()(checksum_of(step) + std::string(step.grants));
    }
    return name + "-" + std::to_string(hash);
}

// A data folder with a database of each kind to clone, made once per build folder, beside the test programs.
fs::path template_folder() {
    auto beside = fs::read_symlink("/proc/self/exe").parent_path();
    auto made = beside / template_name();
    int lock = open((beside / "postgres-template.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    ASSERT(lock >= 0 && flock(lock, LOCK_EX) == 0);
    if (!fs::exists(made)) {
        auto folder = new_folder();
        auto server = must(PrivateServer::start(settings_for(folder), random_for_tests()));
        for (auto kind : {DatabaseKind::platform, DatabaseKind::tenant}) {
            must(create_database(
                *server,
                {.name = base_of(kind), .kind = kind, .password = password(), .keep_template = false},
                soon()));
        }
        server.reset();
        auto unfinished = made;
        unfinished += ".unfinished";
        fs::remove_all(unfinished);
        clone_folder(folder / "postgres", unfinished);
        fs::rename(unfinished, made);
        fs::remove_all(folder);
    }
    close(lock);
    return made;
}

}  // namespace

OwnServer::~OwnServer() {
    server.reset();
    std::error_code ignored;
    fs::remove_all(folder, ignored);
}

std::unique_ptr<OwnServer> start_server() {
    auto own = std::make_unique<OwnServer>();
    own->folder = new_folder();
    clone_folder(template_folder(), own->folder / "postgres");
    own->server = must(PrivateServer::start(settings_for(own->folder), random_for_tests()));
    return own;
}

PrivateServer& shared_server() {
    static auto own = start_server();
    return *own->server;
}

TestDatabase fresh_database(PrivateServer& server, const TenantId& tenant) {
    static std::atomic<int> count{0};
    auto base = base_of(kind_of(tenant));
    auto name = "test_" + std::to_string(++count);
    ConnectFailure failure;
    auto connection = Connection::open(server.superuser_url("postgres"), soon(), failure);
    if (!connection) must(Result<>(failure.error));
    // Copied as files: to write an empty database into the log, too, takes twice as long.
    must(connection->script(
        "CREATE DATABASE " + name + " OWNER integreat_owner TEMPLATE " + base + " STRATEGY file_copy",
        soon()));
    return {.pool = {.tenant = tenant, .url = server.url(name, login_role(base), password())},
            .name = name,
            .role = login_role(base),
            .superuser_url = server.superuser_url(name)};
}

TestDatabase fresh_database(const TenantId& tenant) {
    return fresh_database(shared_server(), tenant);
}

}  // namespace integreat::postgres::testing
