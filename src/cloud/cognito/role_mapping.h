// SPDX-License-Identifier: Apache-2.0
// Which role an identity gets: the pool's default, the one its token names, or the one a rule gives
// ("Using role-based access control" of the Cognito developer guide). Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "cloud/aws/core/aws_error.h"

namespace integreat::cognito {

inline constexpr std::size_t rules_max = 25;

// "Roles" and "RoleMappings" of a request, checked whole.
cloud::Outcome<boost::json::object> read_roles(const boost::json::object& body);
// Each ARN in them, once.
std::vector<std::string> role_arns(const boost::json::object& roles);

struct RoleQuestion {
    const boost::json::object& roles;  // Of the pool.
    std::string provider;              // Whose token it is; empty for an unauthenticated identity.
    const boost::json::object& claims;
    std::string custom_role;  // CustomRoleArn; empty for none.
};
// The role's ARN; empty if the pool has none for it. An error if the mapping denies.
cloud::Outcome<std::string> choose_role(const RoleQuestion& question);

// Session tags from claims: the pool's map for the provider, or none.
std::map<std::string, std::string> principal_tags(const boost::json::object& maps,
                                                  const std::string& provider,
                                                  const boost::json::object& claims);

}  // namespace integreat::cognito
