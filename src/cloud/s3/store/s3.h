// SPDX-License-Identifier: Apache-2.0
// The local S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/): buckets and objects for AWS clients and
// browsers, with the permission checks, conditions and errors of AWS. Unsupported features (encryption at
// rest, storage classes that must be restored, object lock, replication) are refused or documented in the
// table of operations; nothing is silently ignored.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cloud/aws/core/operation.h"
#include "cloud/s3/store/storage.h"

namespace integreat::s3 {

// A committed change of an object.
struct Event {
    std::string name;  // "ObjectCreated:Put", "ObjectRemoved:DeleteMarkerCreated"
    Time at;
    std::string bucket;
    std::string key;
    std::string version;  // Empty if the bucket does not keep versions.
    std::string etag;
    std::uint64_t size = 0;
    std::int64_t sequence = 0;  // Increases from event to event of a key.
};

struct S3 {
    std::unique_ptr<Storage> storage;
    std::string account = "000000000000";
    std::string region = "us-east-1";
    // Called after the commit on the thread of the request; must not block. May be empty.
    std::function<void(const Event&)> on_event = {};
};

}  // namespace integreat::s3
