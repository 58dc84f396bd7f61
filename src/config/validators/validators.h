// SPDX-License-Identifier: Apache-2.0
// Validators of names, addresses and patterns in the configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace integreat::config {

// An error that completes a sentence ("url must start with http:// or https://"), or nothing.
using CheckResult = std::optional<std::string>;

// Checks the name of an app, an upstream or a route: "campus". It becomes part of URLs, database names and
// labels.
CheckResult check_slug(std::string_view text);
inline constexpr std::string_view slug_pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$";

// Checks the value of the custom claim "role" in a token: "church_admin".
CheckResult check_role(std::string_view text);
inline constexpr std::string_view role_pattern = "^[a-z][a-z0-9_-]{0,39}$";

// Checks the scope of an API key: "orders:read".
CheckResult check_scope(std::string_view text);
inline constexpr std::string_view scope_pattern = "^[a-z][a-z0-9_.:-]{0,63}$";

// Checks the name of a collection, field, state or transition: "tuition_fee". It becomes part of SQL, URLs
// and programs.
CheckResult check_identifier(std::string_view text);
inline constexpr std::string_view identifier_pattern = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$";
inline constexpr std::size_t max_identifier_length = 50;

// Checks a Firebase project ID of 6 to 30 characters
// (https://cloud.google.com/resource-manager/docs/creating-managing-projects).
CheckResult check_project(std::string_view text);
inline constexpr std::string_view project_pattern = "^[a-z][a-z0-9-]{4,28}[a-z0-9]$";

// Checks a prefix of keys in a bucket: "announcements/2026/".
CheckResult check_file_prefix(std::string_view text);
inline constexpr std::string_view file_prefix_pattern = "^([a-z0-9][a-z0-9_-]*/)+$";
inline constexpr std::size_t max_file_prefix_length = 200;

// Checks an origin as browsers send it (RFC 6454 section 6.2), or localhost with any port:
// "http://localhost:*".
CheckResult check_origin(std::string_view text);

// Checks a header field name (RFC 9110 section 5.1).
CheckResult check_header_name(std::string_view text);

// Checks an IPv4 or IPv6 address; `check_network` also accepts a prefix length: "10.0.0.0/8".
CheckResult check_address(std::string_view text);
CheckResult check_network(std::string_view text);

// The components of "http://127.0.0.1:9301/base".
struct Url {
    bool secure = false;
    std::string host;  // Lower case, without brackets.
    std::uint16_t port = 0;
    std::string path;  // Empty or "/base", without a trailing slash.
};
struct UrlResult {
    Url url;
    CheckResult error;
};
// Parses a URL without credentials, query and fragment, which could not be applied to other paths.
UrlResult parse_url(std::string_view text);
CheckResult check_url(std::string_view text);
// Checks for https, or http to this machine: the resource decides which tokens are trusted.
CheckResult check_trusted_url(std::string_view text);

// Checks a postgresql:// URL or a libpq connection string.
CheckResult check_database_url(std::string_view text);

// Checks a path of literal segments, parameters, and an optional rest as last segment:
// "/students/{id}/files/{rest...}".
CheckResult check_path(std::string_view text);
// Checks the target at an upstream: a path, or "/".
CheckResult check_target(std::string_view text);
// Returns the names of the parameters: "id", "rest".
std::vector<std::string_view> path_parameters(std::string_view path);
// Returns the path without parameter names: equal for paths that match the same requests.
std::string path_shape(std::string_view path);

}  // namespace integreat::config
