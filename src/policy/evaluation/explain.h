// SPDX-License-Identifier: Apache-2.0
// Explains decisions: in detail ("integreat iam explain"), and as the message of AWS's AccessDenied, which
// people search for.
#pragma once

#include <string>

#include "policy/evaluation/evaluate.h"

namespace integreat::policy {

// Explains a decision: "Denied: no identity-based policy of arn:… allows s3:PutObject on arn:…. Statement 2
// of
// \"Writers\" would, but its condition …". For an implicit deny it lists the statements that nearly applied
// and the element that did not match.
std::string explain(const Request& request, const Policies& policies, const Decision& decision);

// Explains an unsatisfied condition: the expected and the actual values.
std::string explain(const Condition& condition, const Context& context);

// "User: arn:… is not authorized to perform: s3:PutObject on resource: …". For denied requests only.
std::string access_denied_message(const Request& request, const Decision& decision);

}  // namespace integreat::policy
