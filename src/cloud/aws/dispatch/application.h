// SPDX-License-Identifier: Apache-2.0
// The HTTP application of the AWS frontend: resolves, authenticates and runs requests and renders responses.
#pragma once

#include "cloud/aws/core/frontend.h"

namespace integreat::cloud {

AwsFrontend make_frontend(FrontendSettings settings, const Clock& clock, Random& random);

// Builds the application of one listener. `frontend` must outlive it.
http::Application application(const AwsFrontend& frontend);

}  // namespace integreat::cloud
