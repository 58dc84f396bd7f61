// SPDX-License-Identifier: Apache-2.0
// Which API and which operation a request means. Its head says it in one of many ways: the service in a
// credential's scope, X-Amz-Target, a path, the host name; only the query protocol keeps it in the body.
#pragma once

#include "cloud/aws/core/frontend.h"
#include "cloud/aws/core/operation_context.h"

namespace integreat::cloud {

// Sets api, bucket, key and query of the exchange, and the operation unless the body has to tell it. An
// error is the protocol's for an operation that is not there, or for a target that cannot be read.
std::optional<AwsError> find_addressee(Exchange& exchange, std::string_view signed_service);

// The body of the query protocol is here: its form and its operation.
std::optional<AwsError> read_form(Exchange& exchange);

}  // namespace integreat::cloud
