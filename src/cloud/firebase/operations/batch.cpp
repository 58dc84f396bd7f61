// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include <boost/json/array.hpp>

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "crypto/encoding.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

std::string query_value(const OperationRequest& request, std::string_view name) {
    for (const auto& [parameter_name, value] : request.query) {
        if (parameter_name == name) return value;
    }
    return {};
}

// Decodes both Base64 alphabets, with or without padding, as Google's APIs use them.
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

OperationResult batch_get(OperationRequest& request) {
    std::int64_t count_max = 20;
    if (auto text = query_value(request, "maxResults"); !text.empty()) {
        auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count_max);
        if (failure != std::errc() || end != text.data() + text.size() || count_max < 1 ||
            count_max > std::int64_t(batch_count_max)) {
            return firebase_error("INVALID_PAGE_SELECTION : maxResults must be 1 to 1000");
        }
    }
    auto transaction = TRY(request.auth.store->read());
    auto users =
        TRY(list_users(transaction, request.project.id, query_value(request, "nextPageToken"), count_max));
    json::object response{{"kind", "identitytoolkit#DownloadAccountResponse"}};
    if (users.empty()) return response;
    json::array entries;
    for (const auto& user : users)
        entries.push_back(to_json(user));
    response["users"] = std::move(entries);
    if (std::int64_t(users.size()) == count_max) response["nextPageToken"] = users.back().uid;
    return response;
}

namespace {

// Parses the hash parameters of an import. Only hashes that can be verified later are accepted.
Result<std::optional<crypto::ScryptCost>> parse_import_cost(JsonFieldReader& fields) {
    auto algorithm = fields.text("hashAlgorithm");
    if (!algorithm) return std::optional<crypto::ScryptCost>();
    if (*algorithm != "STANDARD_SCRYPT") {
        return firebase_error(
            "INVALID_HASH_ALGORITHM : only STANDARD_SCRYPT with a derived key of 32 bytes is supported");
    }
    auto n = fields.number("cpuMemCost").value_or(0);
    auto r = fields.number("blockSize").value_or(0);
    auto p = fields.number("parallelization").value_or(0);
    if (fields.number("dkLen").value_or(0) != 32)
        return firebase_error("INVALID_HASH_ALGORITHM : dkLen must be 32");
    int log2_n = 0;
    while (log2_n < 20 && (std::int64_t(1) << log2_n) < n)
        ++log2_n;
    // Bounded, because hashes that take a second to verify would allow denial of service.
    if (n != std::int64_t(1) << log2_n || log2_n < 1 || log2_n > 17 || r < 1 || r > 8 || p < 1 || p > 4) {
        return firebase_error(
            "INVALID_HASH_ALGORITHM : cpuMemCost must be a power of two up to 131072, blockSize 1 to 8,"
            " parallelization 1 to 4");
    }
    return std::optional(crypto::ScryptCost{log2_n, static_cast<int>(r), static_cast<int>(p)});
}

Result<std::optional<PasswordHash>> parse_import_password(OperationRequest& request, JsonFieldReader& fields,
                                                          const std::optional<crypto::ScryptCost>& cost) {
    auto hash_text = fields.text("passwordHash");
    auto salt_text = fields.text("salt");
    if (fields.has("rawPassword"))
        return firebase_error("rawPassword is not supported; create the user with accounts:signUp");
    if (!hash_text) return std::optional<PasswordHash>();
    if (!cost) return firebase_error("a password hash needs hashAlgorithm STANDARD_SCRYPT");
    auto hash = decode_bytes(*hash_text);
    auto salt = decode_bytes(salt_text.value_or(""));
    if (!hash || hash->size() != 32 || !salt)
        return firebase_error("passwordHash must be 32 bytes in base64");
    return std::optional(PasswordHash{
        .hash = *hash, .salt = *salt, .cost = *cost, .updated_ms = now_milliseconds(request.auth)});
}

Result<> parse_import_links(Transaction& transaction, OperationRequest& request, JsonFieldReader& fields,
                            User& user) {
    for (const auto* object : fields.objects("providerUserInfo", links_max)) {
        JsonFieldReader link_fields(*object);
        ProviderLink link{.provider_id = link_fields.text("providerId", 100).value_or(""),
                          .raw_id = link_fields.text("rawId", uid_bytes_max).value_or(""),
                          .email = link_fields.text("email"),
                          .display_name = link_fields.text("displayName", name_bytes_max),
                          .photo_url = link_fields.text("photoUrl")};
        TRY(link_fields.check());
        if (link.provider_id == "password" || link.provider_id == "phone") continue;
        if (link.provider_id.empty() || link.raw_id.empty())
            return firebase_error("providerId and rawId are required");
        auto holder =
            TRY(find_user_by_provider(transaction, request.project.id, {link.provider_id, link.raw_id}));
        if (holder && holder->uid != user.uid)
            return firebase_error("raw id exists in other account in database");
        std::erase_if(user.links,
                      [&](const ProviderLink& existing) { return existing.provider_id == link.provider_id; });
        user.links.push_back(link);
    }
    return {};
}

Result<> import_user(Transaction& transaction, OperationRequest& request, const json::object& entry,
                     const std::optional<crypto::ScryptCost>& cost, bool overwrite) {
    JsonFieldReader fields(entry);
    User user{.uid = fields.text("localId", uid_bytes_max).value_or(""),
              .email_verified = fields.flag("emailVerified").value_or(false),
              .display_name = fields.text("displayName", name_bytes_max),
              .photo_url = fields.text("photoUrl"),
              .phone_number = fields.text("phoneNumber"),
              .disabled = fields.flag("disabled").value_or(false),
              .claims = fields.text("customAttributes", 4 * claims_bytes_max).value_or("{}"),
              .created_ms = fields.number("createdAt").value_or(now_milliseconds(request.auth)),
              .last_login_ms = fields.number("lastLoginAt"),
              .valid_since_s = now_seconds(request.auth)};
    auto email = fields.text("email");
    user.password = TRY(parse_import_password(request, fields, cost));
    TRY(parse_import_links(transaction, request, fields, user));
    TRY(fields.check());
    if (user.uid.empty()) return firebase_error("localId is missing");
    if (!overwrite && TRY(find_user(transaction, request.project.id, user.uid))) {
        return firebase_error("localId belongs to an existing account - can not overwrite.");
    }
    if (!check_claims(std::string_view(user.claims)))
        return firebase_error("Invalid custom claims provided.");
    if (user.phone_number) {
        if (!check_phone_number(*user.phone_number)) return firebase_error("phone number format is invalid");
        auto holder = TRY(find_user_by_phone(transaction, request.project.id, *user.phone_number));
        if (holder && holder->uid != user.uid)
            return firebase_error("phone number exists in other account in database");
    }
    if (email) {
        auto checked = check_email(*email);
        if (!checked) return firebase_error("email is invalid");
        auto holder = TRY(find_user_by_email(transaction, request.project.id, *checked));
        if (holder && holder->uid != user.uid)
            return firebase_error("email exists in other account in database");
        user.email = *checked;
    }
    return save_user(transaction, request.project.id, user);
}

}  // namespace

