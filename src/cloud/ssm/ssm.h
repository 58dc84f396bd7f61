// SPDX-License-Identifier: Apache-2.0
// The local SSM Parameter Store: named, versioned texts for configuration and for the lookups of the CDK
// toolkit. SecureStrings are encrypted on disk.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/concurrency/synchronized.h"
#include "cloud/aws/core/frontend.h"
#include "cloud/document_store/document_store.h"

namespace integreat::ssm {

inline constexpr std::size_t parameters_max = 10'000;
inline constexpr std::size_t value_bytes_max = 8 * 1024;

struct Parameter {
    std::string name;
    std::string type;  // String, StringList, SecureString
    std::string value;
    std::string description;
    std::int64_t version = 1;
    Time modified;
};

class Ssm {
public:
    // `sealing_key` encrypts SecureStrings in the file.
    static Result<std::unique_ptr<Ssm>> open(cloud::DocumentStore& documents, std::string region,
                                             std::string account, Secret sealing_key, const Clock& clock,
                                             Random& random);

    std::optional<Parameter> find(const std::string& name);
    // Lists the parameters whose names are below `path`.
    std::vector<Parameter> list_below(const std::string& path, bool recursive);
    // Saves a parameter and returns its version; ParameterAlreadyExists unless `overwrite` is set.
    cloud::AwsResult<std::int64_t> put(Parameter parameter, bool overwrite);
    cloud::AwsResult<bool> remove(const std::string& name);  // Returns false if there is none.

    std::string make_arn(const std::string& name) const;
    const Clock& clock;

private:
    Ssm(cloud::DocumentStore& documents, std::string region, std::string account, Secret sealing_key,
        const Clock& store_clock, Random& random)
        : clock(store_clock),
          documents_(documents),
          region_(std::move(region)),
          account_(std::move(account)),
          sealing_key_(std::move(sealing_key)),
          random_(random) {}
    Result<> load();

    cloud::DocumentStore& documents_;
    std::string region_;
    std::string account_;
    Secret sealing_key_;
    Random& random_;
    Synchronized<std::map<std::string, Parameter>> parameters_;
};

}  // namespace integreat::ssm
