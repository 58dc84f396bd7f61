// SPDX-License-Identifier: Apache-2.0
#include "cli/administration/user.h"

#include <ostream>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/system_clock.h"
#include "base/text/closest_match.h"
#include "cloud/firebase/tokens/auth.h"
#include "crypto/ids.h"
#include "crypto/system_random.h"
#include "json/value/parse.h"

namespace integreat::cli {

namespace {

constexpr std::size_t password_random_bytes = 12;

struct LocalAuth {
    SystemClock clock;
    crypto::SystemRandom random;
    std::unique_ptr<firebase::Auth> auth;
    std::vector<config::Manifest> manifests;
};

Result<std::unique_ptr<LocalAuth>> open_local_auth(const UserOptions& options, std::ostream& err) {
    auto configuration = load_valid_configuration(options.configuration, err);
    if (!configuration) return Error{Fault::invalid, "the configuration is invalid", ""};
    auto opened = std::make_unique<LocalAuth>();
    opened->manifests = std::move(configuration->manifests);
    std::filesystem::create_directories(options.data);
    opened->auth = TRY(firebase::open((options.data / "firebase").string(), opened->clock, opened->random));
    return opened;
}

Result<const config::Manifest*> find_app(const LocalAuth& local_auth, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& manifest : local_auth.manifests) {
        if (manifest.app.text == name) return &manifest;
        names.push_back(manifest.app.text);
    }
    return Error{Fault::invalid, fmt::format("unknown app \"{}\"{}", name, did_you_mean(name, names)), ""};
}

// Returns the custom claims of the options, including the role.
Result<std::string> make_claims(const UserOptions& options, const config::Manifest& manifest) {
    boost::json::object claims;
    if (!options.claims.empty()) claims = TRY(json::parse_object(options.claims));
    if (!options.role.empty()) {
        const auto& roles = manifest.roles;
        if (std::find(roles.begin(), roles.end(), options.role) == roles.end()) {
            return Error{Fault::invalid,
                         fmt::format("{} has no role \"{}\"{}", manifest.app.text, options.role,
                                     did_you_mean(options.role, roles)),
                         ""};
        }
        claims["role"] = options.role;
    }
    return boost::json::serialize(claims);
}

Result<> add(const UserOptions& options, std::ostream& out, std::ostream& err) {
    auto opened = TRY(open_local_auth(options, err));
    const auto* manifest = TRY(find_app(*opened, options.app));
    auto claims = TRY(make_claims(options, *manifest));
    auto project = TRY(firebase::add_project(*opened->auth, manifest->app, {manifest->firebase_project}));
    auto password = options.password;
    if (password.empty()) password = crypto::random_token(opened->random, password_random_bytes);
    firebase::NewUser new_user{.email = options.email, .password = password, .claims = claims};
    auto user = TRY(firebase::add_user(*opened->auth, project.id, new_user));
    out << fmt::format("{} added to {}\n  uid       {}\n  claims    {}\n", options.email, manifest->title,
                       user.uid, user.claims);
    if (options.password.empty()) out << fmt::format("  password  {}\n", password);
    return {};
}

Result<> set_claims(const UserOptions& options, std::ostream& out, std::ostream& err) {
    auto opened = TRY(open_local_auth(options, err));
    const auto* manifest = TRY(find_app(*opened, options.app));
    auto claims = TRY(make_claims(options, *manifest));
    auto user = TRY(firebase::set_claims(*opened->auth, {manifest->firebase_project}, options.email, claims));
    out << fmt::format("{} now has the claims {}. Tokens contain them after the next refresh.\n",
                       options.email, user.claims);
    return {};
}

Result<> list(const UserOptions& options, std::ostream& out, std::ostream& err) {
    auto opened = TRY(open_local_auth(options, err));
    if (!options.app.empty()) TRY(find_app(*opened, options.app));
    for (const auto& manifest : opened->manifests) {
        if (!options.app.empty() && manifest.app.text != options.app) continue;
        auto project = TRY(firebase::add_project(*opened->auth, manifest.app, {manifest.firebase_project}));
        auto ready_made = TRY(firebase::ensure_seed_users(*opened->auth, project, manifest.roles));
        std::map<std::string, std::string> passwords;
        for (const auto& user : ready_made)
            passwords[user.email] = user.password;
        for (const auto& user : TRY(firebase::list_users(*opened->auth, project.id))) {
            auto email = user.email.value_or("(no email)");
            auto known = passwords.find(email);
            out << fmt::format("{:<12} {:<36} {:<28} {}\n", manifest.app.text, email,
                               known == passwords.end() ? "" : known->second, user.claims);
        }
    }
    return {};
}

int user_exit_code(const Result<>& result, std::ostream& err) {
    if (result) return exit_success;
    return print_error("user", result.error(), err);
}

}  // namespace

int user_add(const UserOptions& options, std::ostream& out, std::ostream& err) {
    return user_exit_code(add(options, out, err), err);
}

int user_claims(const UserOptions& options, std::ostream& out, std::ostream& err) {
    return user_exit_code(set_claims(options, out, err), err);
}

int user_list(const UserOptions& options, std::ostream& out, std::ostream& err) {
    return user_exit_code(list(options, out, err), err);
}

void add_user_command(CLI::App& app, CommandContext& context) {
    auto* user = app.add_subcommand("user", "Manage users of the local Firebase Auth");
    user->require_subcommand(1);
    auto add = [&](const char* name, const char* description,
                   int (*run)(const UserOptions&, std::ostream&, std::ostream&)) {
        auto* command = user->add_subcommand(name, description);
        auto options = bind_command(context, *command, run);
        add_configuration_option(*command, options->configuration);
        add_data_option(*command, options->data);
        return std::pair(command, options);
    };
    auto add_claims = [](CLI::App& command, UserOptions& options) {
        command.add_option("--app", options.app, "App of the user")->required();
        command.add_option("--email", options.email, "Email address to sign in with")->required();
        command.add_option("--role", options.role, "Custom claim `role`: one of the app's roles");
        command.add_option("--claims", options.claims, "Additional custom claims as a JSON object");
    };
    auto [create, created] = add("add", "Add a user with a password and a role", user_add);
    add_claims(*create, *created);
    create->add_option("--password", created->password, "Password (default: a random one, which is printed)");
    auto [claims, changed] = add("claims", "Replace the role and the custom claims of a user", user_claims);
    add_claims(*claims, *changed);
    auto [list, listed] = add("list", "List users, with the passwords of predefined users", user_list);
    list->add_option("--app", listed->app, "List only the users of this app");
}

}  // namespace integreat::cli
