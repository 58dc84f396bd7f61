// SPDX-License-Identifier: Apache-2.0
// Resolves the API and the operation of a request from its head: the service in the credential scope,
// X-Amz-Target, the path, or the host name. Only the query protocol names the operation in the body.
#pragma once

#include "cloud/aws/core/frontend.h"
#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// Returns the API of this name, or null.
const Api* find_api(const AwsFrontend& frontend, std::string_view name);

// Sets api, bucket, key and query of the context, and the operation unless it is named in the body. Returns
// the protocol's error for an unknown operation or a malformed target.
std::optional<AwsError> resolve_operation(OperationContext& context, std::string_view signed_service);

// Parses the form of a query-protocol body and sets the operation.
std::optional<AwsError> resolve_query_operation(OperationContext& context);

}  // namespace integreat::cloud
