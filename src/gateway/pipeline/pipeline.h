// SPDX-License-Identifier: Apache-2.0
// The request pipeline: one list of stages, read from top to bottom, in pipeline.cpp. A stage blocks only if
// the transport has set RequestContext::may_block.
#pragma once

#include "gateway/stages/gateway.h"
#include "http/transport/application.h"

namespace integreat::gateway {

http::Application make_application(Gateway& gateway);

}  // namespace integreat::gateway
