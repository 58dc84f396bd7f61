// SPDX-License-Identifier: Apache-2.0
#include "identity/api_keys/api_keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "crypto/ids.h"
#include "identity/api_keys/api_key_format.h"

namespace integreat::identity {

namespace {

using std::chrono::milliseconds;

constexpr int page = 1'000;
constexpr int max_polls_to_wake = 3;

AuthFailure refuse(http::ProblemType type, std::string detail, std::string rule,
                   std::vector<std::pair<std::string, std::string>> facts = {}) {
    return {.type = type, .detail = std::move(detail), .rule = std::move(rule), .facts = std::move(facts)};
}

std::shared_ptr<const Principal> make_key_principal(const identity::ApiKeyRow& row) {
    return std::make_shared<const Principal>(Principal{.kind = PrincipalKind::key,
                                                       .tenant = row.tenant,
                                                       .subject = row.id,
                                                       .scopes = row.scopes,
                                                       .name = row.name,
                                                       .authenticated = row.created,
                                                       .expires = row.expires.value_or(Time::max())});
}

constexpr std::size_t max_name_bytes = 100;
constexpr std::size_t max_scopes = 20;
constexpr std::size_t max_scope_bytes = 64;
constexpr std::int64_t max_keys_per_tenant = 100;

bool is_scope(std::string_view scope) {
    auto is_allowed = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               std::string_view("_.:-*").find(letter) != std::string_view::npos;
    };
    return !scope.empty() && scope.size() <= max_scope_bytes && std::ranges::all_of(scope, is_allowed);
}

Result<> check(const NewApiKey& request, Time now) {
    auto is_control = [](unsigned char byte) { return byte < 0x20 || byte == 0x7F; };
    if (request.name.empty() || request.name.size() > max_name_bytes ||
        std::ranges::any_of(request.name, is_control)) {
        return Error{Fault::invalid, "name must have 1 to 100 bytes and no control characters", ""};
    }
    if (request.scopes.size() > max_scopes) return Error{Fault::invalid, "a key has at most 20 scopes", ""};
    for (const auto& scope : request.scopes) {
        if (is_scope(scope)) continue;
        return Error{Fault::invalid,
                     "\"" + scope.substr(0, max_scope_bytes) +
                         "\" is not a scope: 1 to 64 of a-z, 0-9, _ . : - *, such as email:send",
                     ""};
    }
    if (request.expires && *request.expires <= now) {
        return Error{Fault::invalid, "expires must be in the future, not " + format_rfc3339(*request.expires),
                     ""};
    }
    return {};
}

}  // namespace

struct ApiKeys::CachedKey {
    explicit CachedKey(const identity::ApiKeyRow& row)
        : hash(row.hash), revoked(row.revoked), principal(make_key_principal(row)) {}

    const std::string hash;
    const std::optional<Time> revoked;
    const std::shared_ptr<const Principal> principal;

    std::atomic<Time> last_used{Time::min()};
    std::atomic<bool> use_pending{false};   // Listed in State::used.
    Monotonic recorded = Monotonic::min();  // Used only by the polling thread.
};

struct ApiKeys::State {
    std::unordered_map<std::string, std::shared_ptr<CachedKey>> by_prefix;
    std::vector<std::shared_ptr<CachedKey>> used;
    std::int64_t change = 0;
    bool polling = false;
    Monotonic unknown_keys_until = Monotonic::min();  // Rate limit (GCRA) of polls for unknown keys.
    Monotonic failed = Monotonic::min();
    std::string last_error;
};

ApiKeys::ApiKeys(postgres::Pool& platform, const Clock& clock, const ApiKeySettings& settings)
    : platform_(platform),
      clock_(clock),
      settings_(settings),
      state_(std::make_unique<Synchronized<State>>()) {}

ApiKeys::~ApiKeys() = default;

std::shared_ptr<ApiKeys::CachedKey> ApiKeys::find(std::string_view prefix) {
    auto state = state_->lock();
    auto found = state->by_prefix.find(std::string(prefix));
    return found == state->by_prefix.end() ? nullptr : found->second;
}

