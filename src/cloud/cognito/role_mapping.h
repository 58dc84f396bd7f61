// SPDX-License-Identifier: Apache-2.0
// Role mapping of identity pools: an identity gets the pool's default role, the role named in its token, or
// the role of a matching rule ("Using role-based access control" in the Cognito developer guide). Pure
// functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "cloud/aws/core/aws_error.h"

namespace integreat::cognito {

inline constexpr std::size_t rules_max = 25;

// Parses and validates "Roles" and "RoleMappings" of a request.
cloud::AwsResult<boost::json::object> parse_roles(const boost::json::object& body);
// Returns the distinct role ARNs in the roles and mappings.
std::vector<std::string> role_arns(const boost::json::object& roles);

struct RoleRequest {
    const boost::json::object& roles;  // Roles and mappings of the pool.
    std::string provider;              // Provider of the login token; empty for an unauthenticated identity.
    const boost::json::object& claims;
    std::string custom_role;  // CustomRoleArn; empty for none.
};
// Returns the ARN of the role, empty if the pool has none; an error if the mapping denies access.
cloud::AwsResult<std::string> resolve_role(const RoleRequest& request);

// Returns the session tags made from claims by the pool's map for the provider; empty without a map.
std::map<std::string, std::string> principal_tags(const boost::json::object& maps,
                                                  const std::string& provider,
                                                  const boost::json::object& claims);

}  // namespace integreat::cognito
