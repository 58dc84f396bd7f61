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
#include "postgres/server/installation.h"

namespace integreat::postgres {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view socket_name = "/.s.PGSQL.5432";
constexpr std::size_t socket_path_max = 107;  // sun_path without its NUL.
constexpr milliseconds readiness_pause{5};
constexpr milliseconds backoff_first{50};
constexpr milliseconds backoff_max{5'000};
constexpr int lingering_tries = 10;
constexpr milliseconds steady_after{10'000};  // Having run this long, a server's next death is a first one.

class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    int number() const { return number_; }

private:
    int number_;
};

Error file_error(const fs::path& path, const std::string& what) {
    return {Fault::unavailable, "the database's folder cannot be used: " + path.string() + ": " + what, what};
}

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// Writes a file that only its owner can read.
Result<> write_private(const fs::path& path, const std::string& text, const std::optional<Account>& owner) {
    Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    bool written = file.number() >= 0 &&
                   write(file.number(), text.data(), text.size()) == ssize_t(text.size()) &&
                   fsync(file.number()) == 0;
    if (written && owner) written = fchown(file.number(), owner->user, owner->group) == 0;
    if (!written) return file_error(path, std::strerror(errno));
    return {};
}

Result<> make_folder(const fs::path& path, const std::optional<Account>& owner) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (failure) return file_error(path, failure.message());
    if (chmod(path.c_str(), 0700) != 0 || (owner && chown(path.c_str(), owner->user, owner->group) != 0)) {
        return file_error(path, std::strerror(errno));
    }
    return {};
}

Result<> check_reachable(const fs::path& folder, const std::optional<Account>& account) {
    if (!account) return {};
    auto closed = unsearchable(folder, *account);
    if (!closed) return {};
    return Error{Fault::invalid,
                 "the database has to run as the user " + account->name + ", who may not enter " +
                     closed->string() + ": run `chmod o+x " + closed->string() +
                     "`, or choose another data folder",
                 "data folder " + folder.string()};
}

// Held as long as we live; the kernel lets go of it however we end.
Result<Descriptor> lock_folder(const fs::path& folder) {
    auto path = folder / "lock";
    Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (file.number() < 0) return file_error(path, std::strerror(errno));
    if (flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
        return Error{Fault::conflict,
                     "the database in " + folder.string() + " is in use by process " + first_line(path) +
                         ": stop that one, or choose another data folder",
                     "the lock file is held"};
    }
    auto pid = std::to_string(getpid()) + "\n";
    if (ftruncate(file.number(), 0) != 0 || write(file.number(), pid.data(), pid.size()) < 0) {
        return file_error(path, std::strerror(errno));
    }
    return file;
}

// The folder of the socket: within `folder` if its path is short enough, otherwise a new one below /tmp,
// whose name is kept so that the next start can remove it if we were killed.
Result<fs::path> socket_folder(const fs::path& folder, const std::optional<Account>& account) {
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
    TRY(write_private(note, run.string() + "\n", std::nullopt));
    return run;
}

// Key-value form: every value in quotes, with backslash before quote and backslash.
Secret url_at(const fs::path& run, const std::string& database, const std::string& role,
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

struct PrivateServer::State {
    PrivateServerSettings settings;
    std::optional<Account> account;
    Installation installation;
    Descriptor lock;
    Descriptor stop_wish{eventfd(0, EFD_CLOEXEC)};
    fs::path run;
    Secret password;

    std::atomic<pid_t> child{0};
    std::atomic<bool> ready{false};
    std::atomic<int> restarts{0};
    Guarded<std::optional<Result<>>> first_start;  // Empty until the first start has succeeded or failed.
    std::condition_variable first_start_known;
    std::thread supervisor;

    fs::path data() const { return settings.folder / "data"; }
    fs::path log_file() const { return settings.folder / "server.log"; }

    Program program() const;
    Result<> prepare(Random& random);
    bool earlier_one_lingers(int tries) const;
    Result<> launch();
    bool reports_ready(pid_t pid) const;
    bool stop_wished_within(milliseconds time) const;
    void keep_log_small() const;
    void watch();
    void supervise();
    void stop_child();
    void tell_first_start(Result<> result);
};

Program PrivateServer::State::program() const {
    Program program{.file = installation.binaries / "postgres",
                    .arguments = {"-D", data().string()},
                    .account = account,
                    .log = log_file(),
                    .signal_when_orphaned = SIGINT};
    auto set = [&](const std::string& setting) {
        program.arguments.insert(program.arguments.end(), {"-c", setting});
    };
    set("listen_addresses=");
    set("unix_socket_directories=" + run.string());
    set("unix_socket_permissions=0700");
    set("port=5432");  // Only the name of the socket.
    set("max_connections=" + std::to_string(settings.connections_max));
    set("shared_buffers=32MB");
    set("max_wal_size=256MB");
    set("timezone=UTC");
    set("jit=off");
    set("logging_collector=off");
    set("log_min_messages=warning");
    set("log_min_error_statement=panic");  // Statements hold people's data.
    if (!settings.durable) {  // Commits still reach the kernel: killing the server loses nothing.
        set("fsync=off");
        set("full_page_writes=off");
    }
    return program;
}

Result<> PrivateServer::State::prepare(Random& random) {
    settings.folder = fs::absolute(settings.folder).lexically_normal();
    account = TRY(account_for_children());
    TRY(check_reachable(settings.folder, account));
    TRY(make_folder(settings.folder, account));
    TRY(check_reachable(settings.folder, account));
    lock = TRY(lock_folder(settings.folder));
    installation = TRY(find_installation(data()));
    run = TRY(socket_folder(settings.folder, account));
    auto password_file = settings.folder / "superuser-password";
    bool fresh = !fs::exists(data() / "PG_VERSION");
    if (fresh) TRY(write_private(password_file, random_password(random).reveal() + "\n", account));
    password = Secret(first_line(password_file));
    if (password.empty()) return file_error(password_file, "it is missing or empty");
    if (!fresh) return {};
    return initialise(installation, {data(), log_file(), password_file, account, settings.durable});
}

// Line 8 of postmaster.pid says "ready" when connections are accepted; line 1 is whose file it is.
bool PrivateServer::State::reports_ready(pid_t pid) const {
    std::ifstream file(data() / "postmaster.pid");
    std::string line;
    for (int number = 1; number <= 8; ++number) {
        if (!std::getline(file, line)) return false;
        if (number == 1 && line != std::to_string(pid)) return false;
    }
    return line.starts_with("ready");
}

bool PrivateServer::State::stop_wished_within(milliseconds time) const {
    pollfd watched{stop_wish.number(), POLLIN, 0};
    return poll(&watched, 1, static_cast<int>(time.count())) > 0;
}

// Whether ours may have ended only because an earlier server of this folder has not quite: its parent was
// killed a moment ago and it is stopping, or it was killed itself and its last processes are ending.
bool PrivateServer::State::earlier_one_lingers(int tries) const {
    auto pid = std::atoi(first_line(data() / "postmaster.pid").c_str());
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM || tries < lingering_tries);
}

// Starts the server and waits until it is ready.
Result<> PrivateServer::State::launch() {
    auto until = steady_clock::now() + settings.start_timeout;
    bool may_help = true;
    for (int tries = 1; may_help && steady_clock::now() < until; ++tries) {
        auto pid = TRY(integreat::start(program()));
        bool ended = false;
        while (!ended && steady_clock::now() < until && !stop_wished_within(milliseconds(0))) {
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
        may_help =
            ended && earlier_one_lingers(tries) && !stop_wished_within(backoff_first * std::min(tries, 10));
    }
    return Error{Fault::unavailable, "the database does not start: see " + log_file().string(),
                 tail_of(log_file())};
}

// Copies and empties the log, which the server keeps open for appending.
void PrivateServer::State::keep_log_small() const {
    std::error_code ignored;
    if (fs::file_size(log_file(), ignored) <= settings.log_bytes_max || ignored) return;
    fs::copy_file(log_file(), settings.folder / "server.log.1", fs::copy_options::overwrite_existing,
                  ignored);
    fs::resize_file(log_file(), 0, ignored);
}

// Returns when the server has ended or is to be stopped.
void PrivateServer::State::watch() {
    Descriptor handle(handle_of(child));
    while (true) {
        keep_log_small();
        std::array watched{pollfd{handle.number(), POLLIN, 0}, pollfd{stop_wish.number(), POLLIN, 0}};
        if (poll(watched.data(), watched.size(), 5'000) > 0) return;
    }
}

void PrivateServer::State::stop_child() {
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

void PrivateServer::State::tell_first_start(Result<> result) {
    auto known = first_start.lock();
    if (!*known) *known = std::move(result);
    first_start_known.notify_all();
}

// The life of the thread that starts the server: the kernel ends the server if this thread ends.
void PrivateServer::State::supervise() {
    auto pause = backoff_first;
    bool first = true;
    while (!stop_wished_within(milliseconds(0))) {
        auto launched = launch();
        if (!launched && first) return tell_first_start(std::move(launched));
        if (launched) {
            if (std::exchange(first, false)) tell_first_start({});
            auto started = steady_clock::now();
            watch();
            if (stop_wished_within(milliseconds(0))) break;
            auto status = wait_for_exit(child, steady_clock::now() + milliseconds(100));
            ready = false;
            child = 0;
            ++restarts;
            if (steady_clock::now() - started > steady_after) pause = backoff_first;
            log({Level::error,
                 "the database ended by itself and is started again",
                 {{"status", std::to_string(status.value_or(0))}}});
        } else {
            log({Level::error, "the database does not start", {{"cause", launched.error().cause}}});
        }
        if (stop_wished_within(pause)) break;
        pause = std::min(pause * 2, backoff_max);
    }
    stop_child();
}

PrivateServer::PrivateServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<PrivateServer>> PrivateServer::start(PrivateServerSettings settings, Random& random) {
    auto state = std::make_unique<State>();
    state->settings = std::move(settings);
    TRY(state->prepare(random));
    std::unique_ptr<PrivateServer> server(new PrivateServer(std::move(state)));
    auto& inside = *server->state_;
    inside.supervisor = std::thread([&inside] { inside.supervise(); });
    auto known = inside.first_start.lock();
    while (!*known)
        inside.first_start_known.wait(known.lock());
    if (!**known) return (*known)->error();
    return server;
}

PrivateServer::~PrivateServer() {
    eventfd_write(state_->stop_wish.number(), 1);
    if (state_->supervisor.joinable()) state_->supervisor.join();
    std::error_code ignored;
    fs::remove_all(state_->run, ignored);
}

bool PrivateServer::healthy() const {
    return state_->ready;
}
pid_t PrivateServer::pid() const {
    return state_->child;
}
int PrivateServer::restarts() const {
    return state_->restarts;
}
const fs::path& PrivateServer::folder() const {
    return state_->settings.folder;
}

Secret PrivateServer::superuser_url(const std::string& database) const {
    return url(database, superuser_name, state_->password);
}

Result<Secret> PrivateServer::superuser_url_of_running(const fs::path& folder, const std::string& database) {
    auto run = first_line(folder / "socket-folder");
    auto password = first_line(folder / "superuser-password");
    if (run.empty() || password.empty() || !fs::exists(run + std::string(socket_name))) {
        return Error{Fault::unavailable, "no database runs in " + folder.string(),
                     "no socket or no password"};
    }
    return url_at(run, database, superuser_name, Secret(password));
}

Secret PrivateServer::url(const std::string& database, const std::string& role,
                          const Secret& password) const {
    return url_at(state_->run, database, role, password);
}

}  // namespace integreat::postgres
