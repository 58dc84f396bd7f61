// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/authorize.h"

namespace integreat::gateway {

bool authorize_caller(PipelineContext& context) {
    const auto& request_context = context.request_context;
    auto rejection = authorize(*request_context.route, request_context.principal.get());
    return rejection ? reject(context, "authorize", *std::move(rejection)) : true;
}

}  // namespace integreat::gateway
