// SPDX-License-Identifier: Apache-2.0
// A client for the admin API of a running gateway, which the console and scripts use as well. The gateway and
// the credentials are given by --gateway and INTEGREAT_OPERATOR_TOKEN (an API key of the platform, or an
// operator's ID token); the default is the running `integreat dev` of the data folder.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include "http/transport/client.h"
#include "json/binding/reader.h"

namespace CLI {
class App;
}

namespace integreat::cli {

struct AdminOptions {
    std::filesystem::path data = ".integreat";
    std::string gateway;  // "https://gateway.example"; empty: the running `integreat dev`.
    json::Environment environment;
};

// Adds --data and --gateway.
void add_admin_options(CLI::App& command, AdminOptions& options);

struct AdminRequest {
    http::Method method = http::Method::get;
    std::string path;  // "/v1/admin/status"
    std::string body;  // JSON; empty for none.
};

// Sends a request and returns the body of a 2xx response. A problem response becomes an Error with its
// detail; without a response the fault is Fault::unavailable.
Result<boost::json::value> call_admin_api(const AdminOptions& options, http::HttpClient& http_client,
                                          const AdminRequest& request);

// Returns a string member of a JSON object; empty if it is absent.
std::string get_string(const boost::json::object& object, const char* name);

}  // namespace integreat::cli
