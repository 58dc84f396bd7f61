// SPDX-License-Identifier: Apache-2.0
// A document that is the same for every caller: rendered, compressed and hashed once per snapshot, and sent
// without a copy. Clients revalidate it by its ETag (RFC 9110 section 8.8.3), which differs per content
// coding.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/concurrency/synchronized.h"
#include "http/message/message.h"

namespace integreat::gateway {

struct SharedDocument {
    std::shared_ptr<const std::string> identity, gzip;
    std::string hash;  // Part of the ETags.
};

SharedDocument make_shared_document(std::string text);

// Returns the document in the coding that the client accepts, or 304 if it has it already. `headers` are
// those of the 200, with its Content-Type.
http::FullResponse make_document_response(const SharedDocument& document, const http::Request& request,
                                          http::Headers headers);

// The document of the current snapshot.
class DocumentCache {
public:
    std::optional<SharedDocument> find(std::uint64_t generation);
    // Renders the document, which takes milliseconds.
    SharedDocument render(std::uint64_t generation, const std::function<std::string()>& render_text);

private:
    struct Entry {
        std::uint64_t generation = 0;
        SharedDocument document;
    };
    Synchronized<Entry> entry_;
};

}  // namespace integreat::gateway
