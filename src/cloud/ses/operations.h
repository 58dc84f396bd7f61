// SPDX-License-Identifier: Apache-2.0
// The operations of SES v2 and the internal routes of its outbox.
#pragma once

#include <vector>

#include "cloud/ses/ses.h"

namespace integreat::ses {

cloud::Api api(Ses& ses);
std::vector<cloud::OperationDoc> operations();
// Returns the routes GET and DELETE /_integreat/outbox.
std::vector<cloud::InternalRoute> internal_routes(Ses& ses);

}  // namespace integreat::ses
