// SPDX-License-Identifier: Apache-2.0
// The table of operations with their documentation (docs/reference/local-cloud.md), and the mapping from
// requests to them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cloud/aws/core/operation.h"
#include "cloud/s3/store/s3.h"

namespace integreat::s3 {

// Opens the S3 data in `folder`, which only one process may use at a time.
Result<std::unique_ptr<S3>> open_s3(const std::string& folder, const Clock& clock, Random& random);

// Returns the operations for the frontend. `s3` must outlive them.
cloud::Api api(S3& s3);

// Creates a bucket unless it exists. For provisioning without signed requests.
Result<> ensure_bucket(S3& s3, const std::string& name);
// Sets a bucket setting: ensure_setting(s3, "a-bucket", "cors", "<CORSConfiguration>…"). The other names are
// "policy", "publicAccessBlock", "encryption", "tagging", "lifecycle", "ownershipControls".
Result<> ensure_setting(S3& s3, const std::string& bucket, std::string_view name,
                        const std::string& document);

}  // namespace integreat::s3
