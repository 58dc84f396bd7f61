// SPDX-License-Identifier: Apache-2.0
// Commands that ask a running gateway, through the same admin routes that the console and scripts use. Where
// it is and who we are: --gateway and INTEGREAT_OPERATOR_TOKEN (an API key of the platform, or an operator's
// ID token), or else the `integreat dev` of the data folder.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "http/transport/client.h"
#include "json/binding/reader.h"

namespace integreat::cli {

struct AdminOptions {
    std::filesystem::path data = ".integreat";
    std::string gateway;  // "https://gateway.example"; empty: the one of the data folder.
    json::Environment environment;
};

struct AdminRequest {
    http::Method method = http::Method::get;
    std::string path;  // "/v1/admin/status"
    std::string body;  // JSON; empty for none.
};

// The body of a 2xx answer. A problem becomes an Error with its detail, no answer Fault::unavailable.
Result<boost::json::value> ask_gateway(const AdminOptions& options, http::Outbound& outbound,
                                       const AdminRequest& request);

// integreat why REQUEST_ID
int why(const AdminOptions& options, const std::string& request_id, std::ostream& out, std::ostream& err);

struct KeyOptions {
    AdminOptions admin;
    std::string app;
    std::string name;
    std::vector<std::string> scopes;
    std::string expires;  // RFC 3339, or a duration such as 90d; empty: never.
    std::string id;
};
int key_create(const KeyOptions& options, std::ostream& out, std::ostream& err);
int key_list(const KeyOptions& options, std::ostream& out, std::ostream& err);
int key_revoke(const KeyOptions& options, std::ostream& out, std::ostream& err);

}  // namespace integreat::cli
