// SPDX-License-Identifier: Apache-2.0
// An in-process client of the local cloud, for code that uses its services as an application does:
// provisioning, stacks, functions. Calls pass through the frontend with a signature, so that permissions and
// the decision log apply to them; there are no sockets, no retries and no second interface of a service.
//
//     Client client(cloud.frontend, make_root_credentials(cloud));
//     auto role = TRY(client.call_query("iam", "GetRole", {{"RoleName", "web"}}));
//     auto arn = role.value("Role/Arn");
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "cloud/aws/client/in_process.h"
#include "cloud/aws/core/aws_error.h"
#include "cloud/aws/core/frontend.h"
#include "formats/xml.h"

namespace integreat::cloud {

// A call of a REST service. The client encodes the path and the query.
struct RestCall {
    std::string service = "s3";  // Or "ses".
    http::Method method = http::Method::get;
    std::string path = "/";  // "/a-bucket/a key", "/v2/email/identities"
    Parameters query = {};   // {{"cors", ""}}
    http::Headers headers = {};
    std::string body = {};
    std::size_t max_response_bytes = 256 * 1024 * 1024;  // Maximum size of the body of the response.
};

// Stateless, so any thread may call it that may block. An error has the status, code, message and details
// that the service sent (also for HEAD, whose body a transport would drop) and, as its cause, the request id
// for `integreat why`. A response without a readable error has the status as its code: "404".
class Client {
public:
    // `frontend` must outlive the client.
    Client(const AwsFrontend& frontend, ClientCredentials credentials);

    // Calls IAM or STS: call_query("iam", "CreateRole", {{"RoleName", "web"}, …}). Returns the element
    // <CreateRoleResult>, without children if the response has none.
    AwsResult<formats::XmlElement> call_query(std::string_view service, std::string_view action,
                                              const Parameters& parameters = {}) const;

    // Calls Cognito Identity or the Parameter Store: call_json("ssm", "GetParameter", {{"Name", "/a"}}).
    AwsResult<boost::json::object> call_json(std::string_view service, std::string_view operation,
                                             const boost::json::object& parameters = {}) const;

    // Calls S3 or SES: call_rest({.method = http::Method::put, .path = "/a-bucket"}). Returns a response with
    // a status below 300.
    AwsResult<http::FullResponse> call_rest(RestCall call) const;

private:
    const AwsFrontend& frontend_;
    http::Application application_;
    ClientCredentials credentials_;
};

}  // namespace integreat::cloud
