// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline/target.h"

#include "http/routing/target.h"

namespace integreat::gateway {

bool require_unambiguous_target(PipelineContext& context) {
    auto checked = http::check_target(context.request.target);
    if (checked) return true;
    const auto& message = checked.error().message;
    return reject(context, "target", make_rejection(http::ProblemType::malformed_target, message, message));
}

}  // namespace integreat::gateway
