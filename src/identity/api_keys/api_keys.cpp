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
constexpr int polls_to_wake = 3;

Denial refuse(std::string type, std::string title, std::string detail, std::string rule,
              std::vector<std::pair<std::string, std::string>> facts = {}) {
    return {.type = std::move(type),
            .title = std::move(title),
            .detail = std::move(detail),
            .rule = std::move(rule),
            .facts = std::move(facts)};
}

std::shared_ptr<const Principal> principal_of(const identity::ApiKeyRow& row) {
    return std::make_shared<const Principal>(Principal{.kind = PrincipalKind::key,
                                                       .tenant = row.tenant,
                                                       .subject = row.id,
                                                       .scopes = row.scopes,
                                                       .name = row.name,
                                                       .authenticated = row.created,
                                                       .expires = row.expires.value_or(Time::max())});
}

}  // namespace

struct ApiKeys::Known {
    explicit Known(const identity::ApiKeyRow& row)
        : hash(row.hash), revoked(row.revoked), principal(principal_of(row)) {}

    const std::string hash;
    const std::optional<Time> revoked;
    const std::shared_ptr<const Principal> principal;

    std::atomic<Time> last_used{Time::min()};
    std::atomic<bool> to_be_noted{false};  // It is in State::used.
    Monotonic noted = Monotonic::min();    // Only touched by the thread that polls.
};

struct ApiKeys::State {
    std::unordered_map<std::string, std::shared_ptr<Known>> by_prefix;
    std::vector<std::shared_ptr<Known>> used;
    std::int64_t change = 0;
    bool polling = false;
    Monotonic rationed_until = Monotonic::min();  // How far unknown keys have used up their polls.
    Monotonic failed = Monotonic::min();
    std::string last_error;
};

ApiKeys::ApiKeys(postgres::Pool& platform, const Clock& clock, const ApiKeySettings& settings)
    : platform_(platform), clock_(clock), settings_(settings), state_(std::make_unique<Guarded<State>>()) {}

ApiKeys::~ApiKeys() = default;

std::shared_ptr<ApiKeys::Known> ApiKeys::find(std::string_view prefix) {
    auto state = state_->lock();
    auto found = state->by_prefix.find(std::string(prefix));
    return found == state->by_prefix.end() ? nullptr : found->second;
}

Verdict ApiKeys::identify(std::string_view key, bool may_wait, Monotonic deadline) {
    auto prefix = prefix_of_key_text(key);
    if (!prefix) {
        return refuse("api-key-malformed", "The API key is not well formed",
                      "It is cut or mistyped: a key is itg_, 8 characters, _ and 49 characters.",
                      "an API key has the form of api_key_text.h and a check that fits",
                      {{"bytes", std::to_string(key.size())}});
    }
    std::shared_ptr<Known> known;
    switch (look_up(*prefix, may_wait, deadline, known)) {
        case Freshness::fresh: break;
        case Freshness::must_wait: return MustWait{};
        case Freshness::unavailable: return unavailable();
    }
    if (!known || !equal_in_constant_time(known->hash, hash_of_key_text(key))) {
        return refuse("api-key-unknown", "The API key is not known", "There is no such key.",
                      known ? "the key's hash must be the one stored for its prefix"
                            : "the key's prefix must be that of a stored key",
                      {{"prefix", std::string(*prefix)}});
    }
    const auto& principal = known->principal;
    if (known->revoked) {
        return refuse("api-key-revoked", "The API key was revoked",
                      "Ask the team that runs the platform for another.",
                      "the key must not have been revoked",
                      {{"key", principal->subject}, {"revoked", format_rfc3339(*known->revoked)}});
    }
    auto now = clock_.now();
    if (now >= principal->expires) {
        return refuse("api-key-expired", "The API key has expired",
                      "It expired at " + format_rfc3339(principal->expires) + ".",
                      "now must be before the key's end",
                      {{"key", principal->subject}, {"expires", format_rfc3339(principal->expires)}});
    }
    in_use_until_.store(clock_.monotonic() + settings_.idle_after, std::memory_order_relaxed);
    known->last_used.store(now, std::memory_order_relaxed);
    if (!known->to_be_noted.load(std::memory_order_relaxed) && !known->to_be_noted.exchange(true)) {
        state_->lock()->used.push_back(known);
    }
    return principal;
}

