// SPDX-License-Identifier: Apache-2.0
// The public access block of a bucket, and what it calls public
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html).
#pragma once

#include "cloud/s3/store/types.h"
#include "policy/document/document.h"

namespace integreat::s3 {

struct PublicAccessBlock {
    bool block_public_acls = true;
    bool ignore_public_acls = true;
    bool block_public_policy = true;
    bool restrict_public_buckets = true;
};
// All four, as for every new bucket since April 2023, unless another was put or it was deleted.
PublicAccessBlock public_access_block_of(const Bucket& bucket);
bool restricts_public(const Bucket& bucket);

// Does it allow anybody, with no condition that ties the request to something known?
bool is_public(const policy::Document& document);

}  // namespace integreat::s3
