// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/ready_file.h"

#include <algorithm>

#include <boost/json.hpp>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

namespace integreat::cli {

namespace {

boost::json::value or_null(const std::optional<std::string>& text) {
    return text ? boost::json::value(*text) : boost::json::value(nullptr);
}

boost::json::object tenant_json(const ReadyTenant& tenant) {
    boost::json::array users;
    for (const auto& user : tenant.users) {
        users.push_back({{"email", user.email}, {"password", user.password}, {"role", user.role}});
    }
    return {{"firebase_project", tenant.firebase_project},
            {"firebase_api_key", tenant.firebase_api_key},
            {"identity_pool", or_null(tenant.identity_pool)},
            {"bucket", or_null(tenant.bucket)},
            {"users", std::move(users)}};
}

std::string users_table(const Ready& ready) {
    std::string text;
    for (const auto& tenant : ready.tenants) {
        if (tenant.users.empty()) continue;
        const auto& user = tenant.users.front();
        text +=
            fmt::format("    {:<12} {:<32} {}   ({})\n", tenant.title, user.email, user.password, user.role);
    }
    return text;
}

std::string command(const Invocation& invocation, const std::string& words) {
    auto text = shell_word(invocation.program) + " " + words;
    if (!invocation.configuration.empty()) text += " --config " + shell_word(invocation.configuration);
    return text;
}

std::string command_with_data(const Invocation& invocation, const std::string& words) {
    auto text = command(invocation, words);
    if (!invocation.data.empty()) text += " --data " + shell_word(invocation.data);
    return text;
}

// The one that examples are about.
const ReadyTenant* shown_tenant(const Ready& ready) {
    const ReadyTenant* shown = nullptr;
    for (const auto& tenant : ready.tenants) {
        if (!tenant.users.empty() && (shown == nullptr || tenant.app == "campus")) shown = &tenant;
    }
    return shown;
}

std::string page_to_try(const Ready& ready) {
    const auto* shown = shown_tenant(ready);
    return shown ? ready.gateway + "/try/" + shown->app : "(no app has users)";
}

std::string commands_to_try(const Ready& ready, const Invocation& invocation) {
    const auto* shown = shown_tenant(ready);
    if (shown == nullptr) return "";
    const auto& user = shown->users.front();
    auto sign_in = fmt::format(
        "curl -s '{}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key={}' "
        "-H 'Content-Type: application/json' "
        "-d '{{\"email\":\"{}\",\"password\":\"{}\",\"returnSecureToken\":true}}'",
        ready.firebase, shown->firebase_api_key, user.email, user.password);
    return fmt::format(
        "    TOKEN=$({} | sed -n 's/.*\"idToken\":\"\\([^\"]*\\)\".*/\\1/p')\n"
        "    curl -s {}/v1/apps/{}/me -H \"Authorization: Bearer $TOKEN\"\n"
        "    {}\n",
        sign_in, ready.gateway, shown->app, command(invocation, "routes --app " + shown->app));
}

}  // namespace

std::string to_json(const Ready& ready) {
    boost::json::object tenants;
    for (const auto& tenant : ready.tenants)
        tenants[tenant.app] = tenant_json(tenant);
    return boost::json::serialize(boost::json::object{{"pid", ready.pid},
                                                      {"gateway", ready.gateway},
                                                      {"firebase", ready.firebase},
                                                      {"aws", or_null(ready.aws)},
                                                      {"aws_credentials", ready.aws_credentials},
                                                      {"sandbox", or_null(ready.sandbox)},
                                                      {"tenants", std::move(tenants)}}) +
           "\n";
}

std::string shell_word(const std::string& text) {
    auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_-./").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
    std::string quoted = "'";
    for (char c : text)
        quoted += c == '\'' ? "'\\''" : std::string(1, c);
    return quoted + "'";
}

std::string welcome(const Ready& ready, const std::string& data_folder, const Invocation& invocation) {
    return fmt::format(
        "\nIntegreat is ready.\n\n"
        "    gateway        {0}          docs: {0}/docs\n"
        "    Firebase Auth  {1}\n"
        "    AWS            {2}          credentials: {3}\n"
        "    files, to try  {8}\n"
        "    state          {4}          delete it to start anew\n\n"
        "  One user per app; for all of them: {5}\n{6}\n"
        "  Try:\n{7}\n"
        "  Changed a file in apps/? It is checked and loaded at once. Ctrl-C stops everything.\n\n",
        ready.gateway, ready.firebase, ready.aws.value_or("(not running)"), ready.aws_credentials,
        data_folder, command_with_data(invocation, "user list"), users_table(ready),
        commands_to_try(ready, invocation), page_to_try(ready));
}

Result<> write_whole(const std::string& path, const std::string& text) {
    auto trouble = [&](const char* what) {
        return Error{Fault::unavailable, fmt::format("cannot {} {}: {}", what, path, strerror(errno)), ""};
    };
    std::string beside = path + ".new";
    int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return trouble("create");
    std::string_view rest = text;
    while (!rest.empty()) {
        ssize_t written = ::write(file, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            auto error = trouble("write");
            ::close(file);
            ::unlink(beside.c_str());
            return error;
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    bool closed = ::fsync(file) == 0;
    closed = ::close(file) == 0 && closed;
    if (!closed || ::rename(beside.c_str(), path.c_str()) != 0) return trouble("write");
    return {};
}

}  // namespace integreat::cli
