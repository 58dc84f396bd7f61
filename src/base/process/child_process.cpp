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

constexpr int exec_failed_status = 126;

// Data for the child, allocated before the fork: after it only async-signal-safe calls are allowed.
struct ExecArguments {
    std::vector<char*> argv;
    int log = -1;
    pid_t parent = 0;
};

[[noreturn]] void exit_child(const char* message) {
    static_cast<void>(!write(STDERR_FILENO, message, std::strlen(message)));
    _exit(exec_failed_status);
}

[[noreturn]] void run_child(const ProcessSpec& spec, const ExecArguments& exec) {
    static char path[] = "PATH=/usr/bin:/bin";
    static char locale[] = "LC_ALL=C.UTF-8";
    static char zone[] = "TZ=UTC";
    std::array<char*, 4> environment{path, locale, zone, nullptr};

    setsid();
    umask(077);
    sigset_t no_signals;
    sigemptyset(&no_signals);
    sigprocmask(SIG_SETMASK, &no_signals, nullptr);
    int dev_null = open("/dev/null", O_RDONLY);
    dup2(dev_null, STDIN_FILENO);
    dup2(exec.log, STDOUT_FILENO);
    dup2(exec.log, STDERR_FILENO);
    close_range(3, ~0u, 0);
    if (chdir("/") != 0) exit_child("integreat: cannot change to the root folder\n");
    if (spec.account) {
        const auto& account = *spec.account;
        gid_t group = account.group;
        if (setgroups(1, &group) != 0 || setgid(account.group) != 0 || setuid(account.user) != 0) {
            exit_child("integreat: cannot switch to the unprivileged user of the child process\n");
        }
    }
    // After setuid, which clears the signal; the parent may have ended before the call took effect.
    if (spec.parent_death_signal != 0) {
        prctl(PR_SET_PDEATHSIG, spec.parent_death_signal);
        if (getppid() != exec.parent) _exit(exec_failed_status);
    }
    execve(spec.executable.c_str(), exec.argv.data(), environment.data());
    exit_child("integreat: cannot execute the program\n");
}

bool may_search(const struct stat& folder, const UnixAccount& account) {
    if (folder.st_uid == account.user) return (folder.st_mode & S_IXUSR) != 0;
    if (folder.st_gid == account.group) return (folder.st_mode & S_IXGRP) != 0;
    return (folder.st_mode & S_IXOTH) != 0;
}

}  // namespace

Result<std::optional<UnixAccount>> find_child_account(const std::string& name) {
    if (geteuid() != 0) return std::optional<UnixAccount>();
    std::array<char, 16 * 1024> text;
    passwd entry{};
    passwd* found = nullptr;
    getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
    if (!found) {
        return Error{Fault::invalid,
                     "PostgreSQL refuses to run as root and there is no user " + name +
                         ": run `apt-get install postgresql`, or run integreat as an ordinary user",
                     "getpwnam_r found no entry"};
    }
    return std::optional<UnixAccount>({name, entry.pw_uid, entry.pw_gid});
}

std::optional<fs::path> find_unsearchable_folder(const fs::path& path, const UnixAccount& account) {
    fs::path folder_path;
    for (const auto& part : path) {
        folder_path /= part;
        struct stat folder {};
        if (stat(folder_path.c_str(), &folder) != 0)
            return std::nullopt;  // Does not exist yet: created by this process later.
        if (!may_search(folder, account)) return folder_path;
    }
    return std::nullopt;
}

Result<pid_t> spawn(const ProcessSpec& spec) {
    ExecArguments exec;
    std::vector<std::string> arguments{spec.executable.string()};
    arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
    for (auto& argument : arguments)
        exec.argv.push_back(argument.data());
    exec.argv.push_back(nullptr);
    exec.parent = getpid();
    exec.log = open(spec.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (exec.log < 0) {
        return Error{Fault::unavailable, "the log file of the child process cannot be opened",
                     spec.log_file.string() + ": " + std::strerror(errno)};
    }
    pid_t child = fork();
    if (child == 0) run_child(spec, exec);
    int failure = errno;
    close(exec.log);
    if (child < 0)
        return Error{Fault::unavailable, "the child process cannot be started", std::strerror(failure)};
    return child;
}

int open_pidfd(pid_t child) {
    return static_cast<int>(syscall(SYS_pidfd_open, child, 0));
}

std::optional<int> wait_for_exit(pid_t child, Monotonic until) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) return status;
    int descriptor = open_pidfd(child);
    if (descriptor < 0) return std::nullopt;
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd watched{descriptor, POLLIN, 0};
    poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    close(descriptor);
    if (waitpid(child, &status, WNOHANG) == child) return status;
    return std::nullopt;
}

}  // namespace integreat
