// SPDX-License-Identifier: Apache-2.0
#include "cloud/aws/dispatch/decision_log.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/log.h"
#include "cloud/aws/core/operation.h"

namespace integreat::cloud {

namespace {

constexpr std::size_t path_bytes_max = 512;

}  // namespace

void DecisionLog::add(DecisionRecord decision) {
    std::vector<std::pair<std::string_view, std::string>> fields{
        {"request", decision.request_id},
        {"operation", decision.service + ":" + decision.operation},
        {"code", decision.code},
        {"caller", decision.caller}};
    if (!decision.failed_part.empty()) fields.emplace_back("part", decision.failed_part);
    for (const auto& authorization : decision.authorizations) {
        if (!authorization.allowed) fields.emplace_back("policy", authorization.reason);
    }
    if (!decision.cause.empty()) fields.emplace_back("cause", decision.cause);
    log({.level = decision.status >= 500 ? Level::error : Level::info,
         .message = "the local cloud refused a request",
         .fields = std::move(fields)});

    auto kept = std::make_shared<const DecisionRecord>(std::move(decision));
    auto ring = ring_.lock();
    if (ring->records.size() < count_max_) {
        ring->records.push_back(kept);
    } else {
        auto& oldest = ring->records[ring->next];
        ring->by_id.erase(oldest->request_id);
        oldest = kept;
        ring->next = (ring->next + 1) % count_max_;
    }
    ring->by_id.emplace(kept->request_id, kept);
}

std::optional<DecisionRecord> DecisionLog::find(std::string_view request_id) {
    auto ring = ring_.lock();
    auto found = ring->by_id.find(request_id);
    if (found == ring->by_id.end()) return std::nullopt;
    return *found->second;
}

std::size_t DecisionLog::size() {
    return ring_.lock()->records.size();
}

DecisionRecord make_decision_record(const OperationContext& context, const AwsError& error, Time now) {
    const auto& principal = context.caller.principal;
    return {.request_id = context.http_context.id.text,
            .time = now,
            .service = context.api ? context.api->name : std::string(),
            .operation = context.operation ? std::string(context.operation->doc.name) : std::string(),
            .method = std::string(http::to_string(context.request.method)),
            .path = std::string(context.request.path().substr(0, path_bytes_max)),
            .status = error.status,
            .code = error.code,
            .message = error.message,
            .caller = principal.arn.empty() ? "anonymous" : principal.arn,
            .access_key_id = context.caller.access_key_id,
            .failed_part = context.failed_part,
            .cause = error.cause,
            .authorizations = context.authorizations};
}

std::string explain(const DecisionRecord& decision) {
    std::string text = decision.method + " " + decision.path + " (" + decision.service + ":" +
                       decision.operation + ") at " + format_rfc3339(decision.time) + "\n";
    text +=
        "response: " + std::to_string(decision.status) + " " + decision.code + ": " + decision.message + "\n";
    text += "caller: " + decision.caller;
    if (!decision.access_key_id.empty()) text += ", access key " + decision.access_key_id;
    text += "\n";
    if (!decision.failed_part.empty()) text += "authentication: " + decision.failed_part + "\n";
    for (const auto& authorization : decision.authorizations) {
        text += std::string(authorization.allowed ? "allowed " : "denied  ") + authorization.action + " on " +
                authorization.resource + ": " + authorization.reason + "\n";
    }
    if (!decision.cause.empty()) text += "cause: " + decision.cause + "\n";
    return text;
}

std::string decision_json(const DecisionRecord& decision) {
    boost::json::array authorizations;
    for (const auto& authorization : decision.authorizations) {
        authorizations.push_back({{"allowed", authorization.allowed},
                                  {"action", authorization.action},
                                  {"resource", authorization.resource},
                                  {"reason", authorization.reason}});
    }
    return boost::json::serialize(boost::json::object{{"request_id", decision.request_id},
                                                      {"time", format_rfc3339(decision.time)},
                                                      {"service", decision.service},
                                                      {"operation", decision.operation},
                                                      {"method", decision.method},
                                                      {"path", decision.path},
                                                      {"status", decision.status},
                                                      {"code", decision.code},
                                                      {"message", decision.message},
                                                      {"caller", decision.caller},
                                                      {"access_key_id", decision.access_key_id},
                                                      {"authentication", decision.failed_part},
                                                      {"cause", decision.cause},
                                                      {"verdicts", std::move(authorizations)},
                                                      {"explanation", explain(decision)}});
}

}  // namespace integreat::cloud
