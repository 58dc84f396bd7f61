// SPDX-License-Identifier: Apache-2.0
#include "services/files/file_store.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "aws/sigv4_canonical.h"
#include "base/text/ascii.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "formats/xml.h"

namespace integreat::files {

using namespace std::chrono_literals;

namespace {

constexpr auto request_timeout = 5s;
constexpr auto session_lifetime = 3'600s;
constexpr std::size_t response_bytes_max = 64 * 1024;

// Types that browsers show without running scripts in the name of the bucket.
constexpr std::array<std::string_view, 12> inline_types{
    "application/pdf", "audio/mpeg", "audio/ogg",  "audio/wav",  "image/avif", "image/gif",
    "image/jpeg",      "image/png",  "image/webp", "text/plain", "video/mp4",  "video/webm"};

struct UrlParts {
    std::string_view host, path;
};

UrlParts split_url(std::string_view url) {
    auto host = url.substr(url.find("://") + 3);
    auto slash = host.find('/');
    return {.host = host.substr(0, slash), .path = host.substr(slash)};
}

Error unavailable(std::string_view what, const http::FullResponse& response) {
    auto document = formats::parse_xml(response.body);
    std::string code;
    if (document) code = document->value(document->name == "Error" ? "Code" : "Error/Code");
    return {Fault::unavailable, "The storage of files is not available. Retry later.",
            std::string(what) + ": status " + std::to_string(response.status) + " " + code};
}

http::ClientRequest make_signed_request(http::Method method, std::string url, const aws::SigV4Signer& signer,
                                        Time now, std::string body, http::Headers headers) {
    auto parts = split_url(url);
    auto payload = crypto::hex_encode(crypto::as_view(crypto::sha256(body)));
    headers.set("Host", parts.host);
    headers.set("X-Amz-Date", aws::format_sigv4_time(now));
    headers.set("X-Amz-Content-Sha256", payload);
    if (!signer.security_token.empty()) headers.set("X-Amz-Security-Token", signer.security_token);
    std::vector<aws::SigV4Header> signed_headers;
    for (auto [name, value] : headers)
        signed_headers.push_back({name, value});
    auto authorization =
        aws::sign_request({http::to_string(method), parts.path, "", signed_headers}, signer, now, payload);
    headers.set("Authorization", authorization);
    return {.method = method,
            .url = std::move(url),
            .headers = std::move(headers),
            .body = std::move(body),
            .timeout = request_timeout,
            .response_bytes_max = response_bytes_max};
}

// Returns the file name with only characters that need no quoting; other ones become "_".
std::string plain_file_name(std::string_view name) {
    std::string plain;
    for (char c : name.substr(0, 100))
        plain += is_alnum(c) || c == '.' || c == '-' || c == '_' ? c : '_';
    return plain;
}

}  // namespace

std::string make_content_disposition(std::string_view name, std::string_view content_type) {
    auto type = to_lower(content_type.substr(0, content_type.find(';')));
    bool shown = std::ranges::find(inline_types, std::string_view(type)) != inline_types.end();
    std::string disposition = shown ? "inline" : "attachment";
    if (!name.empty()) disposition += "; filename=\"" + plain_file_name(name) + "\"";
    return disposition;
}

FileStore::FileStore(FileStoreSettings settings, http::HttpClient& http_client, const Clock& clock)
    : settings_(std::move(settings)), http_client_(http_client), clock_(clock) {}

std::string FileStore::object_url(const std::string& project, std::string_view key) const {
    auto bucket = project + "-tenant-bucket";
    auto path = "/" + aws::uri_encode(key, true);
    if (!settings_.endpoint.empty()) return settings_.endpoint + "/" + bucket + path;
    return "https://" + bucket + ".s3." + settings_.region + ".amazonaws.com" + path;
}

Result<std::shared_ptr<const FileStore::RoleCredentials>> FileStore::assume_role(const std::string& project) {
    auto role =
        "arn:aws:iam::" + settings_.account + ":role/" + project + std::string(record_files_role_suffix);
    auto url = settings_.endpoint.empty() ? "https://sts." + settings_.region + ".amazonaws.com/"
                                          : settings_.endpoint + "/";
    aws::SigV4Signer own{.access_key_id = settings_.access_key_id,
                         .secret_key = settings_.secret_access_key,
                         .region = settings_.region,
                         .service = "sts",
                         .security_token = settings_.session_token.reveal()};
    auto now = clock_.now();
    auto response = TRY(http_client_.fetch(make_signed_request(
        http::Method::post, url, own, now,
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=integreat-gateway&DurationSeconds=" +
            std::to_string(session_lifetime.count()) + "&RoleArn=" + aws::uri_encode(role),
        {{"Content-Type", "application/x-www-form-urlencoded"}})));
    if (response.status != 200) return unavailable("AssumeRole of " + role, response);
    auto document = TRY(formats::parse_xml(response.body));
    RoleCredentials credentials{
        .signer = {.access_key_id = std::string(document.value("AssumeRoleResult/Credentials/AccessKeyId")),
                   .secret_key =
                       Secret(std::string(document.value("AssumeRoleResult/Credentials/SecretAccessKey"))),
                   .region = settings_.region,
                   .service = "s3",
                   .security_token = std::string(document.value("AssumeRoleResult/Credentials/SessionToken")),
                   .path_encoding = aws::SigV4PathEncoding::once},
        .expires = now + session_lifetime};
    if (credentials.signer.access_key_id.empty()) return unavailable("AssumeRole of " + role, response);
    return std::make_shared<const RoleCredentials>(std::move(credentials));
}

Result<std::shared_ptr<const FileStore::RoleCredentials>> FileStore::role_credentials(
    const std::string& project) {
    auto needed_until = clock_.now() + settings_.link_lifetime + 60s;
    if (auto cached = (*credentials_.lock())[project]; cached && cached->expires > needed_until)
        return cached;
    auto credentials = TRY(assume_role(project));
    (*credentials_.lock())[project] = credentials;
    return credentials;
}

Result<ObjectVersion> FileStore::find_version(const std::string& project, const std::string& key) {
    auto credentials = TRY(role_credentials(project));
    auto response = TRY(http_client_.fetch(make_signed_request(http::Method::head, object_url(project, key),
                                                               credentials->signer, clock_.now(), "",
                                                               {{"x-amz-checksum-mode", "ENABLED"}})));
    if (response.status == 404) return Error{Fault::not_found, "there is no such file", key};
    if (response.status != 200) return unavailable("HEAD " + key, response);
    ObjectVersion found{.version_id = std::string(response.headers.value("x-amz-version-id")),
                        .content_type = std::string(response.headers.value("Content-Type"))};
    auto length = response.headers.value("Content-Length");
    auto [end, failure] = std::from_chars(length.data(), length.data() + length.size(), found.bytes);
    bool whole = failure == std::errc() && end == length.data() + length.size();
    if (!whole || found.version_id.empty() || found.version_id == "null")
        return unavailable("HEAD " + key + ": the bucket keeps no versions", response);
    // An upload in parts has a checksum of checksums: "…-3".
    auto sha256 = response.headers.value("x-amz-checksum-sha256");
    if (sha256.find('-') == std::string_view::npos) found.sha256 = sha256;
    return found;
}

Result<FileLink> FileStore::make_link(const std::string& project, const LinkTarget& target) {
    auto credentials = TRY(role_credentials(project));
    auto url = object_url(project, target.key);
    auto parts = split_url(url);
    auto now = clock_.now();
    const aws::SigV4Header headers[] = {{"host", parts.host}};
    auto query = "response-content-disposition=" +
                 aws::uri_encode(make_content_disposition(target.name, target.content_type)) +
                 "&versionId=" + aws::uri_encode(target.version_id);
    auto signed_query = aws::presign_query({"GET", parts.path, query, headers}, credentials->signer, now,
                                           settings_.link_lifetime);
    return FileLink{.url = url + "?" + signed_query, .expires = now + settings_.link_lifetime};
}

}  // namespace integreat::files
