// SPDX-License-Identifier: Apache-2.0
#include "postgres/server/embedded_postgres.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/concurrency/synchronized.h"
#include "base/log.h"
#include "base/process/child_process.h"
#include "base/unique_fd.h"
#include "postgres/server/installation.h"

namespace integreat::postgres {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view socket_name = "/.s.PGSQL.5432";
constexpr std::size_t socket_path_max = 107;  // sun_path without its NUL.
constexpr milliseconds readiness_pause{5};
constexpr milliseconds restart_backoff_first{50};
constexpr milliseconds restart_backoff_max{5'000};
constexpr int previous_server_attempts = 10;
constexpr milliseconds stable_after{10'000};  // Uptime that resets the back-off of restarts.

Error file_error(const fs::path& path, const std::string& what) {
    return {Fault::unavailable, "the folder of the database cannot be used: " + path.string() + ": " + what,
            what};
}

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// Writes a file that only its owner can read.
Result<> write_private_file(const fs::path& path, const std::string& text,
                            const std::optional<UnixAccount>& owner) {
    UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    bool written =
        file && write(file.get(), text.data(), text.size()) == ssize_t(text.size()) && fsync(file.get()) == 0;
    if (written && owner) written = fchown(file.get(), owner->user, owner->group) == 0;
    if (!written) return file_error(path, std::strerror(errno));
    return {};
}

Result<> make_folder(const fs::path& path, const std::optional<UnixAccount>& owner) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (failure) return file_error(path, failure.message());
    if (chmod(path.c_str(), 0700) != 0 || (owner && chown(path.c_str(), owner->user, owner->group) != 0)) {
        return file_error(path, std::strerror(errno));
    }
    return {};
}

Result<> check_reachable(const fs::path& folder, const std::optional<UnixAccount>& account) {
    if (!account) return {};
    auto closed = find_unsearchable_folder(folder, *account);
    if (!closed) return {};
    return Error{Fault::invalid,
                 "the database must run as the user " + account->name + ", who may not enter " +
                     closed->string() + ": run `chmod o+x " + closed->string() +
                     "`, or choose another data folder",
                 "data folder " + folder.string()};
}

// Locks the folder until the descriptor is closed; the kernel releases the lock when this process ends.
Result<UniqueFd> lock_folder(const fs::path& folder) {
    auto path = folder / "lock";
    UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file) return file_error(path, std::strerror(errno));
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return Error{Fault::conflict,
                     "the database in " + folder.string() + " is in use by process " + first_line(path) +
                         ": stop that process, or choose another data folder",
                     "the lock file is held"};
    }
    auto pid = std::to_string(getpid()) + "\n";
    if (ftruncate(file.get(), 0) != 0 || write(file.get(), pid.data(), pid.size()) < 0) {
        return file_error(path, std::strerror(errno));
    }
    return file;
}

// Creates the folder of the socket: within `folder` if its path is short enough, otherwise below /tmp. Its
// name is stored so that the next start can remove it after this process was killed.
Result<fs::path> create_socket_folder(const fs::path& folder, const std::optional<UnixAccount>& account) {
    auto note = folder / "socket-folder";
    std::error_code ignored;
    if (auto before = first_line(note); before.starts_with("/tmp/integreat-"))
        fs::remove_all(before, ignored);
    auto run = folder / "run";
    if (run.string().size() + socket_name.size() > socket_path_max) {
        std::string name = "/tmp/integreat-XXXXXX";
        if (!mkdtemp(name.data())) return file_error(name, std::strerror(errno));
        run = name;
    }
    TRY(make_folder(run, account));
    TRY(write_private_file(note, run.string() + "\n", std::nullopt));
    return run;
}

// Makes a connection string in key-value form: each value is quoted, with quotes and backslashes escaped by a
// backslash.
Secret make_url(const fs::path& run, const std::string& database, const std::string& role,
                const Secret& password) {
    auto quoted = [](const std::string& text) {
        std::string out = "'";
        for (char c : text) {
            if (c == '\'' || c == '\\') out += '\\';
            out += c;
        }
        return out + "'";
    };
    return Secret("host=" + quoted(run.string()) + " port=5432 dbname=" + quoted(database) +
                  " user=" + quoted(role) + " password=" + quoted(password.reveal()));
}

}  // namespace

Secret random_password(Random& random) {
    std::array<std::byte, 32> bytes;
    random.fill(bytes);
    std::string text;
    for (auto byte : bytes) {
        text += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
        text += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
    }
    return Secret(std::move(text));
}

struct EmbeddedPostgres::State {
    EmbeddedPostgresSettings settings;
    std::optional<UnixAccount> account;
    Installation installation;
    UniqueFd lock;
    UniqueFd stop_requested{eventfd(0, EFD_CLOEXEC)};
    fs::path run;
    Secret password;

