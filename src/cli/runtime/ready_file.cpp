// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime/ready_file.h"

#include <algorithm>

#include <boost/json.hpp>
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include "base/text/ascii.h"

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

std::string users_table(const ReadyFile& ready) {
    std::string text;
    for (const auto& tenant : ready.tenants) {
        if (tenant.users.empty()) continue;
        const auto& user = tenant.users.front();
        text +=
            fmt::format("    {:<12} {:<32} {}   ({})\n", tenant.title, user.email, user.password, user.role);
    }
    return text;
}

std::string command(const Invocation& invocation, const std::string& arguments) {
    auto text = shell_quote(invocation.program) + " " + arguments;
    if (!invocation.configuration.empty()) text += " --config " + shell_quote(invocation.configuration);
    return text;
}

std::string command_with_data(const Invocation& invocation, const std::string& arguments) {
    auto text = command(invocation, arguments);
    if (!invocation.data.empty()) text += " --data " + shell_quote(invocation.data);
    return text;
}

// Returns the tenant of the examples.
const ReadyTenant* pick_example_tenant(const ReadyFile& ready) {
    const ReadyTenant* example = nullptr;
    for (const auto& tenant : ready.tenants) {
        if (!tenant.users.empty() && (example == nullptr || tenant.app == "campus")) example = &tenant;
    }
    return example;
}

std::string playground_url(const ReadyFile& ready) {
    const auto* example = pick_example_tenant(ready);
    return example ? ready.gateway + "/try/" + example->app : "(no app has users)";
}

std::string example_commands(const ReadyFile& ready, const Invocation& invocation) {
    const auto* example = pick_example_tenant(ready);
    if (example == nullptr) return "";
    const auto& user = example->users.front();
    auto sign_in = fmt::format(
        "curl -s '{}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key={}' "
        "-H 'Content-Type: application/json' "
        "-d '{{\"email\":\"{}\",\"password\":\"{}\",\"returnSecureToken\":true}}'",
        ready.firebase, example->firebase_api_key, user.email, user.password);
    return fmt::format(
        "    TOKEN=$({} | sed -n 's/.*\"idToken\":\"\\([^\"]*\\)\".*/\\1/p')\n"
        "    curl -s {}/v1/apps/{}/me -H \"Authorization: Bearer $TOKEN\"\n"
        "    {}\n",
        sign_in, ready.gateway, example->app, command(invocation, "routes --app " + example->app));
}

}  // namespace

std::string to_json(const ReadyFile& ready) {
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

std::string shell_quote(const std::string& text) {
    auto plain = [](char c) {
        return is_alnum(c) || std::string_view("_-./").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
    std::string quoted = "'";
    for (char c : text)
        quoted += c == '\'' ? "'\\''" : std::string(1, c);
    return quoted + "'";
}

std::string startup_banner(const ReadyFile& ready, const std::string& data_folder,
                           const Invocation& invocation) {
    return fmt::format(
        "\nIntegreat is ready.\n\n"
        "    gateway        {0}          docs: {0}/docs\n"
        "    Firebase Auth  {1}\n"
        "    AWS            {2}          credentials: {3}\n"
        "    storage page   {8}\n"
        "    data           {4}          delete this folder to start over\n\n"
        "  One user per app; all users: {5}\n{6}\n"
        "  Try:\n{7}\n"
        "  Changed files in apps/ are validated and loaded immediately. Ctrl-C stops everything.\n\n",
        ready.gateway, ready.firebase, ready.aws.value_or("(not running)"), ready.aws_credentials,
        data_folder, command_with_data(invocation, "user list"), users_table(ready),
        example_commands(ready, invocation), playground_url(ready));
}

Result<> write_file_atomically(const std::string& path, const std::string& text) {
    auto make_error = [&](const char* operation) {
        return Error{Fault::unavailable, fmt::format("cannot {} {}: {}", operation, path, strerror(errno)),
                     ""};
    };
    std::string temporary = path + ".new";
    int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return make_error("create");
    std::string_view rest = text;
    while (!rest.empty()) {
        ssize_t written = ::write(file, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            auto error = make_error("write");
            ::close(file);
            ::unlink(temporary.c_str());
            return error;
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    bool closed = ::fsync(file) == 0;
    closed = ::close(file) == 0 && closed;
    if (!closed || ::rename(temporary.c_str(), path.c_str()) != 0) return make_error("write");
    return {};
}

}  // namespace integreat::cli
