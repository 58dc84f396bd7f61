// SPDX-License-Identifier: Apache-2.0
// What can be done with the records of a collection, in the caller's name (docs/data.md, "On the wire"). Each
// takes the request apart, asks the database once, and renders what it said: what may be done is decided
// there.
#pragma once

#include "services/collections/api/operation.h"

namespace integreat::collections {

Step list_records(Asked& asked);
Step get_record(Asked& asked);
Step aggregate_records(Asked& asked);

http::Reply record_history(Asked& asked);

Step create_records(Asked& asked);  // One, or a list of them: all or none.
http::Reply patch_record(Asked& asked);
http::Reply delete_record(Asked& asked);
http::Reply carry_out(Asked& asked, const Transition& transition);

}  // namespace integreat::collections
