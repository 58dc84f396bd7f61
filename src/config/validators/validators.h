// SPDX-License-Identifier: Apache-2.0
// What names, addresses and patterns in configuration must look like. Each check returns a complaint that
// completes a sentence ("url must begin with http:// or https://"), or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace integreat::config {

using Complaint = std::optional<std::string>;

// "campus": the name of an app, an upstream or a route. It becomes part of URLs, database names and labels.
Complaint check_slug(std::string_view text);
inline constexpr std::string_view slug_pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";

// "church_admin": the value of the custom claim "role" in a token.
Complaint check_role(std::string_view text);
inline constexpr std::string_view role_pattern = "^[a-z][a-z0-9_-]{0,39}$";

// "orders:read"
Complaint check_scope(std::string_view text);
inline constexpr std::string_view scope_pattern = "^[a-z][a-z0-9_.:-]{0,63}$";

// "tuition_fee": a collection, field, state or transition. It becomes part of SQL, URLs and programs.
Complaint check_identifier(std::string_view text);
inline constexpr std::string_view identifier_pattern = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$";
inline constexpr std::size_t identifier_length_max = 50;

// https://cloud.google.com/resource-manager/docs/creating-managing-projects: 6 to 30 characters.
Complaint check_project(std::string_view text);
inline constexpr std::string_view project_pattern = "^[a-z][a-z0-9-]{4,28}[a-z0-9]$";

// An origin as browsers send it (RFC 6454 section 6.2), or of localhost with any port: "http://localhost:*".
Complaint check_origin(std::string_view text);

// A field name (RFC 9110 section 5.1).
Complaint check_header_name(std::string_view text);

// An IPv4 or IPv6 address; for `check_network` also with a prefix length: "10.0.0.0/8".
Complaint check_address(std::string_view text);
Complaint check_network(std::string_view text);

// The parts of "http://127.0.0.1:9301/base".
struct Url {
    bool secure = false;
    std::string host;  // Lower case, without brackets.
    std::uint16_t port = 0;
    std::string path;  // Empty or "/base", no slash at the end.
};
struct UrlReading {
    Url url;
    Complaint complaint;
};
// Without credentials, query and fragment: none of them could be honoured for another path.
UrlReading read_url(std::string_view text);
Complaint check_url(std::string_view text);
// https, or http to this machine: what is fetched there decides who is believed.
Complaint check_trusted_url(std::string_view text);

// A postgresql:// URL or a libpq connection string, without a password unless it comes from elsewhere.
Complaint check_database_url(std::string_view text);

// "/students/{id}/files/{rest...}": literal segments, parameters, and a rest at most as the last one.
Complaint check_path(std::string_view text);
// The same for what is asked of an upstream, which may also be its root.
Complaint check_target(std::string_view text);
std::vector<std::string_view> parameters_of(std::string_view path);
// The same text for paths that match the same requests: "/students/{}/files/{...}".
std::string shape_of(std::string_view path);

}  // namespace integreat::config
