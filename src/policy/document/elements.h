// SPDX-License-Identifier: Apache-2.0
// Parses the elements of a statement that have values: principals, actions, resources, conditions.
#pragma once

#include "policy/document/parse_context.h"

namespace integreat::policy {

void parse_principals(ParseContext& context, const ValueLocation& location, bool is_not,
                      Statement& statement);
void parse_actions(ParseContext& context, const ValueLocation& location, Statement& statement);
void parse_resources(ParseContext& context, const ValueLocation& location, Statement& statement);
void parse_conditions(ParseContext& context, const ValueLocation& location, Statement& statement);

}  // namespace integreat::policy
