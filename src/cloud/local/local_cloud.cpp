// SPDX-License-Identifier: Apache-2.0
#include "cloud/local/local_cloud.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cloud/iam/simulation.h"
#include "http/routing/router.h"

namespace integreat::cloud {

namespace {

http::Reply json_reply(int status, const boost::json::object& body) {
    http::Reply reply{.status = status, .body = boost::json::serialize(body)};
    reply.headers.set("Content-Type", "application/json");
    return reply;
}

// GET /_integreat/iam/explain?principal=…&action=…&resource=…, for `integreat iam explain`.
http::Reply explain_permission(const iam::Iam& iam, const http::Request& request) {
    auto query = http::parse_query(request.query());
    iam::Question question;
    for (const auto& [name, value] : query ? *query : Parameters()) {
        if (name == "principal") question.principal = value;
        if (name == "action") question.action = value;
        if (name == "resource") question.resource = value;
    }
    if (question.principal.empty() || question.action.empty() || question.resource.empty()) {
        return json_reply(400, {{"message", "principal, action and resource are needed"}});
    }
    auto explained = iam::explain_permission(iam, question);
    if (!explained) return json_reply(404, {{"message", std::move(explained).error().message}});
    return json_reply(200, {{"allowed", explained->allowed}, {"explanation", explained->text}});
}

void add_local_routes(LocalCloud& cloud) {
    auto& routes = cloud.front.local_routes;
    for (auto& route : ses::local_routes(*cloud.ses))
        routes.push_back(std::move(route));
    auto& iam = *cloud.iam;
    routes.push_back(
        {http::Method::get, "iam/explain", [&iam](const http::Request& request, std::string_view) {
             return explain_permission(iam, request);
         }});
    routes.push_back({http::Method::get, "health", [](const http::Request&, std::string_view) {
                          return json_reply(200, {{"ready", true}});
                      }});
}

}  // namespace

Result<std::unique_ptr<LocalCloud>> open_local_cloud(LocalCloudSettings settings, const CloudWorld& world) {
    auto records = TRY(Records::open(settings.folder));
    auto account = settings.front.account;
    auto region = settings.front.region;
    auto iam = TRY(iam::Iam::open(*records, account, world.clock, world.random));
    auto tokens = std::make_unique<oidc::LoginTokens>(settings.logins, world.outbound, world.clock);
    auto cognito = TRY(cognito::Cognito::open(*records, *iam, *tokens, region));
    auto sts = std::make_unique<sts::Sts>(sts::Sts{*iam, *tokens});
    auto ssm = TRY(ssm::Ssm::open(*records, region, account, iam->sealing_key(), world.clock, world.random));
    auto ses = TRY(ses::Ses::open(*records, region, account, world.clock, world.random));
    auto s3 = TRY(s3::open_s3(settings.folder + "/s3", world.clock, world.random));
    s3->account = account;
    s3->region = region;
    auto front = make_front(std::move(settings.front), world.clock, world.random);
    front.find_credentials = [&keys = *iam](std::string_view id, std::string_view token) {
        return iam::find_credentials(keys, id, token);
    };
    front.apis = {cognito::api(*cognito), sts::api(*sts), iam::api(*iam),
                  s3::api(*s3),           ses::api(*ses), ssm::api(*ssm)};
    std::unique_ptr<LocalCloud> cloud(new LocalCloud{.records = std::move(records),
                                                     .iam = std::move(iam),
                                                     .tokens = std::move(tokens),
                                                     .cognito = std::move(cognito),
                                                     .sts = std::move(sts),
                                                     .ssm = std::move(ssm),
                                                     .ses = std::move(ses),
                                                     .s3 = std::move(s3),
                                                     .front = std::move(front),
                                                     .application = {}});
    add_local_routes(*cloud);
    cloud->application = application(cloud->front);
    return cloud;
}

std::string credentials_file(const LocalCloud& cloud) {
    auto key = cloud.iam->root_key();
    return "[default]\naws_access_key_id = " + key->id + "\naws_secret_access_key = " + key->secret.reveal() +
           "\nregion = " + cloud.front.settings.region + "\n";
}

}  // namespace integreat::cloud
