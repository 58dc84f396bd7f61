// SPDX-License-Identifier: Apache-2.0
// What all routes over collections share: one request on its way, its statements in the caller's name, and
// the problems that the database's refusals become. No refusal tells more of a record than its caller may
// read: a record that they may not read is not there.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/concurrency/tenant_semaphore.h"
#include "base/secret.h"
#include "http/message/message.h"
#include "http/message/problem.h"
#include "http/routing/route.h"
#include "postgres/driver/pool.h"
#include "services/collections/query/query_parser.h"
#include "services/collections/schema/constraint_violation.h"
#include "services/collections/views/role_view.h"

namespace integreat::collections {

class Feed;

// What one import may cost (docs/data.md, "CSV").
struct ImportLimits {
    std::size_t bytes_max = 100 * 1024 * 1024;
    std::size_t records_max = 200'000;
    std::chrono::milliseconds timeout{300'000};  // From its last byte on.
    int at_once = 2;                             // Of one app.
};

// What the routes of one app have in common.
struct Desk {
    std::shared_ptr<const ModelPlan> plan;
    std::function<postgres::Pool*()> pool;  // Of the app's database; null while there is none.
    Secret cursor_key;
    std::shared_ptr<Feed> feed;
    std::string fingerprint;  // Of the model.
    ImportLimits imports;
    std::shared_ptr<Turns> importing = std::make_shared<Turns>();
};

// One request for one collection.
struct Asked {
    const Desk& desk;
    const CollectionPlan& collection;
    const View& view;
    postgres::Pool& pool;
    postgres::Acting acting;
    const http::Request& request;
    http::Call& call;

    const Model& model() const { return *desk.plan->model; }
    Reader reader() const { return {*desk.plan, collection, view}; }
};

struct Answered {
    Result<postgres::Rows> rows;
    postgres::Refusal refusal;
};

// What a request comes to: one statement, and the answer that its rows become; or an answer without asking.
// Defer: more than one statement is needed, so the caller must be one who may wait.
struct Question {
    Sql sql;
    std::function<http::Reply(Asked&, const Answered&)> answer;
};
using Step = std::variant<http::Reply, Question, http::Defer>;

// Asks, waits, answers.
http::Reply answer_now(Asked& asked, Step step);
// Asks in the lane of the call; what cannot be asked there is deferred.
http::Response answer_later(std::shared_ptr<Asked> asked, Step step);

// One statement in the caller's name: a transaction by itself, or part of the one that the call has. What the
// server asks to run again runs again.
Answered run(Asked& asked, const Sql& sql);

// Within the call's transaction, which goes on after a refusal (Transaction::attempt).
Answered attempt(Asked& asked, const Sql& sql);

// The answer that is a problem; `rule` is for `integreat why`.
http::Reply refuse(Asked& asked, http::Problem problem, std::string rule);
http::Reply refuse_mistakes(Asked& asked, Mistakes mistakes, const char* where);
http::Reply refuse_missing(Asked& asked);
http::Reply refuse_forbidden(Asked& asked, std::string detail, std::string rule);

// Where a record stands in the body, for mistakes: {"#/17", "#/17/"}, {"line 17", "line 17, "}.
struct Place {
    std::string record;        // Empty: the body is the record.
    std::string field = "#/";  // Before the name of a field.
};

// What the database refused, in the words of the collection; nothing if that is not for the caller to mend.
struct RefusalTold {
    http::Problem problem;
    std::string rule;
};
std::optional<RefusalTold> told_of(const Asked& asked, const Answered& answered, const Place& place);

http::Reply refuse_statement(Asked& asked, const Answered& answered, const Place& place = {});

// A record as the caller sees it at this moment; nothing if they may not read it.
struct Seen {
    std::int64_t version = 0;
    std::string state;
};
struct Looked {
    std::optional<Seen> seen;
    std::optional<http::Reply> trouble;
};
Looked look(Asked& asked, const std::string& id);

// The parsed body; a problem if it is no JSON.
struct Body {
    boost::json::value value;
    std::optional<http::Reply> trouble;
};
Body parse_body(Asked& asked);

http::Reply json_reply(int status, std::string body);
std::string etag_of(std::string_view version);

}  // namespace integreat::collections
