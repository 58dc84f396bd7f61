// SPDX-License-Identifier: Apache-2.0
// Parses any bytes as JSON: text that the strict parser accepts must be accepted by Boost.JSON too, and a
// serialized value must parse to the same value.
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
    auto again = json::parse(written, {.max_bytes = std::string::npos});
    ASSERT(again && *again == *parsed);
    return 0;
}
