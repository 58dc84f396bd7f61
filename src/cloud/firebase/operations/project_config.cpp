// SPDX-License-Identifier: Apache-2.0
// What a project lets its users do. The two settings of Google's emulator, and three of the console's that
// decide which errors a client can meet.
#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

json::object describe(const SignInSettings& sign_in) {
    return {{"signIn",
             {{"allowDuplicateEmails", false},
              {"email", {{"enabled", sign_in.password}, {"linkEnabled", sign_in.email_link}}},
              {"anonymous", {{"enabled", sign_in.anonymous}}}}},
            {"emailPrivacyConfig", {{"enableImprovedEmailPrivacy", sign_in.email_privacy}}}};
}

Result<> read_sign_in(const json::object& object, SignInSettings& sign_in) {
    Fields fields(object);
    if (fields.flag("allowDuplicateEmails").value_or(false)) {
        return refusal("OPERATION_NOT_ALLOWED : several accounts per e-mail address are not offered");
    }
    if (const auto* email = fields.object("email")) {
        Fields settings(*email);
        sign_in.password = settings.flag("enabled").value_or(sign_in.password);
        sign_in.email_link = settings.flag("linkEnabled").value_or(sign_in.email_link);
        TRY(settings.check());
    }
    if (const auto* anonymous = fields.object("anonymous")) {
        Fields settings(*anonymous);
        sign_in.anonymous = settings.flag("enabled").value_or(sign_in.anonymous);
        TRY(settings.check());
    }
    return fields.check();
}

}  // namespace

Answer get_config(Ask& ask) {
    return describe(ask.project.sign_in);
}

Answer update_config(Ask& ask) {
    auto transaction = TRY(ask.auth.store->write());
    auto project = TRY(find_project(transaction, ask.project.id));
    ASSERT(project);  // Projects are never removed.
    Fields fields(ask.body);
    if (const auto* sign_in = fields.object("signIn")) TRY(read_sign_in(*sign_in, project->sign_in));
    if (const auto* privacy = fields.object("emailPrivacyConfig")) {
        Fields settings(*privacy);
        auto wanted = settings.flag("enableImprovedEmailPrivacy");
        project->sign_in.email_privacy = wanted.value_or(project->sign_in.email_privacy);
        TRY(settings.check());
    }
    TRY(fields.check());
    TRY(update_project(transaction, *project));
    TRY(transaction.commit());
    return describe(project->sign_in);
}

}  // namespace integreat::firebase
