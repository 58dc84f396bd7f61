// SPDX-License-Identifier: Apache-2.0
// The local SES v2. No mail leaves the machine: sent mails are stored in the outbox, where developers read
// them (GET /_integreat/outbox). As on AWS, the sender must be a verified identity; here identities are
// verified on creation.
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

inline constexpr std::size_t outbox_max = 1'000;  // Mails; the oldest are removed first.
inline constexpr std::size_t identities_max = 1'000;
inline constexpr std::size_t templates_max = 1'000;
inline constexpr std::size_t suppressed_max = 10'000;

// The state of SES. Entries have the JSON shapes of the API and the outbox.
struct Mailbox {
    std::map<std::string, boost::json::object> identities;  // Keyed by address or domain, in lower case.
    std::map<std::string, boost::json::object> templates;   // Keyed by name.
    std::map<std::string, boost::json::object> suppressed;  // Keyed by address, in lower case.
    std::map<std::string, boost::json::object> outbox;      // Keyed by message id, which sorts by time.
};

class Ses {
public:
    static Result<std::unique_ptr<Ses>> open(cloud::DocumentStore& documents, std::string region,
                                             std::string account, const Clock& clock, Random& random);

    Synchronized<Mailbox>& mailbox() { return mailbox_; }
    // Saves an entry and puts it into a map of the mailbox, which the caller has locked; removes it if
    // `entry` is empty.
    cloud::AwsResult<> save(std::map<std::string, boost::json::object>& entries, const char* kind,
                            const std::string& name, std::optional<boost::json::object> entry);
    std::string make_arn(const std::string& identity) const;

    const Clock& clock;
    Random& random;

private:
    Ses(cloud::DocumentStore& documents, std::string region, std::string account, const Clock& mail_clock,
        Random& id_random)
        : clock(mail_clock),
          random(id_random),
          documents_(documents),
          region_(std::move(region)),
          account_(std::move(account)) {}
    Result<> load();

    cloud::DocumentStore& documents_;
    std::string region_;
    std::string account_;
    Synchronized<Mailbox> mailbox_;
};

inline constexpr const char* identity_kind = "ses:identity";
inline constexpr const char* template_kind = "ses:template";
inline constexpr const char* suppressed_kind = "ses:suppressed";
inline constexpr const char* outbox_kind = "ses:outbox";

// Replaces "{{name}}" in a template with values of `data`; Fault::invalid names a missing one.
Result<std::string> render_template_text(std::string_view text, const boost::json::object& data);
// Returns the address of "Ann <ann@example.com>", in lower case; empty if it is not an address.
std::string parse_address(std::string_view text);

}  // namespace integreat::ses