    std::atomic<pid_t> child{0};
    std::atomic<bool> ready{false};
    std::atomic<int> restarts{0};
    Synchronized<std::optional<Result<>>> first_start;  // Empty before its end.
    std::condition_variable first_start_done;
    std::thread supervisor;

    fs::path data() const { return settings.folder / "data"; }
    fs::path log_file() const { return settings.folder / "server.log"; }

    ProcessSpec process_spec() const;
    Result<> prepare(Random& random);
    bool previous_server_is_stopping(int attempts) const;
    Result<> launch();
    bool reports_ready(pid_t pid) const;
    bool stop_requested_within(milliseconds time) const;
    void rotate_log() const;
    void wait_for_end();
    void supervise();
    void stop_child();
    void set_first_start(Result<> result);
};

ProcessSpec EmbeddedPostgres::State::process_spec() const {
    ProcessSpec spec{.executable = installation.binaries / "postgres",
                     .arguments = {"-D", data().string()},
                     .account = account,
                     .log_file = log_file(),
                     .parent_death_signal = SIGINT};
    auto set = [&](const std::string& setting) {
        spec.arguments.insert(spec.arguments.end(), {"-c", setting});
    };
    set("listen_addresses=");
    set("unix_socket_directories=" + run.string());
    set("unix_socket_permissions=0700");
    set("port=5432");  // Part of the name of the socket.
    set("max_connections=" + std::to_string(settings.max_connections));
    set("shared_buffers=32MB");
    set("max_wal_size=256MB");
    set("timezone=UTC");
    set("jit=off");
    set("logging_collector=off");
    set("log_min_messages=warning");
    set("log_min_error_statement=panic");  // Statements contain personal data.
    if (!settings.durable) {  // Commits still reach the kernel: no data are lost if the server is killed.
        set("fsync=off");
        set("full_page_writes=off");
    }
    return spec;
}

Result<> EmbeddedPostgres::State::prepare(Random& random) {
    settings.folder = fs::absolute(settings.folder).lexically_normal();
    account = TRY(find_child_account());
    TRY(check_reachable(settings.folder, account));
    TRY(make_folder(settings.folder, account));
    TRY(check_reachable(settings.folder, account));
    lock = TRY(lock_folder(settings.folder));
    installation = TRY(find_installation(data()));
    run = TRY(create_socket_folder(settings.folder, account));
    auto password_file = settings.folder / "superuser-password";
    bool is_new = !fs::exists(data() / "PG_VERSION");
    if (is_new) TRY(write_private_file(password_file, random_password(random).reveal() + "\n", account));
    password = Secret(first_line(password_file));
    if (password.empty()) return file_error(password_file, "it is missing or empty");
    if (!is_new) return {};
    return initialize(installation, {data(), log_file(), password_file, account, settings.durable});
}

// Line 8 of postmaster.pid is "ready" when connections are accepted; line 1 is the process ID of the server.
bool EmbeddedPostgres::State::reports_ready(pid_t pid) const {
    std::ifstream file(data() / "postmaster.pid");
    std::string line;
    for (int number = 1; number <= 8; ++number) {
        if (!std::getline(file, line)) return false;
        if (number == 1 && line != std::to_string(pid)) return false;
    }
    return line.starts_with("ready");
}

bool EmbeddedPostgres::State::stop_requested_within(milliseconds time) const {
    pollfd watched{stop_requested.get(), POLLIN, 0};
    return poll(&watched, 1, static_cast<int>(time.count())) > 0;
}

// Returns whether the new server may have exited because the previous server of this folder is still
// stopping: its parent was killed a moment ago, or it was killed itself and its last processes are ending.
bool EmbeddedPostgres::State::previous_server_is_stopping(int attempts) const {
    auto pid = std::atoi(first_line(data() / "postmaster.pid").c_str());
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM || attempts < previous_server_attempts);
}

// Starts the server and waits until it is ready.
Result<> EmbeddedPostgres::State::launch() {
    auto until = steady_clock::now() + settings.start_timeout;
    bool retry = true;
    for (int attempts = 1; retry && steady_clock::now() < until; ++attempts) {
        auto pid = TRY(spawn(process_spec()));
        bool ended = false;
        while (!ended && steady_clock::now() < until && !stop_requested_within(milliseconds(0))) {
            if (reports_ready(pid)) {
                child = pid;
                ready = true;
                return {};
            }
            ended = wait_for_exit(pid, steady_clock::now() + readiness_pause).has_value();
        }
        if (!ended) {
            child = pid;
            stop_child();
        }
        retry = ended && previous_server_is_stopping(attempts) &&
                !stop_requested_within(restart_backoff_first * std::min(attempts, 10));
    }
    return Error{Fault::unavailable, "the database server does not start: see " + log_file().string(),
                 read_tail(log_file())};
}