OperationResult batch_create(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto entries = fields.objects("users", batch_count_max);
    auto overwrite = fields.flag("allowOverwrite").value_or(false);
    auto cost = TRY(parse_import_cost(fields));
    TRY(fields.check());
    if (entries.empty()) return firebase_error("MISSING_USER_ACCOUNT");
    auto transaction = TRY(request.auth.store->write());
    json::array errors;
    for (std::size_t index = 0; index < entries.size(); ++index) {
        auto imported = import_user(transaction, request, *entries[index], cost, overwrite);
        if (imported) continue;
        if (imported.error().fault != Fault::invalid) return std::move(imported).error();
        errors.push_back({{"index", index}, {"message", imported.error().message}});
    }
    TRY(transaction.commit());
    return json::object{{"kind", "identitytoolkit#UploadAccountResponse"}, {"error", std::move(errors)}};
}

OperationResult batch_delete(OperationRequest& request) {
    JsonFieldReader fields(request.body);
    auto uids = fields.texts("localIds", batch_count_max + 1);
    auto force = fields.flag("force").value_or(false);
    TRY(fields.check());
    if (uids.empty() || uids.size() > batch_count_max) return firebase_error("LOCAL_ID_LIST_EXCEEDS_LIMIT");
    auto transaction = TRY(request.auth.store->write());
    json::array errors;
    for (std::size_t index = 0; index < uids.size(); ++index) {
        auto user = TRY(find_user(transaction, request.project.id, uids[index]));
        if (!user) continue;
        if (user->disabled || force) {
            TRY(delete_user(transaction, request.project.id, user->uid));
        } else {
            errors.push_back({{"index", index},
                              {"localId", user->uid},
                              {"message", "NOT_DISABLED : Disable the account before batch deletion."}});
        }
    }
    TRY(transaction.commit());
    json::object response;
    if (!errors.empty()) response["errors"] = std::move(errors);
    return response;
}

OperationResult delete_all_accounts(OperationRequest& request) {
    auto transaction = TRY(request.auth.store->write());
    TRY(delete_all_users(transaction, request.project.id));
    TRY(transaction.commit());
    return json::object();
}

}  // namespace integreat::firebase
