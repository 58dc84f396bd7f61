// SPDX-License-Identifier: Apache-2.0
// Maps the caller's app role to a Postgres role and the caller's uid, for SET ROLE in each transaction.
// Row-level security decides by these two and by nothing else.
#pragma once

#include <string>

#include "base/id.h"
#include "base/principal.h"
#include "http/routing/request_context.h"
#include "postgres/driver/pool.h"
#include "services/collections/model.h"

namespace integreat::collections {

// Returns "tenant_campus__registrar". A name longer than the 63 bytes of a Postgres identifier is truncated
// and made unique by a hash.
std::string database_role(const TenantId& app, std::string_view role);

// Returns the caller's app role: a user's role claim or an API key's scope "role:x" if the app defines that
// role, otherwise role_none; role_anonymous without a principal.
std::string caller_role(const Model& model, const Principal* principal);

// For the round trip of Pool::query_as and Transaction::set_role.
postgres::RoleContext make_role_context(const Model& model, const http::RequestContext& call);
// The same where the database's role is known already.
postgres::RoleContext make_role_context(const std::string& role, const http::RequestContext& call);

}  // namespace integreat::collections
