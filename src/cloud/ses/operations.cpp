// SPDX-License-Identifier: Apache-2.0
#include "cloud/ses/operations.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/text/ascii.h"
#include "cloud/aws/auth/authorize.h"
#include "cloud/aws/protocol/json_body.h"
#include "cloud/aws/protocol/protocol.h"
#include "cloud/ses/ses.h"
#include "crypto/encoding.h"
#include "crypto/ids.h"
#include "http/routing/target.h"
#include "json/value/parse.h"

namespace integreat::ses {

namespace json = boost::json;
using cloud::AwsError;
using cloud::AwsResult;
using cloud::json_result;
using cloud::OperationContext;
using cloud::OperationResult;
using cloud::parse_json_body;
using cloud::Signing;

namespace {

constexpr std::size_t mail_bytes_max = 10 * 1024 * 1024;
constexpr std::size_t recipients_max = 50;
constexpr std::string_view prefix = "/v2/email/";

AwsError rejected(std::string message) {
    return {.status = 400, .code = "MessageRejected", .message = std::move(message)};
}
AwsError bad_request(std::string message) {
    return {.status = 400, .code = "BadRequestException", .message = std::move(message)};
}
AwsError not_found(std::string message) {
    return {.status = 404, .code = "NotFoundException", .message = std::move(message)};
}
AwsError exists(std::string message) {
    return {.status = 400, .code = "AlreadyExistsException", .message = std::move(message)};
}
AwsError too_many() {
    return {.status = 400,
            .code = "LimitExceededException",
            .message = "There are too many resources of this kind."};
}

AwsResult<> require_permission(Ses& ses, OperationContext& context, std::string_view action,
                               const std::string& identity) {
    return cloud::authorize(context,
                            {.action = "ses:" + std::string(action), .resource = ses.make_arn(identity)});
}

// Returns the decoded last segment of the path, such as the name after "/v2/email/identities/".
std::string name_in_path(const OperationContext& context) {
    auto path = context.request.path();
    return http::percent_decode(path.substr(path.rfind('/') + 1)).value_or("");
}

// Returns the verified identity that may send as `address`: the address or its domain; empty if none.
std::string sending_identity(const Mailbox& mailbox, const std::string& address) {
    if (mailbox.identities.contains(address)) return address;
    auto domain = address.substr(address.find('@') + 1);
    return mailbox.identities.contains(domain) ? domain : std::string();
}

// Returns an unfolded header of a MIME message; empty if it is missing.
std::string mime_header(std::string_view message, std::string_view name) {
    std::string value;
    bool in_header = false;
    while (!message.empty()) {
        auto line = message.substr(0, message.find('\n'));
        message.remove_prefix(std::min(line.size() + 1, message.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) break;
        bool folded = line.front() == ' ' || line.front() == '\t';
        if (!folded) {
            auto colon = std::min(line.find(':'), line.size());
            in_header = value.empty() && iequals(line.substr(0, colon), name);
            line = in_header ? line.substr(std::min(colon + 1, line.size())) : line;
        }
        if (in_header) value += line;
    }
    return value;
}

std::vector<std::string> split_addresses(std::string_view list) {
    std::vector<std::string> addresses;
    while (!list.empty()) {
        auto part = list.substr(0, list.find(','));
        list.remove_prefix(std::min(part.size() + 1, list.size()));
        if (auto address = parse_address(part); !address.empty()) addresses.push_back(address);
    }
    return addresses;
}

struct Mail {
    std::string from;
    std::vector<std::string> recipients;
    json::object content;  // The outbox entry.
};

AwsResult<> parse_recipients(const json::object& body, Mail& mail) {
    const auto* destination = TRY(cloud::optional_object(body, "Destination"));
    if (!destination) return {};
    for (const char* kind : {"ToAddresses", "CcAddresses", "BccAddresses"}) {
        const auto* addresses = TRY(cloud::optional_array(*destination, kind));
        for (const auto& text : addresses ? *addresses : json::array()) {
            auto address = text.is_string() ? parse_address(text.get_string()) : std::string();
            if (address.empty()) return bad_request("Local address contains control or whitespace");
            mail.recipients.push_back(address);
        }
        if (addresses) mail.content[kind] = *addresses;
    }
    return {};
}

AwsResult<> parse_simple(const json::object& simple, Mail& mail) {
    const auto* subject = TRY(cloud::optional_object(simple, "Subject"));
    const auto* body = TRY(cloud::optional_object(simple, "Body"));
    if (!subject || !body) return bad_request("Simple needs Subject and Body.");
    mail.content["Subject"] = TRY(cloud::required_text(*subject, "Data", 10'000));
    for (const char* kind : {"Text", "Html"}) {
        if (const auto* part = TRY(cloud::optional_object(*body, kind)))
            mail.content[kind] = TRY(cloud::optional_text(*part, "Data", mail_bytes_max));
    }
    return {};
}

AwsResult<> parse_raw(const json::object& raw, Mail& mail) {
    auto encoded = TRY(cloud::required_text(raw, "Data", mail_bytes_max * 2));
    auto message = crypto::base64_decode(encoded);
    if (!message) return bad_request("Raw.Data is not Base64.");
    if (mail.from.empty()) mail.from = parse_address(mime_header(*message, "From"));
    if (mail.recipients.empty()) {
        for (const char* kind : {"To", "Cc", "Bcc"}) {
            auto addresses = split_addresses(mime_header(*message, kind));
            mail.recipients.insert(mail.recipients.end(), addresses.begin(), addresses.end());
        }
    }
    mail.content["Subject"] = mime_header(*message, "Subject");
    mail.content["Raw"] = encoded;
    return {};
}

AwsResult<> render_template(const json::object& request, const Mailbox& mailbox, Mail& mail) {
    auto name = TRY(cloud::required_text(request, "TemplateName", 64));
    auto stored = mailbox.templates.find(name);
    if (stored == mailbox.templates.end()) return not_found("Template " + name + " does not exist.");
    auto text = TRY(cloud::optional_text(request, "TemplateData", 262'144));
    auto data = integreat::json::parse_object(text.empty() ? "{}" : text);
    if (!data) return bad_request("TemplateData is not a JSON object: " + data.error().message);
    mail.content["TemplateName"] = name;
    for (const auto& part : stored->second) {
        auto rendered = render_template_text(std::string_view(part.value().as_string()), *data);
        if (!rendered) return bad_request(rendered.error().message);
        mail.content[part.key()] = *rendered;
    }
    return {};
}

AwsResult<Mail> parse_mail(const json::object& body, const Mailbox& mailbox) {
    Mail mail;
    auto from = TRY(cloud::optional_text(body, "FromEmailAddress", 1'000));
    mail.from = parse_address(from);
    if (!from.empty() && mail.from.empty()) return bad_request("Missing final '@domain'");
    TRY(parse_recipients(body, mail));
    const auto* content = TRY(cloud::optional_object(body, "Content"));
    if (!content) return bad_request("Content is missing.");
    const auto* simple = TRY(cloud::optional_object(*content, "Simple"));
    const auto* raw = TRY(cloud::optional_object(*content, "Raw"));
    const auto* template_content = TRY(cloud::optional_object(*content, "Template"));
    if ((simple != nullptr) + (raw != nullptr) + (template_content != nullptr) != 1)
        return bad_request("Content must be one of Simple, Raw and Template.");
    if (simple) TRY(parse_simple(*simple, mail));
    if (raw) TRY(parse_raw(*raw, mail));
    if (template_content) TRY(render_template(*template_content, mailbox, mail));
    if (mail.from.empty()) return bad_request("The sender is missing: FromEmailAddress.");
    if (mail.recipients.empty()) return bad_request("The recipients are missing: Destination.");
    if (mail.recipients.size() > recipients_max) return rejected("Recipient count exceeds 50.");
    return mail;
}

OperationResult send_email(Ses& ses, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto mailbox = ses.mailbox().lock();
    auto mail = TRY(parse_mail(body, *mailbox));
    auto identity = sending_identity(*mailbox, mail.from);
    const auto* content = body.at("Content").if_object();
    bool raw = content && content->contains("Raw");
    TRY(require_permission(ses, context, raw ? "SendRawEmail" : "SendEmail",
                           identity.empty() ? mail.from : identity));
    if (identity.empty()) {
        return rejected(
            "Email address is not verified. The following identities failed the check in region "
            "US-EAST-1: " +
            mail.from);
    }
    auto now = ses.clock.now();
    auto id = crypto::make_ulid(now, ses.random) + "-000000";
    json::array suppressed;
    for (const auto& recipient : mail.recipients) {
        if (mailbox->suppressed.contains(recipient)) suppressed.emplace_back(recipient);
    }
    mail.content["MessageId"] = id;
    mail.content["Sent"] = format_rfc3339(now);
    mail.content["From"] = mail.from;
    mail.content["Recipients"] = json::array(mail.recipients.begin(), mail.recipients.end());
    mail.content["Suppressed"] = std::move(suppressed);
    for (const char* name : {"ReplyToAddresses", "EmailTags", "ConfigurationSetName"}) {
        if (const auto* value = body.if_contains(name)) mail.content[name] = *value;
    }
    TRY(ses.save(mailbox->outbox, outbox_kind, id, std::move(mail.content)));
    if (mailbox->outbox.size() > outbox_max) {
        auto oldest = mailbox->outbox.begin()->first;
        TRY(ses.save(mailbox->outbox, outbox_kind, oldest, std::nullopt));
    }
    return json_result(context, {{"MessageId", id}});
}

OperationResult create_identity(Ses& ses, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto name = to_lower(TRY(cloud::required_text(body, "EmailIdentity", 320)));
    TRY(require_permission(ses, context, "CreateEmailIdentity", name));
    bool address = name.find('@') != std::string::npos;
    if ((address && parse_address(name) != name) || (!address && name.find('.') == std::string::npos))
        return bad_request("Invalid email address or domain " + name);
    auto mailbox = ses.mailbox().lock();
    if (mailbox->identities.contains(name)) return exists("Email identity " + name + " already exist.");
    if (mailbox->identities.size() >= identities_max) return too_many();
    json::object identity{{"IdentityType", address ? "EMAIL_ADDRESS" : "DOMAIN"},
                          {"VerifiedForSendingStatus", true}};
    TRY(ses.save(mailbox->identities, identity_kind, name, identity));
    return json_result(context, identity);
}

OperationResult get_identity(Ses& ses, OperationContext& context) {
    auto name = to_lower(name_in_path(context));
    TRY(require_permission(ses, context, "GetEmailIdentity", name));
    auto mailbox = ses.mailbox().lock();
    auto entry = mailbox->identities.find(name);
    if (entry == mailbox->identities.end()) return not_found("Email identity " + name + " does not exist.");
    return json_result(context, entry->second);
}

OperationResult list_identities(Ses& ses, OperationContext& context) {
    TRY(require_permission(ses, context, "ListEmailIdentities", "*"));
    json::array all;
    auto mailbox = ses.mailbox().lock();
    for (const auto& [name, identity] : mailbox->identities) {
        all.push_back({{"IdentityName", name},
                       {"IdentityType", identity.at("IdentityType")},
                       {"SendingEnabled", true},
                       {"VerificationStatus", "SUCCESS"}});
    }
    return json_result(context, {{"EmailIdentities", std::move(all)}});
}

OperationResult delete_identity(Ses& ses, OperationContext& context) {
    auto name = to_lower(name_in_path(context));
    TRY(require_permission(ses, context, "DeleteEmailIdentity", name));
    auto mailbox = ses.mailbox().lock();
    if (!mailbox->identities.contains(name)) return not_found("Email identity " + name + " does not exist.");
    TRY(ses.save(mailbox->identities, identity_kind, name, std::nullopt));
    return json_result(context, {});
}

OperationResult create_template(Ses& ses, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto name = TRY(cloud::required_text(body, "TemplateName", 64));
    TRY(cloud::authorize(context, {.action = "ses:CreateEmailTemplate", .resource = "*"}));
    const auto* content = TRY(cloud::optional_object(body, "TemplateContent"));
    if (!content) return bad_request("TemplateContent is missing.");
    json::object parts;
    for (const char* part : {"Subject", "Text", "Html"}) {
        auto text = TRY(cloud::optional_text(*content, part, 500'000));
        if (!text.empty()) parts[part] = text;
    }
    auto mailbox = ses.mailbox().lock();
    if (mailbox->templates.contains(name)) return exists("Template " + name + " already exists.");
    if (mailbox->templates.size() >= templates_max) return too_many();
    TRY(ses.save(mailbox->templates, template_kind, name, std::move(parts)));
    return json_result(context, {});
}

OperationResult get_template(Ses& ses, OperationContext& context) {
    auto name = name_in_path(context);
    TRY(cloud::authorize(context, {.action = "ses:GetEmailTemplate", .resource = "*"}));
    auto mailbox = ses.mailbox().lock();
    auto entry = mailbox->templates.find(name);
    if (entry == mailbox->templates.end()) return not_found("Template " + name + " does not exist.");
    return json_result(context, {{"TemplateName", name}, {"TemplateContent", entry->second}});
}

OperationResult delete_template(Ses& ses, OperationContext& context) {
    auto name = name_in_path(context);
    TRY(cloud::authorize(context, {.action = "ses:DeleteEmailTemplate", .resource = "*"}));
    auto mailbox = ses.mailbox().lock();
    if (!mailbox->templates.contains(name)) return not_found("Template " + name + " does not exist.");
    TRY(ses.save(mailbox->templates, template_kind, name, std::nullopt));
    return json_result(context, {});
}

OperationResult put_suppressed(Ses& ses, OperationContext& context) {
    auto body = TRY(parse_json_body(context));
    auto address = parse_address(TRY(cloud::required_text(body, "EmailAddress", 320)));
    auto reason = TRY(cloud::required_text(body, "Reason", 16));
    TRY(cloud::authorize(context, {.action = "ses:PutSuppressedDestination", .resource = "*"}));
    if (address.empty() || (reason != "BOUNCE" && reason != "COMPLAINT"))
        return bad_request("EmailAddress must be an address, Reason BOUNCE or COMPLAINT.");
    auto mailbox = ses.mailbox().lock();
    if (mailbox->suppressed.size() >= suppressed_max) return too_many();
    json::object entry{{"EmailAddress", address},
                       {"Reason", reason},
                       {"LastUpdateTime", static_cast<double>(unix_seconds(ses.clock.now()))}};
    TRY(ses.save(mailbox->suppressed, suppressed_kind, address, std::move(entry)));
    return json_result(context, {});
}

OperationResult get_suppressed(Ses& ses, OperationContext& context) {
    auto address = to_lower(name_in_path(context));
    TRY(cloud::authorize(context, {.action = "ses:GetSuppressedDestination", .resource = "*"}));
    auto mailbox = ses.mailbox().lock();
    auto entry = mailbox->suppressed.find(address);
    if (entry == mailbox->suppressed.end())
        return not_found("Email address " + address + " does not exist on your suppression list.");
    return json_result(context, {{"SuppressedDestination", entry->second}});
}

OperationResult delete_suppressed(Ses& ses, OperationContext& context) {
    auto address = to_lower(name_in_path(context));
    TRY(cloud::authorize(context, {.action = "ses:DeleteSuppressedDestination", .resource = "*"}));
    auto mailbox = ses.mailbox().lock();
    if (!mailbox->suppressed.contains(address))
        return not_found("Email address " + address + " does not exist on your suppression list.");
    TRY(ses.save(mailbox->suppressed, suppressed_kind, address, std::nullopt));
    return json_result(context, {});
}

constexpr const char* checks = "signature; ses: permission on the identity's ARN";
constexpr const char* global_checks = "signature; ses: permission on *";

constexpr cloud::OperationEntry<Ses> table[] = {
    {{"SendEmail",
      "Simple, raw and template; stored in the local outbox, never sent. Templates support {{name}} only.",
      "signature; ses:SendEmail or ses:SendRawEmail on the sender's identity; sender verified"},
     Signing::required,
     send_email,
     nullptr,
     28 * 1024 * 1024},
    {{"CreateEmailIdentity", "Address or domain; verified immediately.", checks},
     Signing::required,
     create_identity},
    {{"GetEmailIdentity", "By name.", checks}, Signing::required, get_identity},
    {{"ListEmailIdentities", "All, without paging.", checks}, Signing::required, list_identities},
    {{"DeleteEmailIdentity", "By name.", checks}, Signing::required, delete_identity},
    {{"CreateEmailTemplate", "Subject, text and HTML.", global_checks}, Signing::required, create_template},
    {{"GetEmailTemplate", "By name.", global_checks}, Signing::required, get_template},
    {{"DeleteEmailTemplate", "By name.", global_checks}, Signing::required, delete_template},
    {{"PutSuppressedDestination", "Mails to the address are marked in the outbox.", global_checks},
     Signing::required,
     put_suppressed},
    {{"GetSuppressedDestination", "By address.", global_checks}, Signing::required, get_suppressed},
    {{"DeleteSuppressedDestination", "By address.", global_checks}, Signing::required, delete_suppressed},
};

struct Route {
    http::Method method;
    std::string_view path;  // Relative to /v2/email/; a trailing slash is followed by a name.
    std::string_view operation;
};

constexpr Route routes[] = {
    {http::Method::post, "outbound-emails", "SendEmail"},
    {http::Method::post, "identities", "CreateEmailIdentity"},
    {http::Method::get, "identities", "ListEmailIdentities"},
    {http::Method::get, "identities/", "GetEmailIdentity"},
    {http::Method::del, "identities/", "DeleteEmailIdentity"},
    {http::Method::post, "templates", "CreateEmailTemplate"},
    {http::Method::get, "templates/", "GetEmailTemplate"},
    {http::Method::del, "templates/", "DeleteEmailTemplate"},
    {http::Method::put, "suppression/addresses", "PutSuppressedDestination"},
    {http::Method::get, "suppression/addresses/", "GetSuppressedDestination"},
    {http::Method::del, "suppression/addresses/", "DeleteSuppressedDestination"},
};

std::string_view find_operation(const OperationContext& context) {
    auto path = context.request.path();
    if (!path.starts_with(prefix)) return {};
    path.remove_prefix(prefix.size());
    for (const auto& route : routes) {
        bool has_name = route.path.ends_with('/');
        bool matches = has_name ? path.starts_with(route.path) && path.size() > route.path.size() &&
                                      path.find('/', route.path.size()) == std::string_view::npos
                                : path == route.path;
        if (matches && route.method == context.request.method) return route.operation;
    }
    return {};
}

http::FullResponse get_outbox(Ses& ses) {
    json::array mails;
    auto mailbox = ses.mailbox().lock();
    for (auto it = mailbox->outbox.rbegin(); it != mailbox->outbox.rend(); ++it)
        mails.push_back(it->second);
    http::FullResponse response{.body = json::serialize(json::object{{"mails", std::move(mails)}})};
    response.headers.set("Content-Type", "application/json");
    return response;
}

http::FullResponse empty_outbox(Ses& ses) {
    auto mailbox = ses.mailbox().lock();
    while (!mailbox->outbox.empty()) {
        auto id = mailbox->outbox.begin()->first;
        if (!ses.save(mailbox->outbox, outbox_kind, id, std::nullopt)) return {.status = 503};
    }
    return {.status = 204};
}

}  // namespace

cloud::Api api(Ses& ses) {
    return {.name = "ses",
            .title = "Amazon SES v2",
            .signing_name = "ses",
            .protocol = cloud::Protocol::rest_json,
            .operations = cloud::bind<Ses>(ses, table),
            .find_operation = find_operation};
}

std::vector<cloud::OperationDoc> operations() {
    std::vector<cloud::OperationDoc> all;
    for (const auto& operation : table)
        all.push_back(operation.doc);
    return all;
}

std::vector<cloud::InternalRoute> internal_routes(Ses& ses) {
    return {{http::Method::get, "outbox",
             [&ses](const http::Request&, std::string_view) { return get_outbox(ses); }},
            {http::Method::del, "outbox",
             [&ses](const http::Request&, std::string_view) { return empty_outbox(ses); }}};
}

}  // namespace integreat::ses
