// SPDX-License-Identifier: Apache-2.0
// Request targets: a target that check_target accepts must have the same meaning for the router and for any
// upstream.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "http/routing/router.h"
#include "http/routing/target.h"

namespace {

using namespace integreat;

const http::Router& router() {
    static const http::Router built = [] {
        std::vector<http::Route> routes{
            {.pattern = "/", .name = "root"},
            {.pattern = "/v1/apps/campus/me", .name = "me"},
            {.pattern = "/v1/apps/campus/{kind}/{id}", .name = "record"},
            {.method = http::Method::post, .pattern = "/v1/apps/campus/admin/{id}", .name = "admin"},
            {.pattern = "/v1/apps/campus/portal/{rest...}", .name = "portal"},
            {.pattern = "/v1/apps/{app}/{rest...}", .name = "rest"},
        };
        auto result = http::Router::build(std::move(routes));
        ASSERT(result);
        return *std::move(result);
    }();
    return built;
}

void check_coding(std::string_view text) {
    auto encoded = http::percent_encode(text);
    ASSERT(http::percent_decode(encoded) == text);
    if (auto decoded = http::percent_decode(text)) ASSERT(decoded->size() <= text.size());
    if (auto pairs = http::parse_query(text)) ASSERT(pairs->size() <= 100);
}

void check_accepted(std::string_view target) {
    auto path = target.substr(0, target.find('?'));
    auto decoded = http::percent_decode(path);
    ASSERT(decoded);
    ASSERT(decoded->find("//") == std::string::npos);
    ASSERT(decoded->find("/../") == std::string::npos && !decoded->ends_with("/.."));
    ASSERT(decoded->find("/./") == std::string::npos && !decoded->ends_with("/."));
    ASSERT(decoded->find('\0') == std::string::npos && decoded->find('\n') == std::string::npos);
    for (auto method : {http::Method::get, http::Method::post, http::Method::options}) {
        auto match = router().match(method, path);
        if (auto* found = std::get_if<http::RouteMatch>(&match)) {
            for (const auto& [name, value] : found->parameters)
                ASSERT(!name.empty() && value.size() <= path.size());
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(bytes), size);
    check_coding(text);
    if (http::check_target(text)) check_accepted(text);
    return 0;
}
