// SPDX-License-Identifier: Apache-2.0
#include "cloud/ses/ses.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/ascii.h"

namespace integreat::ses {

namespace json = boost::json;

namespace {}  // namespace

Result<std::unique_ptr<Ses>> Ses::open(cloud::DocumentStore& documents, std::string region,
                                       std::string account, const Clock& clock, Random& random) {
    std::unique_ptr<Ses> ses(new Ses(documents, std::move(region), std::move(account), clock, random));
    TRY(ses->load());
    return ses;
}

Result<> Ses::load() {
    auto mailbox = mailbox_.lock();
    auto read = [&](const char* kind, std::map<std::string, json::object>& entries) -> Result<> {
        for (auto& stored : TRY(documents_.list(kind)))
            entries[stored.name] = std::move(stored.content);
        return {};
    };
    TRY(read(identity_kind, mailbox->identities));
    TRY(read(template_kind, mailbox->templates));
    TRY(read(suppressed_kind, mailbox->suppressed));
    return read(outbox_kind, mailbox->outbox);
}

cloud::AwsResult<> Ses::save(std::map<std::string, json::object>& entries, const char* kind,
                             const std::string& name, std::optional<json::object> entry) {
    const cloud::DocumentChange changes[] = {{kind, name, entry}};
    if (auto saved = documents_.apply(changes); !saved) return cloud::to_aws_error(saved.error());
    if (entry) {
        entries[name] = std::move(*entry);
    } else {
        entries.erase(name);
    }
    return {};
}

std::string Ses::make_arn(const std::string& identity) const {
    return "arn:aws:ses:" + region_ + ":" + account_ + ":identity/" + identity;
}

Result<std::string> render_template_text(std::string_view text, const json::object& data) {
    std::string rendered;
    for (;;) {
        auto begin = text.find("{{");
        auto end = begin == std::string_view::npos ? begin : text.find("}}", begin);
        if (end == std::string_view::npos) return rendered.append(text);
        rendered.append(text.substr(0, begin));
        auto name = trim(text.substr(begin + 2, end - begin - 2), " ");
        const auto* value = data.if_contains(name);
        if (!value) {
            return Error{Fault::invalid,
                         "Attribute '" + std::string(name) + "' is not present in the rendering data."};
        }
        rendered += value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
        text.remove_prefix(end + 2);
    }
}

std::string parse_address(std::string_view text) {
    auto open = text.rfind('<');
    if (open != std::string_view::npos) {
        auto close = text.find('>', open);
        if (close == std::string_view::npos) return {};
        text = text.substr(open + 1, close - open - 1);
    }
    std::string address(trim(text, " "));
    auto at = address.rfind('@');
    bool valid =
        at != std::string::npos && at > 0 && at + 1 < address.size() && address.size() <= 320 &&
        std::ranges::none_of(address, [](unsigned char c) { return c <= 0x20 || c == 0x7F || c == ','; });
    if (!valid) return {};
    return to_lower(address);
}

}  // namespace integreat::ses
