// SPDX-License-Identifier: Apache-2.0
#include "net/client/curl_client.h"

#include <mutex>

#include <curl/curl.h>

#include "base/assert.h"

namespace integreat::net {

namespace {

constexpr std::size_t response_headers_bytes_max = 256 * 1024;
constexpr long connections_kept = 4;

// What one transfer reads and writes, where libcurl's callbacks find it.
struct Transfer {
    std::string_view unsent;
    http::Reply reply;
    std::size_t body_bytes_max = 0;
    std::size_t header_bytes = 0;
    bool too_large = false;
};

std::size_t write_body(char* bytes, std::size_t, std::size_t size, void* into) {
    auto& transfer = *static_cast<Transfer*>(into);
    if (size > transfer.body_bytes_max - transfer.reply.body.size()) {
        transfer.too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    transfer.reply.body.append(bytes, size);
    return size;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    auto first = text.find_first_not_of(space);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::size_t write_header(char* bytes, std::size_t, std::size_t size, void* into) {
    auto& transfer = *static_cast<Transfer*>(into);
    transfer.header_bytes += size;
    if (transfer.header_bytes > response_headers_bytes_max) {
        transfer.too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    std::string_view line(bytes, size);
    if (line.starts_with("HTTP/")) {
        transfer.reply.headers.clear();  // An interim answer came before.
    } else if (auto colon = line.find(':'); colon != std::string_view::npos) {
        transfer.reply.headers.add(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
    }
    return size;
}

bool safe_in_a_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void add_line(HeaderList& list, const std::string& line) {
    auto* longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
}

Result<HeaderList> header_lines(const http::OutboundRequest& request) {
    HeaderList list;
    for (auto [name, value] : request.headers) {
        if (name.empty() || !safe_in_a_line(name) || !safe_in_a_line(value)) {
            return Error{Fault::invalid, "a header field has characters that are not allowed",
                         "not_sent: header field \"" + std::string(name.substr(0, 50)) + "\""};
        }
        // libcurl takes "Name:" as "leave it out" and "Name;" as the field without a value.
        auto line = std::string(name);
        add_line(list, value.empty() ? line + ";" : line + ": " + std::string(value));
    }
    add_line(list, "Expect:");  // A second round trip to be asked for a body is never worth it here.
    return list;
}

void set_method(CURL* curl, const http::OutboundRequest& request) {
    using http::Method;
    if (request.method == Method::head) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    bool has_body = !request.body.empty() || request.method == Method::post ||
                    request.method == Method::put || request.method == Method::patch;
    if (has_body) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, std::string(to_string(request.method)).c_str());
}

// libcurl sends a request again by itself when a kept connection ends without an answer. Unless the server
// can tell that it is the same request, that could pay twice, so such calls get a connection of their own.
bool must_not_repeat(const http::OutboundRequest& request) {
    return (request.method == http::Method::post || request.method == http::Method::patch) &&
           !request.headers.contains("Idempotency-Key");
}

void set_limits(CURL* curl, std::chrono::milliseconds timeout) {
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // Not from the environment.
    curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, connections_kept);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout.count()));
}

// Whether anything of the request can have been acted upon. libcurl counts the bytes it wrote; before there
// was a connection, and for a name or certificate that was refused, there are none.
bool surely_not_sent(CURL* curl, CURLcode code) {
    switch (code) {
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE: return true;
        default: break;
    }
    long request_bytes = 0;
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &request_bytes);
    return request_bytes == 0;
}

Error unavailable(CURL* curl, CURLcode code, const char* detail, const Transfer& transfer) {
    std::string reason = transfer.too_large ? "the answer is larger than allowed" : curl_easy_strerror(code);
    if (!transfer.too_large && *detail) reason.append(" (").append(detail).append(")");
    return {Fault::unavailable, "a server we depend on did not answer",
            (surely_not_sent(curl, code) ? "not_sent: " : "unknown: ") + reason};
}

Result<http::Reply> perform(CURL* curl, const http::OutboundRequest& request, const std::string& ca_file,
                            std::chrono::milliseconds timeout) {
    auto headers = header_lines(request);
    if (!headers) return std::move(headers).error();
    Transfer transfer{.body_bytes_max = request.response_bytes_max};
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_reset(curl);  // Keeps the connections.
    set_limits(curl, timeout);
    set_method(curl, request);
    if (!ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
    if (must_not_repeat(request)) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers->get());
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, write_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    auto code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    if (code != CURLE_OK) return unavailable(curl, code, detail, transfer);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    transfer.reply.status = static_cast<int>(status);
    return std::move(transfer.reply);
}

}  // namespace

CurlOutbound::CurlOutbound(int calls_max, std::string ca_file)
    : calls_max_(calls_max), ca_file_(std::move(ca_file)) {
    static std::once_flag once;
    std::call_once(once, [] { ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

CurlOutbound::~CurlOutbound() {
    auto turns = turns_.lock();
    ASSERT(turns->busy == 0);
    for (auto* handle : turns->idle)
        curl_easy_cleanup(handle);
}

CurlOutbound::Handle CurlOutbound::take(std::chrono::milliseconds patience) {
    auto turns = turns_.lock();
    bool free = turn_came_.wait_for(turns.lock(), patience, [&] { return turns->busy < calls_max_; });
    if (!free) return nullptr;
    if (turns->idle.empty()) {
        auto* made = curl_easy_init();
        if (!made) throw std::bad_alloc();
        ++turns->busy;
        return made;
    }
    auto* handle = turns->idle.back();
    turns->idle.pop_back();
    ++turns->busy;
    return handle;
}

void CurlOutbound::give_back(Handle handle) {
    {
        auto turns = turns_.lock();
        --turns->busy;
        turns->idle.push_back(handle);
    }
    turn_came_.notify_one();
}

Result<http::Reply> CurlOutbound::fetch(const http::OutboundRequest& request) {
    auto begun = std::chrono::steady_clock::now();
    auto* handle = take(request.timeout);
    auto left = request.timeout - std::chrono::duration_cast<std::chrono::milliseconds>(
                                      std::chrono::steady_clock::now() - begun);
    if (!handle || left.count() <= 0) {
        if (handle) give_back(handle);
        return Error{Fault::unavailable, "a server we depend on did not answer",
                     "not_sent: too many calls were under way"};
    }
    struct Return {
        CurlOutbound* to;
        Handle handle;
        ~Return() { to->give_back(handle); }
    } giving_back{this, handle};
    return perform(handle, request, ca_file_, left);
}

}  // namespace integreat::net
