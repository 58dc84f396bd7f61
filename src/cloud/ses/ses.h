// SPDX-License-Identifier: Apache-2.0
// The local SES v2: nothing leaves the machine; what would have been sent lies in the outbox, where
// developers read it (GET /_integreat/outbox). The sender must be a verified identity, as on AWS; here one is
// verified when it is made.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/concurrency/synchronized.h"
#include "cloud/aws/core/frontend.h"
#include "cloud/document_store/document_store.h"

namespace integreat::ses {

inline constexpr std::size_t outbox_max = 1'000;  // The oldest go first.
inline constexpr std::size_t identities_max = 1'000;
inline constexpr std::size_t templates_max = 1'000;
inline constexpr std::size_t suppressed_max = 10'000;

// Kept as the API and the outbox show them.
struct Mailbox {
    std::map<std::string, boost::json::object> identities;  // By address or domain, in lower case.
    std::map<std::string, boost::json::object> templates;   // By name.
    std::map<std::string, boost::json::object> suppressed;  // By address, in lower case.
    std::map<std::string, boost::json::object> outbox;      // By message id, which sorts by time.
};

class Ses {
public:
    static Result<std::unique_ptr<Ses>> open(cloud::Records& records, std::string region, std::string account,
                                             const Clock& clock, Random& random);

    Guarded<Mailbox>& mailbox() { return mailbox_; }
    // Saves an entry and puts it into a map of the mailbox, which the caller holds; no entry: removes.
    cloud::Outcome<> save(std::map<std::string, boost::json::object>& entries, const char* kind,
                          const std::string& name, std::optional<boost::json::object> entry);
    std::string arn_of(const std::string& identity) const;

    const Clock& clock;
    Random& random;

private:
    Ses(cloud::Records& records, std::string region, std::string account, const Clock& with_clock,
        Random& with_random)
        : clock(with_clock),
          random(with_random),
          records_(records),
          region_(std::move(region)),
          account_(std::move(account)) {}
    Result<> load();

    cloud::Records& records_;
    std::string region_;
    std::string account_;
    Guarded<Mailbox> mailbox_;
};

inline constexpr const char* identity_kind = "ses:identity";
inline constexpr const char* template_kind = "ses:template";
inline constexpr const char* suppressed_kind = "ses:suppressed";
inline constexpr const char* outbox_kind = "ses:outbox";

cloud::Api api(Ses& ses);
std::vector<cloud::About> operations();
// GET and DELETE /_integreat/outbox
std::vector<cloud::LocalRoute> local_routes(Ses& ses);

// "{{name}}" in a template's text becomes the value of the data; Fault::invalid names one that is missing.
Result<std::string> fill_template(std::string_view text, const boost::json::object& data);
// "Ann <ann@example.com>" → "ann@example.com", in lower case; empty if it is no address.
std::string address_of(std::string_view text);

}  // namespace integreat::ses
