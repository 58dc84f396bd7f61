// SPDX-License-Identifier: Apache-2.0
// Any bytes as JSON. What the strict parser accepts, Boost's own must accept too, and what is written from it
// must be read as the same value.
#include <boost/json.hpp>

#include "json/value/parse.h"

using namespace integreat;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(bytes), size);
    auto parsed = json::parse(text);
    if (!parsed) {
        ASSERT(parsed.error().fault == Fault::invalid && !parsed.error().message.empty());
        return 0;
    }
    boost::json::error_code code;
    boost::json::parse(text, code);
    ASSERT(!code);
    auto written = boost::json::serialize(*parsed);
    auto again = json::parse(written, {.bytes_max = std::string::npos});
    ASSERT(again && *again == *parsed);
    return 0;
}