AuthResult ApiKeys::identify(std::string_view key, bool may_block, Monotonic deadline) {
    auto prefix = parse_api_key_prefix(key);
    if (!prefix) {
        return refuse(http::ProblemType::api_key_malformed,
                      "It is truncated or mistyped: a key is itg_, 8 characters, _ and 49 characters.",
                      "an API key has the format itg_PREFIX_SECRETCHECK with a correct checksum",
                      {{"bytes", std::to_string(key.size())}});
    }
    std::shared_ptr<CachedKey> known;
    switch (find_current(*prefix, may_block, deadline, known)) {
        case Freshness::fresh: break;
        case Freshness::would_block: return WouldBlock{};
        case Freshness::unavailable: return unavailable();
    }
    if (!known || !equal_in_constant_time(known->hash, hash_api_key(key))) {
        return refuse(http::ProblemType::api_key_unknown, "There is no such key.",
                      known ? "the key's hash must be the one stored for its prefix"
                            : "the key's prefix must be that of a stored key",
                      {{"prefix", std::string(*prefix)}});
    }
    const auto& principal = known->principal;
    if (known->revoked) {
        return refuse(http::ProblemType::api_key_revoked, "Ask the team that runs the platform for another.",
                      "the key must not have been revoked",
                      {{"key", principal->subject}, {"revoked", format_rfc3339(*known->revoked)}});
    }
    auto now = clock_.now();
    if (now >= principal->expires) {
        return refuse(http::ProblemType::api_key_expired,
                      "It expired at " + format_rfc3339(principal->expires) + ".",
                      "the time must be before the expiry of the key",
                      {{"key", principal->subject}, {"expires", format_rfc3339(principal->expires)}});
    }
    in_use_until_.store(clock_.monotonic() + settings_.idle_after, std::memory_order_relaxed);
    known->last_used.store(now, std::memory_order_relaxed);
    if (!known->use_pending.load(std::memory_order_relaxed) && !known->use_pending.exchange(true)) {
        state_->lock()->used.push_back(known);
    }
    return principal;
}

ApiKeys::Freshness ApiKeys::find_current(std::string_view prefix, bool may_block, Monotonic deadline,
                                         std::shared_ptr<CachedKey>& known) {
    auto after_poll = polls_begun_.load();
    auto freshness = refresh(std::nullopt, may_block, deadline);
    if (freshness != Freshness::fresh) return freshness;
    known = find(prefix);
    if (known) return Freshness::fresh;
    freshness = refresh(after_poll, may_block, deadline);
    if (freshness == Freshness::fresh) known = find(prefix);
    return freshness;
}

ApiKeys::Freshness ApiKeys::refresh(std::optional<std::uint64_t> after_poll, bool may_block,
                                    Monotonic deadline) {
    auto is_fresh = [&] {
        return after_poll ? last_good_poll_.load() > *after_poll
                          : clock_.monotonic() <= validated_.load() + settings_.max_age;
    };
    if (is_fresh()) return Freshness::fresh;
    auto now = clock_.monotonic();
    auto until = std::min(deadline, now + settings_.poll_timeout);
    {
        auto state = state_->lock();
        if (state->polling) {
            if (!may_block) return Freshness::would_block;
            if (now >= until) return Freshness::unavailable;
            auto has_ended = [&] { return !state->polling; };
            if (!poll_ended_.wait_for(state.lock(), std::chrono::ceil<milliseconds>(until - now),
                                      has_ended)) {
                return Freshness::unavailable;
            }
            now = clock_.monotonic();
        }
        if (is_fresh()) return Freshness::fresh;
        if (now < state->failed + settings_.retry_pause) return Freshness::unavailable;
        auto max_debt = settings_.unknown_key_interval * (settings_.unknown_key_burst - 1);
        if (after_poll && state->unknown_keys_until > now + max_debt)
            return Freshness::fresh;  // Rate limit reached: the cache decides.
        if (!may_block) return Freshness::would_block;
        if (now >= until) return Freshness::unavailable;
        if (after_poll)
            state->unknown_keys_until =
                std::max(state->unknown_keys_until, now) + settings_.unknown_key_interval;
        state->polling = true;
    }
    return poll(until) && is_fresh() ? Freshness::fresh : Freshness::unavailable;
}

AuthFailure ApiKeys::unavailable() {
    return refuse(http::ProblemType::identity_unavailable,
                  "API keys cannot be looked up; try again in a moment.",
                  fmt::format("API keys must have been read from the database within {} ms, or after "
                              "the request came if the key is not among them",
                              settings_.max_age.count()),
                  {{"last_error", state_->lock()->last_error}});
}