ApiKeys::Freshness ApiKeys::look_up(std::string_view prefix, bool may_wait, Monotonic deadline,
                                    std::shared_ptr<Known>& known) {
    auto asked = polls_begun_.load();
    auto freshness = freshen(std::nullopt, may_wait, deadline);
    if (freshness != Freshness::fresh) return freshness;
    known = find(prefix);
    if (known) return Freshness::fresh;
    freshness = freshen(asked, may_wait, deadline);
    if (freshness == Freshness::fresh) known = find(prefix);
    return freshness;
}

ApiKeys::Freshness ApiKeys::freshen(std::optional<std::uint64_t> asked, bool may_wait, Monotonic deadline) {
    auto is_fresh = [&] {
        return asked ? last_good_poll_.load() > *asked
                     : clock_.monotonic() <= validated_.load() + settings_.fresh_max;
    };
    if (is_fresh()) return Freshness::fresh;
    auto now = clock_.monotonic();
    auto until = std::min(deadline, now + settings_.poll_timeout);
    {
        auto state = state_->lock();
        if (state->polling) {
            if (!may_wait) return Freshness::must_wait;
            if (now >= until) return Freshness::unavailable;
            auto ended = [&] { return !state->polling; };
            if (!poll_ended_.wait_for(state.lock(), std::chrono::ceil<milliseconds>(until - now), ended)) {
                return Freshness::unavailable;
            }
            now = clock_.monotonic();
        }
        if (is_fresh()) return Freshness::fresh;
        if (now < state->failed + settings_.retry_pause) return Freshness::unavailable;
        auto most = settings_.unknown_pause * (settings_.unknown_burst - 1);
        if (asked && state->rationed_until > now + most) return Freshness::fresh;  // Memory has to do.
        if (!may_wait) return Freshness::must_wait;
        if (now >= until) return Freshness::unavailable;
        if (asked) state->rationed_until = std::max(state->rationed_until, now) + settings_.unknown_pause;
        state->polling = true;
    }
    return poll(until) && is_fresh() ? Freshness::fresh : Freshness::unavailable;
}

Denial ApiKeys::unavailable() {
    auto denial = refuse("identity-unavailable", "Callers cannot be identified at the moment",
                         "API keys cannot be looked up; try again in a moment.",
                         fmt::format("API keys must have been read from the database within {} ms, or after "
                                     "the request came if the key is not among them",
                                     settings_.fresh_max.count()),
                         {{"last_error", state_->lock()->last_error}});
    denial.status = 503;
    return denial;
}

bool ApiKeys::poll_due() {
    auto now = clock_.monotonic();
    if (now > in_use_until_.load() || now < validated_.load() + settings_.poll_interval) return false;
    {
        auto state = state_->lock();
        if (state->polling || now < state->failed + settings_.retry_pause) return false;
        state->polling = true;
    }
    if (poll(now + settings_.poll_timeout)) note_uses(now + settings_.poll_timeout);
    return true;
}

// Called by the one thread that has set `polling`.
bool ApiKeys::poll(Monotonic deadline) {
    struct Ending {
        ApiKeys& keys;
        ~Ending() {
            keys.state_->lock()->polling = false;
            keys.poll_ended_.notify_all();
        }
    } ending{*this};
    // What was read may be as old as the poll's beginning, and the first one may have had to wake the
    // database: then another says how things are now.
    for (int i = 0; i < polls_to_wake; ++i) {
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
        if (ended - began <= settings_.fresh_max / 2) break;
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
            state->by_prefix[row.prefix] = std::make_shared<Known>(row);
            state->change = row.change;
        }
        if (state->by_prefix.size() > settings_.keys_max) {
            std::erase_if(state->by_prefix,
                          [](const auto& entry) { return entry.second->revoked.has_value(); });
        }
    }
    return {};
}

void ApiKeys::note_uses(Monotonic deadline) {
    std::vector<std::shared_ptr<Known>> used;
    state_->lock()->used.swap(used);
    auto now = clock_.monotonic();
    auto later = std::partition(used.begin(), used.end(), [&](const auto& known) {
        return known->noted == Monotonic::min() || now >= known->noted + settings_.touch_interval;
    });
    for (auto known = used.begin(); known != later; ++known) {
        (*known)->noted = now;
        (*known)->to_be_noted = false;
        auto touched = identity::touch_api_key(platform_, (*known)->principal->subject,
                                               (*known)->last_used.load(), deadline);
        if (!touched) {
            log({.level = Level::warning,
                 .message = "the last use of an API key could not be noted",
                 .fields = {{"key", (*known)->principal->subject}, {"cause", touched.error().cause}}});
        }
    }
    auto state = state_->lock();
    state->used.insert(state->used.end(), later, used.end());
}

}  // namespace integreat::identity
