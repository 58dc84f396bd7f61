// SPDX-License-Identifier: Apache-2.0
#include "cloud/s3/operations/write_transaction.h"

#include "cloud/s3/store/queries.h"

namespace integreat::s3 {

AwsResult<> run_write_transaction(S3& s3, const std::function<AwsResult<>(WriteBatch&)>& write) {
    std::optional<AwsError> refused;
    auto committed = commit(*s3.storage, [&](WriteBatch& batch) -> Result<> {
        auto written = write(batch);
        if (written) return {};
        refused = std::move(written).error();
        return Error{Fault::conflict, "refused"};
    });
    if (refused) return *std::move(refused);
    if (!committed) return to_aws_error(committed.error());
    return {};
}

AwsResult<> update_bucket(S3& s3, const Bucket& bucket,
                          const std::function<AwsResult<>(WriteBatch&)>& write) {
    auto changed = run_write_transaction(s3, write);
    invalidate_bucket(*s3.storage, bucket.name);
    return changed;
}

void publish_event(S3& s3, std::string_view event, const Bucket& bucket, const Version& version) {
    if (!s3.on_event) return;
    s3.on_event({.name = std::string(event),
                 .at = s3.storage->clock.now(),
                 .bucket = bucket.name,
                 .key = version.key,
                 .version = version.version,
                 .etag = version.etag,
                 .size = version.size,
                 .sequence = version.sequence});
}

}  // namespace integreat::s3
