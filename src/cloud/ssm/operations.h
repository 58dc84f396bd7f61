// SPDX-License-Identifier: Apache-2.0
// The operations of the SSM Parameter Store.
#pragma once

#include <vector>

#include "cloud/ssm/ssm.h"

namespace integreat::ssm {

cloud::Api api(Ssm& ssm);
std::vector<cloud::OperationDoc> operations();

}  // namespace integreat::ssm
