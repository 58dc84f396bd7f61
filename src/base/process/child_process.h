// SPDX-License-Identifier: Apache-2.0
// Programs of PostgreSQL as children of ours: as an ordinary user (they refuse to run as root), in a session
// of their own (Ctrl-C reaches us alone), with an environment of their own, and gone when we are gone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "base/time.h"

namespace integreat {

// The user whom a child becomes when we are root.
struct Account {
    std::string name;
    uid_t user = 0;
    gid_t group = 0;
};

// Nothing if we are not root: then the child runs as we do. Fault::invalid if we are root and there is no
// user of that name.
Result<std::optional<Account>> account_for_children(const std::string& name = "postgres");

// The first folder above or at `path` that `account` may not search, if any.
std::optional<std::filesystem::path> unsearchable(const std::filesystem::path& path, const Account& account);

struct Program {
    std::filesystem::path file;
    std::vector<std::string> arguments;
    std::optional<Account> account;
    std::filesystem::path log;  // Its standard output and error are appended here.
    int signal_when_orphaned = 0;
};

// The child is told by the kernel when the *thread* that started it ends: call this from a thread that
// outlives the child.
Result<pid_t> start(const Program& program);

// A descriptor that becomes readable when the child ends (pidfd_open, whose glibc 2.36 header is
// wrong in C++).
int handle_of(pid_t child);

// Its exit status as of waitpid, or nothing if it still runs at `until`. Reaps it.
std::optional<int> wait_for_exit(pid_t child, Monotonic until);

}  // namespace integreat
