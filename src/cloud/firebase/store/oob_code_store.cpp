// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/store/oob_code_store.h"

namespace integreat::firebase {

namespace {

constexpr std::string_view code_columns =
    "SELECT code, kind, email, new_email, link, created_ms, expires_s FROM oob_codes ";

OobCode to_oob_code(const Statement& row) {
    return {.code = row.text(0),
            .kind = row.text(1),
            .email = row.text(2),
            .new_email = row.optional_text(3),
            .link = row.text(4),
            .created_ms = row.integer(5),
            .expires_s = row.integer(6)};
}

}  // namespace

Result<> insert_oob_code(Transaction& transaction, const ProjectId& project, const OobCode& code) {
    TRY(transaction.execute(
        "INSERT INTO oob_codes (code, project_id, kind, email, new_email, link, created_ms,"
        " expires_s) VALUES (?,?,?,?,?,?,?,?)",
        code.code, project.text, code.kind, code.email, code.new_email, code.link, code.created_ms,
        code.expires_s));
    TRY(transaction.execute(
        "DELETE FROM oob_codes WHERE rowid IN (SELECT rowid FROM oob_codes WHERE project_id=?"
        " AND email=? ORDER BY created_ms DESC, rowid DESC LIMIT -1 OFFSET ?)",
        project.text, code.email, std::int64_t(oob_codes_per_email_max)));
    return {};
}

Result<std::optional<OobCode>> find_oob_code(Transaction& transaction, const ProjectId& project,
                                             std::string_view code) {
    auto row = TRY(
        transaction.query(std::string(code_columns) + "WHERE code=? AND project_id=?", code, project.text));
    if (!TRY(row.step())) return std::optional<OobCode>();
    return std::optional(to_oob_code(row));
}

Result<> delete_oob_code(Transaction& transaction, const ProjectId& project, std::string_view code) {
    TRY(transaction.execute("DELETE FROM oob_codes WHERE code=? AND project_id=?", code, project.text));
    return {};
}

Result<std::vector<OobCode>> list_oob_codes(Transaction& transaction, const ProjectId& project,
                                            std::int64_t now_s) {
    auto rows =
        TRY(transaction.query(std::string(code_columns) +
                                  "WHERE project_id=? AND expires_s>? ORDER BY created_ms, rowid LIMIT 1000",
                              project.text, now_s));
    std::vector<OobCode> codes;
    while (TRY(rows.step()))
        codes.push_back(to_oob_code(rows));
    return codes;
}

Result<std::optional<SeedUserRecord>> find_seed_user(Transaction& transaction, const ProjectId& project,
                                                     std::string_view email) {
    auto row =
        TRY(transaction.query("SELECT uid, email, password, role, password_updated_ms FROM ready_made_users"
                              " WHERE project_id=? AND email=?",
                              project.text, email));
    if (!TRY(row.step())) return std::optional<SeedUserRecord>();
    return std::optional(SeedUserRecord{
        .uid = row.text(0),
        .user = {.email = row.text(1), .password = row.text(2), .role = row.text(3)},
        .password_updated_ms = row.integer(4),
    });
}

Result<> save_seed_user(Transaction& transaction, const ProjectId& project, const SeedUserRecord& record) {
    TRY(
        transaction.execute("INSERT OR REPLACE INTO ready_made_users (project_id, uid, email, role, password,"
                            " password_updated_ms) VALUES (?,?,?,?,?,?)",
                            project.text, record.uid, record.user.email, record.user.role,
                            record.user.password, record.password_updated_ms));
    return {};
}

}  // namespace integreat::firebase
