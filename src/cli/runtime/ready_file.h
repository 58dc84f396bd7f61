// SPDX-License-Identifier: Apache-2.0
// The information that `integreat dev` publishes once every service is up: a file for programs (--ready-file,
// and running.json in the data folder for other commands), and a banner for the user.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace integreat::cli {

struct ReadyUser {
    std::string email;
    std::string password;
    std::string role;
};

struct ReadyTenant {
    std::string app;
    std::string title;
    std::string firebase_project;
    std::string firebase_api_key;
    std::optional<std::string> identity_pool;
    std::optional<std::string> bucket;
    std::vector<ReadyUser> users;
};

// Contents of the ready file.
struct ReadyFile {
    int pid = 0;
    std::string gateway;   // "http://127.0.0.1:8080"
    std::string firebase;  // "http://127.0.0.1:9099"
    std::optional<std::string> aws;
    std::string aws_credentials;  // File name for AWS_SHARED_CREDENTIALS_FILE.
    std::optional<std::string> sandbox;
    std::vector<ReadyTenant> tenants;
};

std::string to_json(const ReadyFile& ready);

// The program and options that make other commands find this instance. An empty member omits the option.
struct Invocation {
    std::string program;  // "build/release/src/integreat"
    std::string configuration;
    std::string data;
};

// Quotes a word for a shell, if necessary.
std::string shell_quote(const std::string& text);

// Returns the text printed after the start: URLs, one user per app, and example commands.
std::string startup_banner(const ReadyFile& ready, const std::string& data_folder,
                           const Invocation& invocation);

// Writes a file that only its owner may read. Writes to a temporary file and renames it, so that readers see
// either nothing or the whole text.
Result<> write_file_atomically(const std::string& path, const std::string& text);

}  // namespace integreat::cli
