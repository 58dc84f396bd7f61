// SPDX-License-Identifier: Apache-2.0
// XML bodies of S3: whatever is accepted is within the limits, and what is written of it reads the same.
#include <cstdlib>

#include "cloud/s3/operations/cors.h"
#include "cloud/s3/store/limits.h"
#include "cloud/s3/operations/operations.h"
#include "cloud/s3/protocol/xml.h"

namespace {

using namespace integreat::s3;

std::size_t depth_of(const Element& element) {
    std::size_t deepest = 0;
    for (const auto& child : element.children)
        deepest = std::max(deepest, depth_of(child));
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
        if (depth_of(*parsed) > xml_depth_max) std::abort();
        (void)read_cors(*parsed);
        (void)read_tag_set(*parsed, object_tags_max);
        auto again = parse_xml(to_xml(*parsed), root);
        if (!again || (!parsed->children.empty() && !same(*parsed, *again))) std::abort();
    }
    return 0;
}
