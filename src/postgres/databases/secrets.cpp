// SPDX-License-Identifier: Apache-2.0
#include "postgres/databases/secrets.h"

#include <array>

namespace integreat::postgres {

Result<Secret> get_or_create_secret(Pool& platform, const std::string& name, Random& random,
                                    Monotonic deadline) {
    std::array<std::byte, shared_secret_bytes> bytes;
    random.fill(bytes);
    auto proposed = bytea({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    TRY(platform.run(
        platform_tenant, deadline,
        "INSERT INTO integreat.secrets (name, secret) VALUES ($1, $2::bytea) ON CONFLICT DO NOTHING",
        {name, proposed}));
    auto rows = TRY(platform.run(platform_tenant, deadline,
                                 "SELECT secret FROM integreat.secrets WHERE name = $1", {name}));
    ASSERT(rows.size() == 1);
    return Secret(rows.bytes(0, 0));
}

}  // namespace integreat::postgres
