// SPDX-License-Identifier: Apache-2.0
// Write transactions of S3 operations and the events they publish.
#pragma once

#include <functional>
#include <string_view>

#include "cloud/s3/protocol/errors.h"
#include "cloud/s3/store/s3.h"

namespace integreat::s3 {

// Runs `write` in a transaction of SQLite's single writer. An error returned by `write` rolls back its own
// changes only.
AwsResult<> run_write_transaction(S3& s3, const std::function<AwsResult<>(WriteBatch&)>& write);
// Like run_write_transaction, for changes of the bucket itself; invalidates the cached bucket.
AwsResult<> update_bucket(S3& s3, const Bucket& bucket, const std::function<AwsResult<>(WriteBatch&)>& write);

// Calls S3::on_event after a commit.
void publish_event(S3& s3, std::string_view event, const Bucket& bucket, const Version& version);

}  // namespace integreat::s3
