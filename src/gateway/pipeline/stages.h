// SPDX-License-Identifier: Apache-2.0
// The stages of the pipeline. Each looks at one passage, and either lets it go on (true) or leaves the answer
// in it (false). What a stage finds out is in the Call; nothing else is shared between stages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/idempotency/store.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/routing/authorize.h"

namespace integreat::gateway {

// One request on its way.
struct Passage {
    Gateway& gateway;
    const http::Request& request;
    http::Call& call;
    const RoutePlan* plan = nullptr;     // Of call.route.
    const TenantPlan* tenant = nullptr;  // Of the path, also where no route answers.
    std::string allow;                   // Methods of the path, if it has no route for this one.
    std::optional<http::Admission> answer;
    std::optional<http::Later> later;  // In its place, of a handler that was asked with a lane.
};

using Stage = bool (*)(Passage&);

bool number_request(Passage&);
bool require_plain_target(Passage&);
bool find_route(Passage&);
bool answer_cross_origin(Passage&);
bool require_route(Passage&);
bool limit_body(Passage&);
bool identify_caller(Passage&);
bool authorize_caller(Passage&);
bool limit_rate(Passage&);
bool require_acceptable_head(Passage&);
bool dispatch(Passage&);

// For a route that spools its body: leaves where it goes to, or why not now.
void spool_body(Passage&);

// What follows when the body is complete: the stages from require_valid_body on.
http::Response respond(Gateway&, const http::Request&, http::Call&);

bool require_valid_body(Passage&);
bool answer_once(Passage&);
bool run_handler(Passage&);

// Leaves what `work` answers; an exception of it is our mistake and refused as such.
void conclude(Passage& passage, const std::function<http::Response()>& work);

// The parts that most refusals have.
Refusal refusal(int status, const char* type, const char* title, std::string detail, std::string rule);

// Keeps what call.decision says, for `integreat why`.
void keep_decision(Passage&, int status);

// Leaves `refusal` as the answer, keeps it for `integreat why`; false, for the stage to return.
bool refuse(Passage&, std::string_view stage, Refusal refusal);

// The Idempotency-Key of the request if its route honours one: without quotes. Empty: none was sent.
Result<std::string> idempotency_key(const http::Route& route, const http::Headers& headers);

// Whose key it is, and for which request.
Result<gateway::IdempotencyKey> record_of(const http::Request& request, const http::Call& call,
                                          std::string key);

// "user x7Gh", "key key_01", "anonymous".
std::string caller_of(const Principal* principal);

}  // namespace integreat::gateway
