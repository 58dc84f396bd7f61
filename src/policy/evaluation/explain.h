// SPDX-License-Identifier: Apache-2.0
// Decisions in sentences: for people who wonder why ("integreat iam explain"), and in the words of AWS's
// AccessDenied, which they search for.
#pragma once

#include <string>

#include "policy/evaluation/evaluate.h"

namespace integreat::policy {

// "Denied: no identity-based policy of arn:… allows s3:PutObject on arn:…. Statement 2 of \"Writers\" would,
// but its condition …": what decided and, of an implicit deny, which statements came close and what was in
// their way.
std::string explain(const Request& request, const Policies& policies, const Decision& decision);

// What a condition that does not hold wanted, and what the request has.
std::string explain(const Condition& condition, const Context& context);

// "User: arn:… is not authorized to perform: s3:PutObject on resource: …". Of a decision that denies.
std::string access_denied_message(const Request& request, const Decision& decision);

}  // namespace integreat::policy
