// SPDX-License-Identifier: Apache-2.0
// Objects of records in the buckets of tenants: finds the version that a record names, and signs links to it.
// Requests are made as the role PROJECT-RecordFilesRole of that tenant, which can read the tenant's bucket
// and nothing else; the platform's own credentials can only assume these roles (STS AssumeRole).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/concurrency/synchronized.h"
#include "base/result.h"
#include "base/secret.h"
#include "http/transport/client.h"

namespace integreat::files {

inline constexpr std::string_view record_files_role_suffix = "-RecordFilesRole";

struct FileStoreSettings {
    std::string endpoint;  // URL of the local cloud; empty: AWS.
    std::string region;
    std::string account;  // Account of the roles, twelve digits.
    std::string access_key_id;
    Secret secret_access_key;
    Secret session_token;  // Empty if the access key is permanent.
    std::chrono::seconds link_lifetime{300};
};

struct ObjectVersion {
    std::string version_id;
    std::string content_type;
    std::int64_t bytes = 0;
    std::string sha256;  // Base64, as S3 stores it; empty if the upload had none.
};

struct FileLink {
    std::string url;
    Time expires;
};

// A version of an object, and how a browser shows it.
struct LinkTarget {
    std::string key;
    std::string version_id;
    std::string name;          // File name of a download; may be empty.
    std::string content_type;  // An attachment, unless browsers show the type without running it.
};

class FileStore {
public:
    FileStore(FileStoreSettings settings, http::HttpClient& http_client, const Clock& clock);

    // Returns the current version of an object. Fault::not_found, Fault::unavailable. Blocks.
    Result<ObjectVersion> find_version(const std::string& project, const std::string& key);
    // Signs a link to one version, without asking whether it exists. Blocks for new credentials only.
    Result<FileLink> make_link(const std::string& project, const LinkTarget& target);

private:
    struct RoleCredentials {
        aws::SigV4Signer signer;
        Time expires;
    };
    using CredentialsByProject = std::map<std::string, std::shared_ptr<const RoleCredentials>>;

    Result<std::shared_ptr<const RoleCredentials>> role_credentials(const std::string& project);
    Result<std::shared_ptr<const RoleCredentials>> assume_role(const std::string& project);
    std::string object_url(const std::string& project, std::string_view key) const;

    FileStoreSettings settings_;
    http::HttpClient& http_client_;
    const Clock& clock_;
    Synchronized<CredentialsByProject> credentials_;
};

// Returns the Content-Disposition of a link: inline for types that browsers show without running them.
std::string make_content_disposition(std::string_view name, std::string_view content_type);

}  // namespace integreat::files
