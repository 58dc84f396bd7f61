// SPDX-License-Identifier: Apache-2.0
#include "net/client/curl_client.h"

#include <mutex>

#include <curl/curl.h>

#include "base/assert.h"
#include "base/text/ascii.h"

namespace integreat::net {

namespace {

constexpr std::size_t response_headers_bytes_max = 256 * 1024;
constexpr long connections_kept = 4;

// The state of one transfer, passed to libcurl's callbacks.
struct Transfer {
    std::string_view unsent;
    http::FullResponse reply;
    std::size_t max_body_bytes = 0;
    std::size_t header_bytes = 0;
    bool too_large = false;
};

std::size_t write_body(char* bytes, std::size_t, std::size_t size, void* user_data) {
    auto& transfer = *static_cast<Transfer*>(user_data);
    if (size > transfer.max_body_bytes - transfer.reply.body.size()) {
        transfer.too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    transfer.reply.body.append(bytes, size);
    return size;
}

std::size_t write_header(char* bytes, std::size_t, std::size_t size, void* user_data) {
    auto& transfer = *static_cast<Transfer*>(user_data);
    transfer.header_bytes += size;
    if (transfer.header_bytes > response_headers_bytes_max) {
        transfer.too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    std::string_view line(bytes, size);
    if (line.starts_with("HTTP/")) {
        transfer.reply.headers.clear();  // An interim response came before.
    } else if (auto colon = line.find(':'); colon != std::string_view::npos) {
        transfer.reply.headers.add(trim(line.substr(0, colon), " \t\r\n"),
                                   trim(line.substr(colon + 1), " \t\r\n"));
    }
    return size;
}

bool is_field_safe(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void append_line(HeaderList& list, const std::string& line) {
    auto* longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
}

Result<HeaderList> make_header_list(const http::ClientRequest& request) {
    HeaderList list;
    for (auto [name, value] : request.headers) {
        if (name.empty() || !is_field_safe(name) || !is_field_safe(value)) {
            return Error{Fault::invalid, "a header field has characters that are not allowed",
                         "not_sent: header field \"" + std::string(name.substr(0, 50)) + "\""};
        }
        // libcurl removes the field for "Name:", and sends it without a value for "Name;".
        auto line = std::string(name);
        append_line(list, value.empty() ? line + ";" : line + ": " + std::string(value));
    }
    append_line(list, "Expect:");  // A second round trip for 100 Continue is never worth it here.
    return list;
}

void set_method(CURL* curl, const http::ClientRequest& request) {
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

// libcurl repeats a request when a reused connection ends without a response. Unless the server recognizes a
// repeated request, this could cause a second payment, so such calls get a new connection.
bool needs_fresh_connection(const http::ClientRequest& request) {
    return (request.method == http::Method::post || request.method == http::Method::patch) &&
           !request.headers.contains("Idempotency-Key");
}

void set_limits(CURL* curl, std::chrono::milliseconds timeout) {
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // No proxy from the environment.
    curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, connections_kept);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout.count()));
}

// Returns whether no byte of the request was sent, so that the server cannot have acted on it. libcurl counts
// the bytes it wrote; there are none without a connection, or if the name or certificate was invalid.
bool is_definitely_not_sent(CURL* curl, CURLcode code) {
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
    std::string reason =
        transfer.too_large ? "the response is larger than allowed" : curl_easy_strerror(code);
    if (!transfer.too_large && *detail) reason.append(" (").append(detail).append(")");
    return {Fault::unavailable, "the remote server did not respond",
            (is_definitely_not_sent(curl, code) ? "not_sent: " : "unknown: ") + reason};
}

Result<http::FullResponse> perform(CURL* curl, const http::ClientRequest& request, const std::string& ca_file,
                                   std::chrono::milliseconds timeout) {
    auto headers = make_header_list(request);
    if (!headers) return std::move(headers).error();
    Transfer transfer{.max_body_bytes = request.response_bytes_max};
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_reset(curl);  // Keeps the connections.
    set_limits(curl, timeout);
    set_method(curl, request);
    if (!ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file.c_str());
    if (needs_fresh_connection(request)) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
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

CurlHttpClient::CurlHttpClient(int calls_max, std::string ca_file)
    : calls_max_(calls_max), ca_file_(std::move(ca_file)) {
    static std::once_flag once;
    std::call_once(once, [] { ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

CurlHttpClient::~CurlHttpClient() {
    auto handles = handles_.lock();
    ASSERT(handles->busy == 0);
    for (auto* handle : handles->idle)
        curl_easy_cleanup(handle);
}

CurlHttpClient::Handle CurlHttpClient::acquire(std::chrono::milliseconds timeout) {
    auto handles = handles_.lock();
    bool free =
        handle_available_.wait_for(handles.lock(), timeout, [&] { return handles->busy < calls_max_; });
    if (!free) return nullptr;
    if (handles->idle.empty()) {
        auto* handle = curl_easy_init();
        if (!handle) throw std::bad_alloc();
        ++handles->busy;
        return handle;
    }
    auto* handle = handles->idle.back();
    handles->idle.pop_back();
    ++handles->busy;
    return handle;
}

void CurlHttpClient::release(Handle handle) {
    {
        auto handles = handles_.lock();
        --handles->busy;
        handles->idle.push_back(handle);
    }
    handle_available_.notify_one();
}

Result<http::FullResponse> CurlHttpClient::fetch(const http::ClientRequest& request) {
    auto started = std::chrono::steady_clock::now();
    auto* handle = acquire(request.timeout);
    auto remaining = request.timeout - std::chrono::duration_cast<std::chrono::milliseconds>(
                                           std::chrono::steady_clock::now() - started);
    if (!handle || remaining.count() <= 0) {
        if (handle) release(handle);
        return Error{Fault::unavailable, "the remote server did not respond",
                     "not_sent: too many concurrent calls"};
    }
    struct Return {
        CurlHttpClient* client;
        Handle handle;
        ~Return() { client->release(handle); }
    } releaser{this, handle};
    return perform(handle, request, ca_file_, remaining);
}

}  // namespace integreat::net
