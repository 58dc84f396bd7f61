// SPDX-License-Identifier: Apache-2.0
// Child processes: run as an unprivileged user (PostgreSQL refuses to run as root), in a new session (Ctrl-C
// does not reach them), with a minimal environment, and signalled when the parent ends.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "base/time.h"

namespace integreat {

// A Unix user and its primary group.
struct UnixAccount {
    std::string name;
    uid_t user = 0;
    gid_t group = 0;
};

// Returns the account to run children as, or nullopt if this process is not root: children then inherit its
// user. Fault::invalid if this process is root and there is no user of that name.
Result<std::optional<UnixAccount>> find_child_account(const std::string& name = "postgres");

// Returns the first folder of `path`, from the root, that `account` may not search, or nullopt.
std::optional<std::filesystem::path> find_unsearchable_folder(const std::filesystem::path& path,
                                                              const UnixAccount& account);

struct ProcessSpec {
    std::filesystem::path executable;
    std::vector<std::string> arguments;
    std::optional<UnixAccount> account;
    std::filesystem::path log_file;  // Standard output and error are appended to it.
    int parent_death_signal = 0;     // See prctl(PR_SET_PDEATHSIG); 0 for none.
};

// Starts the process. The kernel sends `parent_death_signal` when the *thread* that called this ends: call it
// from a thread that outlives the child.
Result<pid_t> spawn(const ProcessSpec& spec);

// Returns a descriptor that becomes readable when the child ends, or -1 (the glibc 2.36 header of pidfd_open
// is not valid C++).
int open_pidfd(pid_t child);

// Waits for the child and reaps it. Returns its status as of waitpid, or nullopt if it still runs at `until`.
std::optional<int> wait_for_exit(pid_t child, Monotonic until);

}  // namespace integreat
