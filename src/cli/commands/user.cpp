// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/user.h"

#include <ostream>

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

struct Opened {
    SystemClock clock;
    crypto::SystemRandom random;
    std::unique_ptr<firebase::Auth> auth;
    std::vector<config::Manifest> manifests;
};

Result<std::unique_ptr<Opened>> open(const UserOptions& options, std::ostream& err) {
    auto configuration = good_configuration(options.configuration, err);
    if (!configuration) return Error{Fault::invalid, "the configuration has mistakes", ""};
    auto opened = std::make_unique<Opened>();
    opened->manifests = std::move(configuration->manifests);
    std::filesystem::create_directories(options.data);
    opened->auth = TRY(firebase::open((options.data / "firebase").string(), opened->clock, opened->random));
    return opened;
}

Result<const config::Manifest*> app_called(const Opened& opened, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& manifest : opened.manifests) {
        if (manifest.app.text == name) return &manifest;
        names.push_back(manifest.app.text);
    }
    return Error{Fault::invalid, fmt::format("unknown app \"{}\"{}", name, did_you_mean(name, names)), ""};
}

// The custom claims: those given, with the role put in.
Result<std::string> claims_of(const UserOptions& options, const config::Manifest& manifest) {
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
    auto opened = TRY(open(options, err));
    const auto* manifest = TRY(app_called(*opened, options.app));
    auto claims = TRY(claims_of(options, *manifest));
    auto project = TRY(firebase::add_project(*opened->auth, manifest->app, {manifest->firebase_project}));
    auto password = options.password;
    if (password.empty()) password = crypto::random_token(opened->random, password_random_bytes);
    firebase::NewUser wanted{.email = options.email, .password = password, .claims = claims};
    auto user = TRY(firebase::add_user(*opened->auth, project.id, wanted));
    out << fmt::format("{} added to {}\n  uid       {}\n  claims    {}\n", options.email, manifest->title,
                       user.uid, user.claims);
    if (options.password.empty()) out << fmt::format("  password  {}\n", password);
    return {};
}

Result<> set_claims(const UserOptions& options, std::ostream& out, std::ostream& err) {
    auto opened = TRY(open(options, err));
    const auto* manifest = TRY(app_called(*opened, options.app));
    auto claims = TRY(claims_of(options, *manifest));
    auto user = TRY(firebase::set_claims(*opened->auth, {manifest->firebase_project}, options.email, claims));
    out << fmt::format("{} now has the claims {}; tokens carry them from the next refresh on\n",
                       options.email, user.claims);
    return {};
}

Result<> list(const UserOptions& options, std::ostream& out, std::ostream& err) {
    auto opened = TRY(open(options, err));
    if (!options.app.empty()) TRY(app_called(*opened, options.app));
    for (const auto& manifest : opened->manifests) {
        if (!options.app.empty() && manifest.app.text != options.app) continue;
        auto project = TRY(firebase::add_project(*opened->auth, manifest.app, {manifest.firebase_project}));
        auto ready_made = TRY(firebase::ready_made_users(*opened->auth, project, manifest.roles));
        std::map<std::string, std::string> passwords;
        for (const auto& user : ready_made)
            passwords[user.email] = user.password;
        for (const auto& user : TRY(firebase::list_users(*opened->auth, project.id))) {
            auto email = user.email.value_or("(no e-mail)");
            auto known = passwords.find(email);
            out << fmt::format("{:<12} {:<36} {:<28} {}\n", manifest.app.text, email,
                               known == passwords.end() ? "" : known->second, user.claims);
        }
    }
    return {};
}

int ended(const Result<>& result, std::ostream& err) {
    if (result) return 0;
    err << "integreat user: " << result.error().message << "\n";
    return 1;
}

}  // namespace

int user_add(const UserOptions& options, std::ostream& out, std::ostream& err) {
    return ended(add(options, out, err), err);
}

int user_claims(const UserOptions& options, std::ostream& out, std::ostream& err) {
    return ended(set_claims(options, out, err), err);
}

int user_list(const UserOptions& options, std::ostream& out, std::ostream& err) {
    return ended(list(options, out, err), err);
}

}  // namespace integreat::cli
