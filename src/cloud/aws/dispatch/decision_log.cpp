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

void DecisionLog::add(CloudDecision decision) {
    std::vector<std::pair<std::string_view, std::string>> fields{
        {"request", decision.request_id},
        {"operation", decision.service + ":" + decision.operation},
        {"code", decision.code},
        {"caller", decision.caller}};
    if (!decision.part.empty()) fields.emplace_back("part", decision.part);
    for (const auto& verdict : decision.verdicts) {
        if (!verdict.allowed) fields.emplace_back("policy", verdict.reason);
    }
    if (!decision.cause.empty()) fields.emplace_back("cause", decision.cause);
    log({.level = decision.status >= 500 ? Level::error : Level::info,
         .message = "the local cloud refused a request",
         .fields = std::move(fields)});

    auto kept = std::make_shared<const CloudDecision>(std::move(decision));
    auto ring = ring_.lock();
    if (ring->all.size() < count_max_) {
        ring->all.push_back(kept);
    } else {
        auto& oldest = ring->all[ring->next];
        ring->by_id.erase(oldest->request_id);
        oldest = kept;
        ring->next = (ring->next + 1) % count_max_;
    }
    ring->by_id.emplace(kept->request_id, kept);
}

std::optional<CloudDecision> DecisionLog::find(std::string_view request_id) {
    auto ring = ring_.lock();
    auto found = ring->by_id.find(request_id);
    if (found == ring->by_id.end()) return std::nullopt;
    return *found->second;
}

std::size_t DecisionLog::size() {
    return ring_.lock()->all.size();
}

CloudDecision decision_of(const Exchange& exchange, const AwsError& error, Time now) {
    const auto& who = exchange.caller.who;
    return {.request_id = exchange.call.id.text,
            .time = now,
            .service = exchange.api ? exchange.api->name : std::string(),
            .operation = exchange.operation ? std::string(exchange.operation->about.name) : std::string(),
            .method = std::string(http::to_string(exchange.request.method)),
            .path = std::string(exchange.request.path().substr(0, path_bytes_max)),
            .status = error.status,
            .code = error.code,
            .message = error.message,
            .caller = who.arn.empty() ? "anonymous" : who.arn,
            .access_key_id = exchange.caller.access_key_id,
            .part = exchange.part,
            .cause = error.cause,
            .verdicts = exchange.verdicts};
}

std::string explain(const CloudDecision& decision) {
    std::string text = decision.method + " " + decision.path + " (" + decision.service + ":" +
                       decision.operation + ") at " + format_rfc3339(decision.time) + "\n";
    text +=
        "answered " + std::to_string(decision.status) + " " + decision.code + ": " + decision.message + "\n";
    text += "caller: " + decision.caller;
    if (!decision.access_key_id.empty()) text += ", access key " + decision.access_key_id;
    text += "\n";
    if (!decision.part.empty()) text += "authentication: " + decision.part + "\n";
    for (const auto& verdict : decision.verdicts) {
        text += std::string(verdict.allowed ? "allowed " : "denied  ") + verdict.action + " on " +
                verdict.resource + ": " + verdict.reason + "\n";
    }
    if (!decision.cause.empty()) text += "cause: " + decision.cause + "\n";
    return text;
}

std::string decision_json(const CloudDecision& decision) {
    boost::json::array verdicts;
    for (const auto& verdict : decision.verdicts) {
        verdicts.push_back({{"allowed", verdict.allowed},
                            {"action", verdict.action},
                            {"resource", verdict.resource},
                            {"reason", verdict.reason}});
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
                                                      {"authentication", decision.part},
                                                      {"cause", decision.cause},
                                                      {"verdicts", std::move(verdicts)},
                                                      {"explanation", explain(decision)}});
}

}  // namespace integreat::cloud
