// SPDX-License-Identifier: Apache-2.0
// Parses one statement of a policy document.
#pragma once

#include "policy/document/parse_context.h"

namespace integreat::policy {

Statement parse_statement(ParseContext& context, const ValueLocation& location);

}  // namespace integreat::policy
