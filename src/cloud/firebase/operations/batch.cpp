// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include <boost/json/array.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "crypto/encoding.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

std::string query_value(const Ask& ask, std::string_view name) {
    for (const auto& [known, value] : ask.query) {
        if (known == name) return value;
    }
    return {};
}

// Google's APIs write bytes as either kind of base64, with or without padding.
std::optional<std::string> decode_bytes(std::string text) {
    for (auto& character : text) {
        if (character == '+') character = '-';
        if (character == '/') character = '_';
    }
    while (text.ends_with('='))
        text.pop_back();
    return crypto::base64url_decode(text);
}

}  // namespace

Answer batch_get(Ask& ask) {
    std::int64_t count_max = 20;
    if (auto text = query_value(ask, "maxResults"); !text.empty()) {
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count_max);
        if (failure != std::errc() || end != text.data() + text.size() || count_max < 1 ||
            count_max > std::int64_t(batch_count_max)) {
            return refusal("INVALID_PAGE_SELECTION : maxResults must be 1 to 1000");
        }
    }
    auto transaction = TRY(ask.auth.store->read());
    auto users = TRY(list_users(transaction, ask.project.id, query_value(ask, "nextPageToken"), count_max));
    json::object answer{{"kind", "identitytoolkit#DownloadAccountResponse"}};
    if (users.empty()) return answer;
    json::array shown;
    for (const auto& user : users)
        shown.push_back(to_json(user));
    answer["users"] = std::move(shown);
    if (std::int64_t(users.size()) == count_max) answer["nextPageToken"] = users.back().uid;
    return answer;
}

namespace {

// How the hashes of an import were made. Only what we can verify later is taken.
Result<std::optional<crypto::ScryptCost>> read_import_cost(Fields& fields) {
    auto algorithm = fields.text("hashAlgorithm");
    if (!algorithm) return std::optional<crypto::ScryptCost>();
    if (*algorithm != "STANDARD_SCRYPT") {
        return refusal(
            "INVALID_HASH_ALGORITHM : only STANDARD_SCRYPT with a derived key of 32 bytes is taken");
    }
    auto n = fields.number("cpuMemCost").value_or(0);
    auto r = fields.number("blockSize").value_or(0);
    auto p = fields.number("parallelization").value_or(0);
    if (fields.number("dkLen").value_or(0) != 32) return refusal("INVALID_HASH_ALGORITHM : dkLen must be 32");
    int log2_n = 0;
    while (log2_n < 20 && (std::int64_t(1) << log2_n) < n)
        ++log2_n;
    // A hash that takes a second to check would be a way to stop the server.
    if (n != std::int64_t(1) << log2_n || log2_n < 1 || log2_n > 17 || r < 1 || r > 8 || p < 1 || p > 4) {
        return refusal(
            "INVALID_HASH_ALGORITHM : cpuMemCost must be a power of two up to 131072, blockSize 1 to 8,"
            " parallelization 1 to 4");
    }
    return std::optional(crypto::ScryptCost{log2_n, static_cast<int>(r), static_cast<int>(p)});
}

Result<std::optional<PasswordHash>> read_import_password(Ask& ask, Fields& fields,
                                                         const std::optional<crypto::ScryptCost>& cost) {
    auto hash_text = fields.text("passwordHash");
    auto salt_text = fields.text("salt");
    if (fields.has("rawPassword"))
        return refusal("rawPassword is not taken; create the user with accounts:signUp");
    if (!hash_text) return std::optional<PasswordHash>();
    if (!cost) return refusal("a password hash needs hashAlgorithm STANDARD_SCRYPT");
    auto hash = decode_bytes(*hash_text);
    auto salt = decode_bytes(salt_text.value_or(""));
    if (!hash || hash->size() != 32 || !salt) return refusal("passwordHash must be 32 bytes in base64");
    return std::optional(
        PasswordHash{.hash = *hash, .salt = *salt, .cost = *cost, .updated_ms = now_milliseconds(ask.auth)});
}

Result<> read_import_links(Transaction& transaction, Ask& ask, Fields& fields, User& user) {
    for (const auto* one : fields.objects("providerUserInfo", links_max)) {
        Fields link_fields(*one);
        ProviderLink link{.provider_id = link_fields.text("providerId", 100).value_or(""),
                          .raw_id = link_fields.text("rawId", uid_bytes_max).value_or(""),
                          .email = link_fields.text("email"),
                          .display_name = link_fields.text("displayName", name_bytes_max),
                          .photo_url = link_fields.text("photoUrl")};
        TRY(link_fields.check());
        if (link.provider_id == "password" || link.provider_id == "phone") continue;
        if (link.provider_id.empty() || link.raw_id.empty())
            return refusal("providerId and rawId are required");
        auto holder =
            TRY(find_user_by_provider(transaction, ask.project.id, {link.provider_id, link.raw_id}));
        if (holder && holder->uid != user.uid) return refusal("raw id exists in other account in database");
        std::erase_if(user.links,
                      [&](const ProviderLink& known) { return known.provider_id == link.provider_id; });
        user.links.push_back(link);
    }
    return {};
}

Result<> import_user(Transaction& transaction, Ask& ask, const json::object& entry,
                     const std::optional<crypto::ScryptCost>& cost, bool overwrite) {
    Fields fields(entry);
    User user{.uid = fields.text("localId", uid_bytes_max).value_or(""),
              .email_verified = fields.flag("emailVerified").value_or(false),
              .display_name = fields.text("displayName", name_bytes_max),
              .photo_url = fields.text("photoUrl"),
              .phone_number = fields.text("phoneNumber"),
              .disabled = fields.flag("disabled").value_or(false),
              .claims = fields.text("customAttributes", 4 * claims_bytes_max).value_or("{}"),
              .created_ms = fields.number("createdAt").value_or(now_milliseconds(ask.auth)),
              .last_login_ms = fields.number("lastLoginAt"),
              .valid_since_s = now_seconds(ask.auth)};
    auto email = fields.text("email");
    user.password = TRY(read_import_password(ask, fields, cost));
    TRY(read_import_links(transaction, ask, fields, user));
    TRY(fields.check());
    if (user.uid.empty()) return refusal("localId is missing");
    if (!overwrite && TRY(find_user(transaction, ask.project.id, user.uid))) {
        return refusal("localId belongs to an existing account - can not overwrite.");
    }
    if (!check_claims(std::string_view(user.claims))) return refusal("Invalid custom claims provided.");
    if (user.phone_number) {
        if (!check_phone_number(*user.phone_number)) return refusal("phone number format is invalid");
        auto holder = TRY(find_user_by_phone(transaction, ask.project.id, *user.phone_number));
        if (holder && holder->uid != user.uid)
            return refusal("phone number exists in other account in database");
    }
    if (email) {
        auto checked = check_email(*email);
        if (!checked) return refusal("email is invalid");
        auto holder = TRY(find_user_by_email(transaction, ask.project.id, *checked));
        if (holder && holder->uid != user.uid) return refusal("email exists in other account in database");
        user.email = *checked;
    }
    return save_user(transaction, ask.project.id, user);
}

}  // namespace

