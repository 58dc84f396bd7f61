// SPDX-License-Identifier: Apache-2.0
// The local S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/): what AWS's clients and browsers do with
// buckets and objects, with the same permissions asked, the same conditions kept and the same refusals. What
// it does not do (encryption at rest, storage classes that must be restored, object lock, replication) it
// refuses or names in its table of operations; nothing is accepted and forgotten in silence.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cloud/aws/core/operation.h"
#include "cloud/s3/store/storage.h"

namespace integreat::s3 {

// Something happened to an object and is on the disk.
struct Event {
    std::string name;  // "ObjectCreated:Put", "ObjectRemoved:DeleteMarkerCreated"
    Time at;
    std::string bucket;
    std::string key;
    std::string version;  // Empty where versions are not kept.
    std::string etag;
    std::uint64_t size = 0;
    std::int64_t sequence = 0;  // Grows from event to event of a key.
};

struct S3 {
    std::unique_ptr<Storage> storage;
    std::string account = "000000000000";
    std::string region = "us-east-1";
    // Called on the thread that answers, after the commit; must not block. May be empty.
    std::function<void(const Event&)> on_event = {};
};

// Objects and index in `folder`; one process at a time.
Result<std::unique_ptr<S3>> open_s3(const std::string& folder, const Clock& clock, Random& random);

// What the front offers to clients. `s3` must outlive it.
cloud::Api api(S3& s3);

// For those who provision without signing requests. The same again changes nothing.
Result<> ensure_bucket(S3& s3, const std::string& name);
// A setting as its operation takes it: ensure_setting(s3, "a-bucket", "cors", "<CORSConfiguration>…"). Others
// are "policy", "publicAccessBlock", "encryption", "tagging", "lifecycle", "ownershipControls".
Result<> ensure_setting(S3& s3, const std::string& bucket, std::string_view name,
                        const std::string& document);

}  // namespace integreat::s3
