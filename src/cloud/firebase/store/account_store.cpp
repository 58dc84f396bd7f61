// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/store/account_store.h"

#include "crypto/hash.h"

namespace integreat::firebase {

namespace {

Result<std::optional<Project>> load_project(Result<Statement> prepared) {
    auto statement = TRY(std::move(prepared));
    if (!TRY(statement.step())) return std::optional<Project>();
    return std::optional(Project{.id = {statement.text(0)},
                                 .tenant = {statement.text(1)},
                                 .api_key = statement.text(2),
                                 .number = statement.text(3),
                                 .sign_in = {.password = statement.flag(4),
                                             .email_link = statement.flag(5),
                                             .anonymous = statement.flag(6),
                                             .email_privacy = statement.flag(7)}});
}

constexpr std::string_view project_columns =
    "SELECT project_id, tenant, api_key, project_number, password_enabled, email_link_enabled,"
    " anonymous_enabled, email_privacy FROM projects ";

constexpr std::string_view user_columns =
    "SELECT u.uid, u.email, u.initial_email, u.email_verified, u.email_link, u.display_name, u.photo_url,"
    " u.phone_number, u.password_hash, u.password_salt, u.password_log2_n, u.password_r, u.password_p,"
    " u.password_updated_ms, u.custom_auth, u.disabled, u.claims, u.created_ms, u.last_login_ms,"
    " u.last_refresh_ms, u.valid_since_s FROM users u ";

std::string user_query(std::string_view rest) {
    return std::string(user_columns).append(rest);
}

User to_user(const Statement& row) {
    User user{.uid = row.text(0),
              .email = row.optional_text(1),
              .initial_email = row.optional_text(2),
              .email_verified = row.flag(3),
              .email_link = row.flag(4),
              .display_name = row.optional_text(5),
              .photo_url = row.optional_text(6),
              .phone_number = row.optional_text(7),
              .custom_auth = row.flag(14),
              .disabled = row.flag(15),
              .claims = row.text(16),
              .created_ms = row.integer(17),
              .last_login_ms = row.optional_integer(18),
              .last_refresh_ms = row.optional_integer(19),
              .valid_since_s = row.integer(20)};
    if (auto hash = row.optional_text(8)) {
        user.password = PasswordHash{.hash = *hash,
                                     .salt = row.text(9),
                                     .cost = {.log2_n = static_cast<int>(row.integer(10)),
                                              .r = static_cast<int>(row.integer(11)),
                                              .p = static_cast<int>(row.integer(12))},
                                     .updated_ms = row.integer(13)};
    }
    return user;
}

Result<> load_links(Transaction& transaction, const ProjectId& project, User& user) {
    auto rows =
        TRY(transaction.query("SELECT provider_id, raw_id, email, display_name, photo_url"
                              " FROM provider_links WHERE project_id=? AND uid=? ORDER BY rowid",
                              project.text, user.uid));
    while (TRY(rows.step())) {
        user.links.push_back({.provider_id = rows.text(0),
                              .raw_id = rows.text(1),
                              .email = rows.optional_text(2),
                              .display_name = rows.optional_text(3),
                              .photo_url = rows.optional_text(4)});
    }
    return {};
}

Result<std::optional<User>> load_user(Transaction& transaction, const ProjectId& project,
                                      Result<Statement> prepared) {
    auto row = TRY(std::move(prepared));
    if (!TRY(row.step())) return std::optional<User>();
    auto user = to_user(row);
    TRY(load_links(transaction, project, user));
    return std::optional(std::move(user));
}

Blob to_blob(const crypto::Sha256& digest) {
    return {crypto::as_view(digest)};
}

}  // namespace

Result<std::optional<Project>> find_project(Transaction& transaction, const ProjectId& id) {
    return load_project(transaction.query(std::string(project_columns) + "WHERE project_id=?", id.text));
}

Result<std::optional<Project>> find_project_by_key(Transaction& transaction, std::string_view api_key) {
    return load_project(transaction.query(std::string(project_columns) + "WHERE api_key=?", api_key));
}

Result<> insert_project(Transaction& transaction, const Project& project) {
    TRY(
        transaction.execute("INSERT INTO projects (project_id, tenant, api_key, project_number)"
                            " VALUES (?,?,?,?)",
                            project.id.text, project.tenant.text, project.api_key, project.number));
    return {};
}

Result<> update_project(Transaction& transaction, const Project& project) {
    const auto& sign_in = project.sign_in;
    TRY(
        transaction.execute("UPDATE projects SET tenant=?, password_enabled=?, email_link_enabled=?,"
                            " anonymous_enabled=?, email_privacy=? WHERE project_id=?",
                            project.tenant.text, sign_in.password, sign_in.email_link, sign_in.anonymous,
                            sign_in.email_privacy, project.id.text));
    return {};
}

Result<std::optional<User>> find_user(Transaction& transaction, const ProjectId& project,
                                      std::string_view uid) {
    auto row = transaction.query(user_query("WHERE u.project_id=? AND u.uid=?"), project.text, uid);
    return load_user(transaction, project, std::move(row));
}

Result<std::optional<User>> find_user_by_email(Transaction& transaction, const ProjectId& project,
                                               std::string_view email) {
    auto row = transaction.query(user_query("WHERE u.project_id=? AND u.email=?"), project.text, email);
    return load_user(transaction, project, std::move(row));
}

Result<std::optional<User>> find_user_by_initial_email(Transaction& transaction, const ProjectId& project,
                                                       std::string_view email) {
    auto row = transaction.query(
        user_query("WHERE u.project_id=? AND u.initial_email=? ORDER BY u.uid LIMIT 1"), project.text, email);
    return load_user(transaction, project, std::move(row));
}

Result<std::optional<User>> find_user_by_phone(Transaction& transaction, const ProjectId& project,
                                               std::string_view phone_number) {
    auto row = transaction.query(user_query("WHERE u.project_id=? AND u.phone_number=?"), project.text,
                                 phone_number);
    return load_user(transaction, project, std::move(row));
}

Result<std::optional<User>> find_user_by_provider(Transaction& transaction, const ProjectId& project,
                                                  const ProviderKey& key) {
    auto row =
        transaction.query(user_query("JOIN provider_links l ON l.project_id=u.project_id AND l.uid=u.uid"
                                     " WHERE l.project_id=? AND l.provider_id=? AND l.raw_id=?"),
                          project.text, key.provider_id, key.raw_id);
    return load_user(transaction, project, std::move(row));
}

Result<std::vector<User>> list_users(Transaction& transaction, const ProjectId& project,
                                     std::string_view after, std::int64_t count_max) {
    auto rows = TRY(transaction.query(user_query("WHERE u.project_id=? AND u.uid>? ORDER BY u.uid LIMIT ?"),
                                      project.text, after, count_max));
    std::vector<User> users;
    while (TRY(rows.step()))
        users.push_back(to_user(rows));
    for (auto& user : users)
        TRY(load_links(transaction, project, user));
    return users;
}

Result<> save_user(Transaction& transaction, const ProjectId& project, const User& user) {
    auto password = [&](auto member) -> std::optional<std::int64_t> {
        if (!user.password) return std::nullopt;
        return member(*user.password);
    };
    std::optional<Blob> hash, salt;
    if (user.password) {
        hash = Blob{user.password->hash};
        salt = Blob{user.password->salt};
    }
    TRY(transaction.execute(
        "INSERT INTO users (project_id, uid, email, initial_email, email_verified, email_link,"
        " display_name, photo_url, phone_number, password_hash, password_salt, password_log2_n, password_r,"
        " password_p, password_updated_ms, custom_auth, disabled, claims, created_ms, last_login_ms,"
        " last_refresh_ms, valid_since_s) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (project_id, uid) DO UPDATE SET email=excluded.email, "
        "initial_email=excluded.initial_email,"
        " email_verified=excluded.email_verified, email_link=excluded.email_link,"
        " display_name=excluded.display_name, photo_url=excluded.photo_url, "
        "phone_number=excluded.phone_number,"
        " password_hash=excluded.password_hash, password_salt=excluded.password_salt,"
        " password_log2_n=excluded.password_log2_n, password_r=excluded.password_r,"
        " password_p=excluded.password_p, password_updated_ms=excluded.password_updated_ms,"
        " custom_auth=excluded.custom_auth, disabled=excluded.disabled, claims=excluded.claims,"
        " created_ms=excluded.created_ms, last_login_ms=excluded.last_login_ms,"
        " last_refresh_ms=excluded.last_refresh_ms, valid_since_s=excluded.valid_since_s",
        project.text, user.uid, user.email, user.initial_email, user.email_verified, user.email_link,
        user.display_name, user.photo_url, user.phone_number, hash, salt,
        password([](const PasswordHash& it) { return it.cost.log2_n; }),
        password([](const PasswordHash& it) { return it.cost.r; }),
        password([](const PasswordHash& it) { return it.cost.p; }),
        password([](const PasswordHash& it) { return it.updated_ms; }), user.custom_auth, user.disabled,
        user.claims, user.created_ms, user.last_login_ms, user.last_refresh_ms, user.valid_since_s));
    TRY(transaction.execute("DELETE FROM provider_links WHERE project_id=? AND uid=?", project.text,
                            user.uid));
    for (const auto& link : user.links) {
        TRY(
            transaction.execute("INSERT INTO provider_links (project_id, uid, provider_id, raw_id, email,"
                                " display_name, photo_url) VALUES (?,?,?,?,?,?,?)",
                                project.text, user.uid, link.provider_id, link.raw_id, link.email,
                                link.display_name, link.photo_url));
    }
    return {};
}

Result<> delete_user(Transaction& transaction, const ProjectId& project, std::string_view uid) {
    TRY(revoke_refresh_tokens(transaction, project, uid));
    TRY(transaction.execute("DELETE FROM users WHERE project_id=? AND uid=?", project.text, uid));
    return {};
}

Result<> delete_all_users(Transaction& transaction, const ProjectId& project) {
    TRY(transaction.execute("UPDATE refresh_tokens SET revoked=1 WHERE project_id=?", project.text));
    TRY(transaction.execute("DELETE FROM oob_codes WHERE project_id=?", project.text));
    TRY(transaction.execute("DELETE FROM users WHERE project_id=?", project.text));
    return {};
}

Result<> insert_refresh_token(Transaction& transaction, const ProjectId& project, std::string_view token,
                              const RefreshToken& record) {
    auto hash = crypto::sha256(token);
    TRY(
        transaction.execute("INSERT INTO refresh_tokens (hash, project_id, uid, sign_in_provider, claims,"
                            " auth_time_s, issued_s) VALUES (?,?,?,?,?,?,?)",
                            to_blob(hash), project.text, record.uid, record.sign_in_provider, record.claims,
                            record.auth_time_s, record.issued_s));
    TRY(transaction.execute(
        "DELETE FROM refresh_tokens WHERE rowid IN (SELECT rowid FROM refresh_tokens"
        " WHERE project_id=? AND uid=? ORDER BY issued_s DESC, rowid DESC LIMIT -1 OFFSET ?)",
        project.text, record.uid, std::int64_t(refresh_tokens_per_user_max)));
    return {};
}

Result<std::optional<RefreshToken>> find_refresh_token(Transaction& transaction, const ProjectId& project,
                                                       std::string_view token) {
    auto hash = crypto::sha256(token);
    auto row =
        TRY(transaction.query("SELECT uid, sign_in_provider, claims, auth_time_s, issued_s, revoked"
                              " FROM refresh_tokens WHERE hash=? AND project_id=?",
                              to_blob(hash), project.text));
    if (!TRY(row.step())) return std::optional<RefreshToken>();
    return std::optional(RefreshToken{.uid = row.text(0),
                                      .sign_in_provider = row.text(1),
                                      .claims = row.text(2),
                                      .auth_time_s = row.integer(3),
                                      .issued_s = row.integer(4),
                                      .revoked = row.flag(5)});
}

Result<> revoke_refresh_tokens(Transaction& transaction, const ProjectId& project, std::string_view uid) {
    TRY(transaction.execute("UPDATE refresh_tokens SET revoked=1 WHERE project_id=? AND uid=?", project.text,
                            uid));
    return {};
}

}  // namespace integreat::firebase
