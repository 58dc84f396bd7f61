// SPDX-License-Identifier: Apache-2.0
// Parses XML bodies of S3: an accepted document is within the limits, and writing and parsing it gives it
// again.
#include <cstdlib>

#include "cloud/s3/operations/operations.h"
#include "cloud/s3/protocol/bucket_settings.h"
#include "cloud/s3/protocol/xml.h"
#include "cloud/s3/store/limits.h"

namespace {

using namespace integreat::s3;

std::size_t depth(const Element& element) {
    std::size_t deepest = 0;
    for (const auto& child : element.children)
        deepest = std::max(deepest, depth(child));
    return deepest + 1;
}

bool same(const Element& left, const Element& right) {
    if (left.name != right.name || left.children.size() != right.children.size()) return false;
    if (left.children.empty()) return left.text == right.text;
    for (std::size_t i = 0; i < left.children.size(); ++i) {
        if (!same(left.children[i], right.children[i])) return false;
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    std::string_view text(reinterpret_cast<const char*>(bytes), count);
    for (const char* root : {"CORSConfiguration", "Tagging", "Delete", "CompleteMultipartUpload"}) {
        auto parsed = parse_xml(text, root);
        if (!parsed) continue;
        if (depth(*parsed) > xml_depth_max) std::abort();
        (void)parse_cors(*parsed);
        (void)parse_tag_set(*parsed, object_tags_max);
        auto again = parse_xml(to_xml(*parsed), root);
        if (!again || (!parsed->children.empty() && !same(*parsed, *again))) std::abort();
    }
    return 0;
}
