// SPDX-License-Identifier: Apache-2.0
// The local Parameter Store of SSM: named texts with versions, for configuration and for what the CDK toolkit
// looks up. A SecureString is sealed on the disk.
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
    // `sealing_key` protects SecureStrings in the file.
    static Result<std::unique_ptr<Ssm>> open(cloud::Records& records, std::string region, std::string account,
                                             Secret sealing_key, const Clock& clock, Random& random);

    std::optional<Parameter> find(const std::string& name);
    std::vector<Parameter> below(const std::string& path, bool recursive);
    // Nothing: it is there already, and may not be overwritten.
    cloud::Outcome<std::int64_t> put(Parameter parameter, bool overwrite);
    cloud::Outcome<bool> remove(const std::string& name);  // False: there was none.

    std::string arn_of(const std::string& name) const;
    const Clock& clock;

private:
    Ssm(cloud::Records& records, std::string region, std::string account, Secret sealing_key,
        const Clock& with_clock, Random& random)
        : clock(with_clock),
          records_(records),
          region_(std::move(region)),
          account_(std::move(account)),
          sealing_key_(std::move(sealing_key)),
          random_(random) {}
    Result<> load();

    cloud::Records& records_;
    std::string region_;
    std::string account_;
    Secret sealing_key_;
    Random& random_;
    Guarded<std::map<std::string, Parameter>> parameters_;
};

cloud::Api api(Ssm& ssm);
std::vector<cloud::About> operations();

}  // namespace integreat::ssm
