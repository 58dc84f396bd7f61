// SPDX-License-Identifier: Apache-2.0
// What `integreat dev` tells the world once everything answers: a file for programs (--ready-file, and
// running.json in the data folder for our own commands) and a block of text for the person who waits.
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

struct Ready {
    int pid = 0;
    std::string gateway;   // "http://127.0.0.1:8080"
    std::string firebase;  // "http://127.0.0.1:9099"
    std::optional<std::string> aws;
    std::string aws_credentials;  // The file for AWS_SHARED_CREDENTIALS_FILE.
    std::optional<std::string> sandbox;
    std::vector<ReadyTenant> tenants;
};

std::string to_json(const Ready& ready);

// How a shell runs our other commands so that they find this instance. Empty: without that option.
struct Invocation {
    std::string program;  // "build/release/src/integreat"
    std::string configuration;
    std::string data;
};

// One word for a shell, quoted if it must be.
std::string shell_word(const std::string& text);

// The block that ends the start: what runs where, one user per app, commands to paste.
std::string welcome(const Ready& ready, const std::string& data_folder, const Invocation& invocation);

// Writes beside `path` and renames: a reader sees nothing or all of it. Only the owner may read it.
Result<> write_whole(const std::string& path, const std::string& text);

}  // namespace integreat::cli
