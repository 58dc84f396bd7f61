// SPDX-License-Identifier: Apache-2.0
#include "services/collections/api/operation.h"

#include "json/value/parse.h"
#include "postgres/driver/completion_queue.h"

namespace integreat::collections {

namespace {

constexpr int attempts_max = 3;
// Rows of more than this are rendered where waiting is allowed: it may take longer than a request should hold
// up others.
constexpr std::size_t large_bytes = 256 * 1024;

bool asks_again(const postgres::Refusal& refusal) {
    return refusal.state == "40001" || refusal.state == "40P01";
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::vector<http::FieldError> at_fields(const std::vector<std::string>& fields, const Place& place,
                                        const char* detail) {
    std::vector<http::FieldError> errors;
    for (const auto& field : fields)
        errors.push_back({place.field + field, detail});
    return errors;
}

http::Problem invalid(std::vector<http::FieldError> errors) {
    return {.status = 400,
            .type = "invalid-request",
            .title = "The request is not valid",
            .detail = errors.empty() ? "A value does not fit its field."
                                     : "The body does not fit; `errors` has each place.",
            .errors = std::move(errors)};
}

http::Problem conflict(const char* type, const char* title, std::string detail) {
    return {.status = 409, .type = type, .title = title, .detail = std::move(detail)};
}

http::Problem problem_of(const Asked& asked, const RefusedChange& refused, const Place& place) {
    const auto& fields = refused.fields;
    switch (refused.why) {
        case Refused::already_exists: {
            auto no = conflict("already-exists", "There is such a record already",
                               fields.empty() ? "Another record has the same values."
                                              : "Another record has the same " + listed(fields) + ".");
            no.errors = at_fields(fields, place, "is taken");
            return no;
        }
        case Refused::referenced:
            return conflict("referenced", "Other records refer to it",
                            "Records of " + refused.collection + " refer to it by " + listed(fields) + ".");
        case Refused::wrong_state:
            return conflict("wrong-state", "The record's state does not allow this",
                            "The transition does not start from the state that the record is in.");
        case Refused::required_for_transition: {
            auto no = conflict("incomplete", "Something must be filled in first",
                               "The transition requires " + listed(fields) + ".");
            no.errors = at_fields(fields, place, "is required for this transition");
            return no;
        }
        case Refused::guard:
            return conflict("guard-failed", "A condition does not hold",
                            "The transition's condition does not hold.");
        case Refused::unreadable_reference:
            return invalid(at_fields(fields, place, "there is no such record"));
        case Refused::missing: return invalid(at_fields(fields, place, "is required"));
        case Refused::out_of_range: return invalid(at_fields(fields, place, "does not fit"));
        case Refused::forbidden:
        case Refused::other: break;
    }
    return {.status = 403,
            .type = "forbidden",
            .title = "This is not allowed",
            .detail = "No rule of " + asked.collection.collection->name + " allows this to the role " +
                      asked.view.role + "."};
}

}  // namespace

Answered run(Asked& asked, const Sql& sql) {
    Answered answered{.rows = Error{}, .refusal = {}};
    if (auto* transaction = asked.call.transaction) {
        transaction->act_as(asked.acting);
        answered.rows = transaction->execute(sql.text, std::span<const postgres::Value>(sql.parameters));
        answered.refusal = transaction->refusal();
        return answered;
    }
    for (int attempt = 1;; ++attempt) {
        answered.rows = asked.pool.run_as(asked.call.tenant, asked.acting, asked.call.deadline, sql.text,
                                          sql.parameters, &answered.refusal);
        if (answered.rows || !asks_again(answered.refusal) || attempt >= attempts_max) return answered;
    }
}

Answered attempt(Asked& asked, const Sql& sql) {
    Answered answered{.rows = Error{}, .refusal = {}};
    auto& transaction = *asked.call.transaction;
    transaction.act_as(asked.acting);
    answered.rows = transaction.attempt(sql.text, std::span<const postgres::Value>(sql.parameters));
    answered.refusal = transaction.refusal();
    return answered;
}

http::Reply answer_now(Asked& asked, Step step) {
    if (auto* reply = std::get_if<http::Reply>(&step)) return std::move(*reply);
    ASSERT(std::holds_alternative<Question>(step));
    const auto& question = std::get<Question>(step);
    return question.answer(asked, run(asked, question.sql));
}

http::Response answer_later(std::shared_ptr<Asked> asked, Step step) {
    if (auto* reply = std::get_if<http::Reply>(&step)) return std::move(*reply);
    auto* question = std::get_if<Question>(&step);
    if (!question) return http::Defer{};
    // Both ends of what is under way hold it, since either may go first.
    struct Pending {
        std::shared_ptr<Asked> asked;
        Question question;
        std::optional<postgres::Outcome> outcome;
        std::function<void(bool)> ready;
    };
    auto pending = std::make_shared<Pending>(Pending{std::move(asked), std::move(*question), {}, {}});
    auto& call = pending->asked->call;
    bool begun = pending->asked->pool.begin_as(
        *call.lane, call.tenant, pending->asked->acting, call.deadline, pending->question.sql.text,
        pending->question.sql.parameters, [weak = std::weak_ptr(pending)](postgres::Outcome outcome) {
            auto told = weak.lock();
            if (!told) return;  // Whoever asked is gone.
            bool large = outcome.rows && outcome.rows->memory() > large_bytes;
            told->outcome = std::move(outcome);
            told->ready(large);
        });
    if (!begun) return http::Defer{};
    return http::Later{
        .when_ready = [pending](std::function<void(bool)> ready) { pending->ready = std::move(ready); },
        .finish = [pending]() -> http::Response {
            auto& outcome = *pending->outcome;
            if (outcome.should_run_again || asks_again(outcome.refusal)) return http::Defer{};
            return pending->question.answer(*pending->asked,
                                            {std::move(outcome.rows), std::move(outcome.refusal)});
        }};
}

http::Reply refuse(Asked& asked, http::Problem problem, std::string rule) {
    asked.call.decision = {.stage = "data",
                           .type = problem.type,
                           .rule = std::move(rule),
                           .facts = {{"collection", asked.collection.collection->name},
                                     {"role", asked.view.role},
                                     {"user", asked.acting.uid.empty() ? "(nobody)" : asked.acting.uid}}};
    return http::to_reply(problem, asked.call.id.text);
}

http::Reply refuse_mistakes(Asked& asked, Mistakes mistakes, const char* where) {
    http::Problem problem{.status = 400,
                          .type = "invalid-request",
                          .title = "The request is not valid",
                          .detail = std::string(where) + " does not fit; `errors` has each place.",
                          .errors = std::move(mistakes.all)};
    auto rule = problem.errors.front().pointer + " " + problem.errors.front().detail;
    return refuse(asked, std::move(problem), std::move(rule));
}

http::Reply refuse_missing(Asked& asked) {
    return refuse(asked,
                  {.status = 404,
                   .type = "not-found",
                   .title = "There is nothing here",
                   .detail = "There is no such record, or you may not read it."},
                  "a record that the caller may not read is not there (access.read of " +
                      asked.collection.collection->name + ")");
}

http::Reply refuse_forbidden(Asked& asked, std::string detail, std::string rule) {
    return refuse(
        asked,
        {.status = 403, .type = "forbidden", .title = "This is not allowed", .detail = std::move(detail)},
        std::move(rule));
}

std::optional<RefusalTold> told_of(const Asked& asked, const Answered& answered, const Place& place) {
    auto refused = explain(asked.model(), *asked.collection.collection, answered.refusal);
    if (refused.why == Refused::other) return {};
    auto no = problem_of(asked, refused, place);
    if (no.errors.empty() && !place.record.empty()) no.errors.push_back({place.record, no.detail});
    return RefusalTold{std::move(no), "the database refused it: " + answered.rows.error().cause};
}

http::Reply refuse_statement(Asked& asked, const Answered& answered, const Place& place) {
    const auto& error = answered.rows.error();
    asked.call.cause = error.cause;
    if (auto told = told_of(asked, answered, place))
        return refuse(asked, std::move(told->problem), std::move(told->rule));
    auto problem = http::problem_from(error);
    if (error.cause.starts_with("unknown: ") && asked.request.method != http::Method::get)
        problem.detail =
            "The database was lost: whether this was stored is not known. Look before you repeat it.";
    return refuse(asked, std::move(problem), "the database must answer: " + error.cause);
}

Looked look(Asked& asked, const std::string& id) {
    Looked looked;
    if (!asked.view.reads()) return looked;
    bool states = !asked.collection.collection->initial_state.empty();
    Sql sql;
    sql.text = asked.view.comment + "SELECT \"version\"" + (states ? ", \"state\"" : "") + " FROM " +
               asked.collection.table + " WHERE \"id\" = " + sql.parameter(id, "uuid");
    auto answered = run(asked, sql);
    if (!answered.rows) {
        looked.trouble = refuse_statement(asked, answered);
    } else if (!answered.rows->empty()) {
        looked.seen = Seen{.version = answered.rows->integer(0, 0), .state = {}};
        if (states) looked.seen->state = answered.rows->text(0, 1);
    }
    return looked;
}

Body parse_body(Asked& asked) {
    Body body;
    auto value = json::parse(asked.request.body, {.bytes_max = asked.call.route->body_bytes_max});
    if (value) {
        body.value = *std::move(value);
    } else {
        body.trouble = refuse(asked,
                              {.status = 400,
                               .type = "malformed-json",
                               .title = "The body is not well-formed JSON",
                               .detail = value.error().message},
                              "the body must be JSON");
    }
    return body;
}

http::Reply json_reply(int status, std::string body) {
    return {.status = status,
            .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "private, no-cache"}},
            .body = std::move(body)};
}

std::string etag_of(std::string_view version) {
    return "\"" + std::string(version) + "\"";
}

}  // namespace integreat::collections
