// SPDX-License-Identifier: Apache-2.0
#include "cloud/local/local_cloud.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cloud/aws/dispatch/application.h"
#include "cloud/iam/sessions.h"
#include "cloud/iam/simulation.h"
#include "cloud/s3/operations/table.h"
#include "cloud/ses/operations.h"
#include "cloud/ssm/operations.h"
#include "http/routing/target.h"

namespace integreat::cloud {

namespace {

http::FullResponse json_response(int status, const boost::json::object& body) {
    http::FullResponse response{.status = status, .body = boost::json::serialize(body)};
    response.headers.set("Content-Type", "application/json");
    return response;
}

// GET /_integreat/iam/explain?principal=…&action=…&resource=…, for `integreat iam explain`.
http::FullResponse explain_permission(const iam::Iam& iam, const http::Request& request) {
    auto parameters = http::parse_query(request.query());
    iam::PermissionQuery query;
    for (const auto& [name, value] : parameters ? *parameters : Parameters()) {
        if (name == "principal") query.principal = value;
        if (name == "action") query.action = value;
        if (name == "resource") query.resource = value;
    }
    if (query.principal.empty() || query.action.empty() || query.resource.empty()) {
        return json_response(
            400, {{"message", "The query parameters principal, action and resource are required."}});
    }
    auto explained = iam::explain_permission(iam, query);
    if (!explained) return json_response(404, {{"message", std::move(explained).error().message}});
    return json_response(200, {{"allowed", explained->allowed}, {"explanation", explained->text}});
}

void add_internal_routes(LocalCloud& cloud) {
    auto& routes = cloud.frontend.internal_routes;
    for (auto& route : ses::internal_routes(*cloud.ses))
        routes.push_back(std::move(route));
    auto& iam = *cloud.iam;
    routes.push_back(
        {http::Method::get, "iam/explain", [&iam](const http::Request& request, std::string_view) {
             return explain_permission(iam, request);
         }});
    routes.push_back({http::Method::get, "health", [](const http::Request&, std::string_view) {
                          return json_response(200, {{"ready", true}});
                      }});
}

}  // namespace

Result<std::unique_ptr<LocalCloud>> open_local_cloud(LocalCloudSettings settings,
                                                     const CloudDependencies& dependencies) {
    auto documents = TRY(DocumentStore::open(settings.folder));
    auto account = settings.frontend.account;
    auto region = settings.frontend.region;
    auto iam = TRY(iam::Iam::open(*documents, account, dependencies.clock, dependencies.random));
    auto tokens =
        std::make_unique<oidc::LoginTokens>(settings.logins, dependencies.http_client, dependencies.clock);
    auto cognito = TRY(cognito::Cognito::open(*documents, *iam, *tokens, region));
    auto sts = std::make_unique<sts::Sts>(sts::Sts{*iam, *tokens});
    auto ssm = TRY(ssm::Ssm::open(*documents, region, account, iam->sealing_key(), dependencies.clock,
                                  dependencies.random));
    auto ses = TRY(ses::Ses::open(*documents, region, account, dependencies.clock, dependencies.random));
    auto s3 = TRY(s3::open_s3(settings.folder + "/s3", dependencies.clock, dependencies.random));
    s3->account = account;
    s3->region = region;
    auto frontend = make_frontend(std::move(settings.frontend), dependencies.clock, dependencies.random);
    frontend.find_credentials = [&keys = *iam](std::string_view id, std::string_view token) {
        return iam::find_credentials(keys, id, token);
    };
    frontend.apis = {cognito::api(*cognito), sts::api(*sts), iam::api(*iam),
                     s3::api(*s3),           ses::api(*ses), ssm::api(*ssm)};
    std::unique_ptr<LocalCloud> cloud(new LocalCloud{.documents = std::move(documents),
                                                     .iam = std::move(iam),
                                                     .tokens = std::move(tokens),
                                                     .cognito = std::move(cognito),
                                                     .sts = std::move(sts),
                                                     .ssm = std::move(ssm),
                                                     .ses = std::move(ses),
                                                     .s3 = std::move(s3),
                                                     .frontend = std::move(frontend),
                                                     .application = {}});
    add_internal_routes(*cloud);
    cloud->application = application(cloud->frontend);
    return cloud;
}

ClientCredentials make_root_credentials(const LocalCloud& cloud) {
    auto key = cloud.iam->root_key();
    return {.access_key_id = key->id, .secret_key = key->secret};
}

std::string render_credentials_file(const LocalCloud& cloud) {
    auto key = cloud.iam->root_key();
    return "[default]\naws_access_key_id = " + key->id + "\naws_secret_access_key = " + key->secret.reveal() +
           "\nregion = " + cloud.frontend.settings.region + "\n";
}

}  // namespace integreat::cloud