// Copies and truncates a large log, which the server keeps open for appending.
void EmbeddedPostgres::State::rotate_log() const {
    std::error_code ignored;
    if (fs::file_size(log_file(), ignored) <= settings.log_bytes_max || ignored) return;
    fs::copy_file(log_file(), settings.folder / "server.log.1", fs::copy_options::overwrite_existing,
                  ignored);
    fs::resize_file(log_file(), 0, ignored);
}

// Returns when the server has ended or a stop was requested.
void EmbeddedPostgres::State::wait_for_end() {
    UniqueFd pidfd(open_pidfd(child));
    while (true) {
        rotate_log();
        std::array watched{pollfd{pidfd.get(), POLLIN, 0}, pollfd{stop_requested.get(), POLLIN, 0}};
        if (poll(watched.data(), watched.size(), 5'000) > 0) return;
    }
}

void EmbeddedPostgres::State::stop_child() {
    pid_t pid = child.exchange(0);
    ready = false;
    if (pid == 0) return;
    kill(pid, SIGINT);
    if (wait_for_exit(pid, steady_clock::now() + settings.stop_timeout)) return;
    kill(pid, SIGQUIT);
    if (wait_for_exit(pid, steady_clock::now() + std::chrono::seconds(5))) return;
    kill(-pid, SIGKILL);
    wait_for_exit(pid, steady_clock::now() + std::chrono::seconds(5));
}

void EmbeddedPostgres::State::set_first_start(Result<> result) {
    auto first_result = first_start.lock();
    if (!*first_result) *first_result = std::move(result);
    first_start_done.notify_all();
}

// Runs in the thread that starts the server: the kernel ends the server when this thread ends.
void EmbeddedPostgres::State::supervise() {
    auto backoff = restart_backoff_first;
    bool first = true;
    while (!stop_requested_within(milliseconds(0))) {
        auto launched = launch();
        if (!launched && first) return set_first_start(std::move(launched));
        if (launched) {
            if (std::exchange(first, false)) set_first_start({});
            auto started = steady_clock::now();
            wait_for_end();
            if (stop_requested_within(milliseconds(0))) break;
            auto status = wait_for_exit(child, steady_clock::now() + milliseconds(100));
            ready = false;
            child = 0;
            ++restarts;
            if (steady_clock::now() - started > stable_after) backoff = restart_backoff_first;
            log({Level::error,
                 "the database server ended unexpectedly and is restarted",
                 {{"status", std::to_string(status.value_or(0))}}});
        } else {
            log({Level::error, "the database server does not start", {{"cause", launched.error().cause}}});
        }
        if (stop_requested_within(backoff)) break;
        backoff = std::min(backoff * 2, restart_backoff_max);
    }
    stop_child();
}

EmbeddedPostgres::EmbeddedPostgres(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<EmbeddedPostgres>> EmbeddedPostgres::start(EmbeddedPostgresSettings settings,
                                                                  Random& random) {
    auto state = std::make_unique<State>();
    state->settings = std::move(settings);
    TRY(state->prepare(random));
    std::unique_ptr<EmbeddedPostgres> server(new EmbeddedPostgres(std::move(state)));
    auto& internals = *server->state_;
    internals.supervisor = std::thread([&internals] { internals.supervise(); });
    auto first_result = internals.first_start.lock();
    while (!*first_result)
        internals.first_start_done.wait(first_result.lock());
    if (!**first_result) return (*first_result)->error();
    return server;
}

EmbeddedPostgres::~EmbeddedPostgres() {
    eventfd_write(state_->stop_requested.get(), 1);
    if (state_->supervisor.joinable()) state_->supervisor.join();
    std::error_code ignored;
    fs::remove_all(state_->run, ignored);
}

bool EmbeddedPostgres::healthy() const {
    return state_->ready;
}
pid_t EmbeddedPostgres::pid() const {
    return state_->child;
}
int EmbeddedPostgres::restarts() const {
    return state_->restarts;
}
const fs::path& EmbeddedPostgres::folder() const {
    return state_->settings.folder;
}

Secret EmbeddedPostgres::superuser_url(const std::string& database) const {
    return url(database, superuser_name, state_->password);
}

Result<Secret> EmbeddedPostgres::superuser_url_of_running(const fs::path& folder,
                                                          const std::string& database) {
    auto run = first_line(folder / "socket-folder");
    auto password = first_line(folder / "superuser-password");
    if (run.empty() || password.empty() || !fs::exists(run + std::string(socket_name))) {
        return Error{Fault::unavailable, "no database server runs in " + folder.string(),
                     "no socket or no password"};
    }
    return make_url(run, database, superuser_name, Secret(password));
}

Secret EmbeddedPostgres::url(const std::string& database, const std::string& role,
                             const Secret& password) const {
    return make_url(state_->run, database, role, password);
}

}  // namespace integreat::postgres