Answer batch_create(Ask& ask) {
    Fields fields(ask.body);
    auto entries = fields.objects("users", batch_count_max);
    auto overwrite = fields.flag("allowOverwrite").value_or(false);
    auto cost = TRY(read_import_cost(fields));
    TRY(fields.check());
    if (entries.empty()) return refusal("MISSING_USER_ACCOUNT");
    auto transaction = TRY(ask.auth.store->write());
    json::array errors;
    for (std::size_t index = 0; index < entries.size(); ++index) {
        auto imported = import_user(transaction, ask, *entries[index], cost, overwrite);
        if (imported) continue;
        if (imported.error().fault != Fault::invalid) return std::move(imported).error();
        errors.push_back({{"index", index}, {"message", imported.error().message}});
    }
    TRY(transaction.commit());
    return json::object{{"kind", "identitytoolkit#UploadAccountResponse"}, {"error", std::move(errors)}};
}

Answer batch_delete(Ask& ask) {
    Fields fields(ask.body);
    auto uids = fields.texts("localIds", batch_count_max + 1);
    auto force = fields.flag("force").value_or(false);
    TRY(fields.check());
    if (uids.empty() || uids.size() > batch_count_max) return refusal("LOCAL_ID_LIST_EXCEEDS_LIMIT");
    auto transaction = TRY(ask.auth.store->write());
    json::array errors;
    for (std::size_t index = 0; index < uids.size(); ++index) {
        auto user = TRY(find_user(transaction, ask.project.id, uids[index]));
        if (!user) continue;
        if (user->disabled || force) {
            TRY(delete_user(transaction, ask.project.id, user->uid));
        } else {
            errors.push_back({{"index", index},
                              {"localId", user->uid},
                              {"message", "NOT_DISABLED : Disable the account before batch deletion."}});
        }
    }
    TRY(transaction.commit());
    json::object answer;
    if (!errors.empty()) answer["errors"] = std::move(errors);
    return answer;
}

Answer delete_all_accounts(Ask& ask) {
    auto transaction = TRY(ask.auth.store->write());
    TRY(delete_all_users(transaction, ask.project.id));
    TRY(transaction.commit());
    return json::object();
}

}  // namespace integreat::firebase