bool ApiKeys::poll_due() {
    auto now = clock_.monotonic();
    if (now > in_use_until_.load() || now < validated_.load() + settings_.poll_interval) return false;
    {
        auto state = state_->lock();
        if (state->polling || now < state->failed + settings_.retry_pause) return false;
        state->polling = true;
    }
    if (poll(now + settings_.poll_timeout)) record_uses(now + settings_.poll_timeout);
    return true;
}

// Polls. Called only by the thread that has set `polling`.
bool ApiKeys::poll(Monotonic deadline) {
    struct Ending {
        ApiKeys& keys;
        ~Ending() {
            keys.state_->lock()->polling = false;
            keys.poll_ended_.notify_all();
        }
    } ending{*this};
    // The data may be as old as the start of the poll, and the first poll may have had to wake the database:
    // then another poll is needed for current data.
    for (int i = 0; i < max_polls_to_wake; ++i) {
        auto number = ++polls_begun_;
        auto began = clock_.monotonic();
        auto read = read_changes(deadline);
        auto ended = clock_.monotonic();
        if (!read) {
            auto state = state_->lock();
            state->failed = ended;
            state->last_error =
                read.error().message + (read.error().cause.empty() ? "" : ": " + read.error().cause);
            return false;
        }
        validated_.store(began);
        last_good_poll_.store(number);
        if (ended - began <= settings_.max_age / 2) break;
    }
    return true;
}

Result<> ApiKeys::read_changes(Monotonic deadline) {
    for (bool more = true; more;) {
        auto change = state_->lock()->change;
        auto rows = TRY(identity::api_keys_changed_since(platform_, change, deadline, page));
        more = rows.size() == page;
        auto state = state_->lock();
        for (const auto& row : rows) {
            state->by_prefix[row.prefix] = std::make_shared<CachedKey>(row);
            state->change = row.change;
        }
        if (state->by_prefix.size() > settings_.max_keys) {
            std::erase_if(state->by_prefix,
                          [](const auto& entry) { return entry.second->revoked.has_value(); });
        }
    }
    return {};
}

void ApiKeys::record_uses(Monotonic deadline) {
    std::vector<std::shared_ptr<CachedKey>> used;
    state_->lock()->used.swap(used);
    auto now = clock_.monotonic();
    auto deferred = std::partition(used.begin(), used.end(), [&](const auto& known) {
        return known->recorded == Monotonic::min() || now >= known->recorded + settings_.touch_interval;
    });
    for (auto known = used.begin(); known != deferred; ++known) {
        (*known)->recorded = now;
        (*known)->use_pending = false;
        auto touched = identity::record_api_key_use(platform_, (*known)->principal->subject,
                                                    (*known)->last_used.load(), deadline);
        if (!touched) {
            log({.level = Level::warning,
                 .message = "the last use of an API key could not be recorded",
                 .fields = {{"key", (*known)->principal->subject}, {"cause", touched.error().cause}}});
        }
    }
    auto state = state_->lock();
    state->used.insert(state->used.end(), deferred, used.end());
}

Result<IssuedApiKey> create_api_key(postgres::Transaction& transaction, const NewApiKey& request,
                                    const Clock& clock, Random& random) {
    auto now = clock.now();
    TRY(check(request, now));
    auto existing = TRY(identity::list_api_keys(transaction, request.tenant));
    auto active = std::ranges::count_if(existing, [&](const identity::ApiKeyRow& row) {
        return !row.revoked && (!row.expires || *row.expires > now);
    });
    if (active >= max_keys_per_tenant) {
        return Error{Fault::exhausted,
                     request.tenant.text + " has 100 active API keys; revoke one that is no longer used", ""};
    }
    auto text = generate_api_key_text(random);
    auto row = TRY(identity::insert_api_key(transaction, {.id = "key_" + crypto::make_ulid(now, random),
                                                          .tenant = request.tenant,
                                                          .prefix = text.prefix,
                                                          .hash = hash_api_key(text.whole.reveal()),
                                                          .name = request.name,
                                                          .scopes = request.scopes,
                                                          .created = now,
                                                          .created_by = request.created_by,
                                                          .expires = request.expires}));
    return IssuedApiKey{std::move(row), std::move(text.whole)};
}

Result<IssuedApiKey> create_api_key(postgres::Pool& platform, const NewApiKey& request, const Clock& clock,
                                    Random& random, Monotonic deadline) {
    auto transaction = TRY(platform.begin(platform.tenant(), deadline));
    auto issued = TRY(create_api_key(transaction, request, clock, random));
    TRY(transaction.commit());
    return issued;
}

}  // namespace integreat::identity
