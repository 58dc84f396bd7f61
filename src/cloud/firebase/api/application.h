// SPDX-License-Identifier: Apache-2.0
// The HTTP application of the local Firebase Auth: API keys, "Bearer owner", CORS and the error format of
// Google APIs.
#pragma once

#include "cloud/firebase/tokens/auth.h"
#include "http/transport/application.h"

namespace integreat::firebase {

// Builds the application for a listener on a loopback address. `auth` must outlive it.
http::Application application(Auth& auth);

}  // namespace integreat::firebase
