// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/tokens/auth.h"

#include <cstdio>
#include <filesystem>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/text/ascii.h"
#include "cloud/firebase/store/account_store.h"
#include "cloud/firebase/store/json_field_reader.h"
#include "cloud/firebase/store/oob_code_store.h"
#include "cloud/firebase/store/passwords.h"
#include "cloud/firebase/tokens/keys.h"
#include "cloud/firebase/tokens/tokens.h"
#include "crypto/ids.h"

namespace integreat::firebase {

namespace {

constexpr std::size_t api_key_length = 39;
constexpr std::size_t seed_password_bytes = 12;

std::string random_digits(Random& random, std::size_t count) {
    std::string digits;
    while (digits.size() < count) {
        std::byte byte;
        random.fill({&byte, 1});
        auto number = std::to_integer<int>(byte);
        if (number < 250 && (number % 10 != 0 || !digits.empty()))
            digits += static_cast<char>('0' + number % 10);
    }
    return digits;
}

Error cannot_write(const std::string& file) {
    return {Fault::unavailable, "the service account cannot be written (" + file + ")", std::strerror(errno)};
}

// Writes a file atomically with owner-only permissions from the start.
Result<> write_private_file(const std::string& file, const std::string& text) {
    auto part = file + ".part";
    int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return cannot_write(part);
    bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    written = ::fsync(fd) == 0 && written;
    written = ::close(fd) == 0 && written;
    if (!written || std::rename(part.c_str(), file.c_str()) != 0) return cannot_write(file);
    return {};
}

Result<> write_service_account(Auth& auth, Transaction& transaction, const ProjectId& project) {
    auto folder = auth.store->folder() + "/service-accounts";
    std::error_code failure;
    std::filesystem::create_directories(folder, failure);
    auto file = folder + "/" + project.text + ".json";
    if (std::filesystem::exists(file, failure)) return {};
    return write_private_file(file, TRY(service_account_json(transaction, project)));
}

// https://cloud.google.com/resource-manager/docs/creating-managing-projects: 6 to 30 lower-case letters,
// digits and hyphens. The id is part of a file name.
bool is_project_id(std::string_view text) {
    auto permitted = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
    return text.size() >= 4 && text.size() <= 63 && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), permitted);
}

}  // namespace

Result<std::unique_ptr<Auth>> open(const std::string& folder, const Clock& clock, Random& random) {
    auto store = TRY(Store::open(folder, users_schema));
    std::unique_ptr<Auth> auth(new Auth{.store = std::move(store), .clock = clock, .random = random});
    auto transaction = TRY(auth->store->write());
    TRY(active_signer(transaction, *auth));
    TRY(transaction.commit());
    return auth;
}

Result<Project> add_project(Auth& auth, const TenantId& tenant, const ProjectId& id) {
    if (!is_project_id(id.text)) {
        return Error{Fault::invalid,
                     "a Firebase project id must have 4 to 63 lower-case letters, digits or hyphens"};
    }
    auto transaction = TRY(auth.store->write());
    auto project = TRY(find_project(transaction, id));
    if (!project) {
        auto key = "AIza" + crypto::random_token(auth.random, 27);
        key.resize(api_key_length);
        project =
            Project{.id = id, .tenant = tenant, .api_key = key, .number = random_digits(auth.random, 12)};
        TRY(insert_project(transaction, *project));
        TRY(insert_service_account(transaction, id));
    } else if (project->tenant != tenant) {
        project->tenant = tenant;
        TRY(update_project(transaction, *project));
    }
    TRY(write_service_account(auth, transaction, id));
    TRY(transaction.commit());
    return std::move(*project);
}

