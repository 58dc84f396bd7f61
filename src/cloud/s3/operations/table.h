// SPDX-License-Identifier: Apache-2.0
// The table of operations with their documentation (docs/reference/local-cloud.md), and the mapping from
// requests to them.
#pragma once

#include <memory>
#include <string>

#include "cloud/aws/core/operation.h"
#include "cloud/s3/store/s3.h"

namespace integreat::s3 {

// Opens the S3 data in `folder`, which only one process may use at a time.
Result<std::unique_ptr<S3>> open_s3(const std::string& folder, const Clock& clock, Random& random);

// Returns the operations for the frontend. `s3` must outlive them.
cloud::Api api(S3& s3);

}  // namespace integreat::s3
