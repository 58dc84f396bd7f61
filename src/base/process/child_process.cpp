// SPDX-License-Identifier: Apache-2.0
#include "base/process/child_process.h"

#include <array>
#include <cstring>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace integreat {

namespace {

namespace fs = std::filesystem;

constexpr int exit_not_started = 126;

// What the child needs, made before the fork: after it only async-signal-safe calls are allowed.
struct Prepared {
    std::vector<char*> arguments;
    int log = -1;
    pid_t parent = 0;
};

[[noreturn]] void give_up(const char* why) {
    static_cast<void>(!write(STDERR_FILENO, why, std::strlen(why)));
    _exit(exit_not_started);
}

[[noreturn]] void become(const Program& program, const Prepared& prepared) {
    static char path[] = "PATH=/usr/bin:/bin";
    static char locale[] = "LC_ALL=C.UTF-8";
    static char zone[] = "TZ=UTC";
    std::array<char*, 4> environment{path, locale, zone, nullptr};

    setsid();
    umask(077);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(prepared.log, STDOUT_FILENO);
    dup2(prepared.log, STDERR_FILENO);
    close_range(3, ~0u, 0);
    if (chdir("/") != 0) give_up("integreat: cannot change to the root folder\n");
    if (program.account) {
        const auto& account = *program.account;
        gid_t group = account.group;
        if (setgroups(1, &group) != 0 || setgid(account.group) != 0 || setuid(account.user) != 0) {
            give_up("integreat: cannot become the user who runs the database\n");
        }
    }
    // After setuid, which clears it; the parent may have ended before it took effect.
    if (program.signal_when_orphaned != 0) {
        prctl(PR_SET_PDEATHSIG, program.signal_when_orphaned);
        if (getppid() != prepared.parent) _exit(exit_not_started);
    }
    execve(program.file.c_str(), prepared.arguments.data(), environment.data());
    give_up("integreat: cannot run the program\n");
}

bool may_search(const struct stat& folder, const Account& account) {
    if (folder.st_uid == account.user) return (folder.st_mode & S_IXUSR) != 0;
    if (folder.st_gid == account.group) return (folder.st_mode & S_IXGRP) != 0;
    return (folder.st_mode & S_IXOTH) != 0;
}

}  // namespace

Result<std::optional<Account>> account_for_children(const std::string& name) {
    if (geteuid() != 0) return std::optional<Account>();
    std::array<char, 16 * 1024> text;
    passwd entry{};
    passwd* found = nullptr;
    getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
    if (!found) {
        return Error{Fault::invalid,
                     "PostgreSQL refuses to run as root and there is no user " + name +
                         ": run `apt-get install postgresql`, or run integreat as an ordinary user",
                     "getpwnam_r found nobody"};
    }
    return std::optional<Account>({name, entry.pw_uid, entry.pw_gid});
}

std::optional<fs::path> unsearchable(const fs::path& path, const Account& account) {
    fs::path so_far;
    for (const auto& part : path) {
        so_far /= part;
        struct stat folder {};
        if (stat(so_far.c_str(), &folder) != 0) return std::nullopt;  // Not there yet: it will be ours.
        if (!may_search(folder, account)) return so_far;
    }
    return std::nullopt;
}

Result<pid_t> start(const Program& program) {
    Prepared prepared;
    std::vector<std::string> arguments{program.file.string()};
    arguments.insert(arguments.end(), program.arguments.begin(), program.arguments.end());
    for (auto& argument : arguments)
        prepared.arguments.push_back(argument.data());
    prepared.arguments.push_back(nullptr);
    prepared.parent = getpid();
    prepared.log = open(program.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (prepared.log < 0) {
        return Error{Fault::unavailable, "the log of the database cannot be written",
                     program.log.string() + ": " + std::strerror(errno)};
    }
    pid_t child = fork();
    if (child == 0) become(program, prepared);
    int failure = errno;
    close(prepared.log);
    if (child < 0) return Error{Fault::unavailable, "no process could be started", std::strerror(failure)};
    return child;
}

int handle_of(pid_t child) {
    return static_cast<int>(syscall(SYS_pidfd_open, child, 0));
}

std::optional<int> wait_for_exit(pid_t child, Monotonic until) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) return status;
    int handle = handle_of(child);
    if (handle < 0) return std::nullopt;
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd watched{handle, POLLIN, 0};
    poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    close(handle);
    if (waitpid(child, &status, WNOHANG) == child) return status;
    return std::nullopt;
}

}  // namespace integreat