namespace {

// Converts an error with Firebase's code into one for users of the command line.
Error explain(Error error, const std::string& email) {
    const auto& code = error.message;
    auto is = [&](std::string_view expected) { return code.starts_with(expected); };
    if (is("EMAIL_EXISTS")) return {Fault::conflict, "the user " + email + " already exists"};
    if (is("INVALID_EMAIL")) return {Fault::invalid, "invalid e-mail address: " + email};
    if (is("WEAK_PASSWORD")) return {Fault::invalid, "the password must have at least 6 characters"};
    if (is("INVALID_CLAIMS"))
        return {Fault::invalid, "claims must be a JSON object, such as {\"role\":\"registrar\"}"};
    if (is("CLAIMS_TOO_LARGE")) return {Fault::invalid, "claims must not exceed 1000 bytes"};
    if (is("FORBIDDEN_CLAIM : "))
        return {Fault::invalid, "the claim " + code.substr(18) + " is reserved by Firebase"};
    return error;
}

Result<> require_project(Transaction& transaction, const ProjectId& project) {
    if (TRY(find_project(transaction, project))) return {};
    return Error{Fault::not_found,
                 "the Firebase project " + project.text + " does not exist in this data folder"};
}

Result<User> insert_user(Auth& auth, const ProjectId& project, const NewUser& new_user) {
    auto email = TRY(check_email(new_user.email));
    TRY(check_claims(std::string_view(new_user.claims)));
    auto now_ms = now_milliseconds(auth);
    auto password = TRY(hash_password(auth.random, new_user.password, now_ms));
    auto transaction = TRY(auth.store->write());
    TRY(require_project(transaction, project));
    if (TRY(find_user_by_email(transaction, project, email))) return firebase_error("EMAIL_EXISTS");
    User user{.uid = random_uid(auth.random),
              .email = email,
              .email_verified = new_user.email_verified,
              .password = password,
              .claims = new_user.claims,
              .created_ms = now_ms,
              .valid_since_s = now_seconds(auth)};
    TRY(save_user(transaction, project, user));
    TRY(transaction.commit());
    return user;
}

}  // namespace

Result<User> add_user(Auth& auth, const ProjectId& project, const NewUser& new_user) {
    auto user = insert_user(auth, project, new_user);
    if (!user) return explain(std::move(user).error(), new_user.email);
    return user;
}

Result<User> set_claims(Auth& auth, const ProjectId& project, const std::string& text,
                        const std::string& claims) {
    if (auto checked = check_claims(std::string_view(claims)); !checked) {
        return explain(std::move(checked).error(), text);
    }
    auto email = check_email(text);
    if (!email) return explain(std::move(email).error(), text);
    auto transaction = TRY(auth.store->write());
    TRY(require_project(transaction, project));
    auto user = TRY(find_user_by_email(transaction, project, *email));
    if (!user)
        return Error{Fault::not_found, "the user " + text + " does not exist in project " + project.text};
    user->claims = claims;
    TRY(save_user(transaction, project, *user));
    TRY(transaction.commit());
    return std::move(*user);
}

Result<std::vector<User>> list_users(Auth& auth, const ProjectId& project, const std::string& after,
                                     int count_max) {
    auto transaction = TRY(auth.store->read());
    TRY(require_project(transaction, project));
    return list_users(transaction, project, after, count_max);
}

namespace {

std::string role_claims(const std::string& role) {
    return boost::json::serialize(boost::json::object{{"role", role}});
}

bool is_unchanged(const SeedUserRecord& record, const std::optional<User>& user) {
    return user && user->uid == record.uid && user->email == record.user.email && !user->disabled &&
           user->password && user->password->updated_ms == record.password_updated_ms &&
           user->claims == role_claims(record.user.role);
}

// Restores a seed user as recorded, overwriting its current state.
Result<> restore_seed_user(Auth& auth, const ProjectId& project, SeedUserRecord record) {
    auto password = TRY(hash_password(auth.random, record.user.password, now_milliseconds(auth)));
    auto transaction = TRY(auth.store->write());
    auto user = TRY(find_user_by_email(transaction, project, record.user.email));
    if (!user) user = TRY(find_user(transaction, project, record.uid));
    if (!user) user = User{.uid = record.uid, .created_ms = now_milliseconds(auth)};
    user->email = record.user.email;
    user->email_verified = true;
    user->password = password;
    user->disabled = false;
    user->claims = role_claims(record.user.role);
    TRY(save_user(transaction, project, *user));
    record.uid = user->uid;
    record.password_updated_ms = password.updated_ms;
    TRY(save_seed_user(transaction, project, record));
    return transaction.commit();
}

}  // namespace

Result<std::vector<SeedUser>> ensure_seed_users(Auth& auth, const Project& project,
                                                const std::vector<std::string>& roles) {
    std::vector<SeedUser> users;
    for (const auto& role : roles) {
        auto email = TRY(check_email(role + "@" + project.tenant.text + ".example"));
        std::optional<SeedUserRecord> record;
        std::optional<User> user;
        {
            auto transaction = TRY(auth.store->read());
            record = TRY(find_seed_user(transaction, project.id, email));
            if (record) user = TRY(find_user(transaction, project.id, record->uid));
        }
        if (!record) {
            auto password = crypto::random_token(auth.random, seed_password_bytes);
            record = SeedUserRecord{.uid = random_uid(auth.random),
                                    .user = {.email = email, .password = password, .role = role}};
        }
        if (record->user.role != role || !is_unchanged(*record, user)) {
            record->user.role = role;
            TRY(restore_seed_user(auth, project.id, *record));
        }
        users.push_back(record->user);
    }
    return users;
}

}  // namespace integreat::firebase
