// SPDX-License-Identifier: Apache-2.0
// In whose name the database is asked: the caller's role of the app as a role of the database, and who they
// are. Row-level security decides by these and by nothing else.
#pragma once

#include <string>

#include "base/id.h"
#include "base/principal.h"
#include "config/model/model.h"
#include "http/routing/request_context.h"
#include "postgres/driver/pool.h"

namespace integreat::collections {

// "tenant_campus__registrar"; beyond the 63 bytes of a Postgres identifier, cut and told apart by a hash.
std::string database_role(const TenantId& app, std::string_view role);

// The role of the app that this caller has: a user's claim if the app knows it, a key's scope "role:x", else
// role_none; role_anonymous without a principal.
std::string role_of(const Model& model, const Principal* principal);

// For the round trip of Pool::run_as and Transaction::act_as.
postgres::Acting acting_for(const Model& model, const http::Call& call);
// The same where the database's role is known already.
postgres::Acting acting_as(const std::string& role, const http::Call& call);

}  // namespace integreat::collections
