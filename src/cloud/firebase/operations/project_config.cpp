// SPDX-License-Identifier: Apache-2.0
// Sign-in settings of a project: the two settings of Google's emulator, and three of the console that
// determine which errors a client receives.
#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"

namespace integreat::firebase {

namespace json = boost::json;

namespace {

json::object to_json(const SignInSettings& sign_in) {
    return {{"signIn",
             {{"allowDuplicateEmails", false},
              {"email", {{"enabled", sign_in.password}, {"linkEnabled", sign_in.email_link}}},
              {"anonymous", {{"enabled", sign_in.anonymous}}}}},
            {"emailPrivacyConfig", {{"enableImprovedEmailPrivacy", sign_in.email_privacy}}}};
}

Result<> parse_sign_in(const json::object& object, SignInSettings& sign_in) {
    JsonFieldReader fields(object);
    if (fields.flag("allowDuplicateEmails").value_or(false)) {
        return firebase_error(
            "OPERATION_NOT_ALLOWED : several accounts per e-mail address are not supported");
    }
    if (const auto* email = fields.object("email")) {
        JsonFieldReader settings(*email);
        sign_in.password = settings.flag("enabled").value_or(sign_in.password);
        sign_in.email_link = settings.flag("linkEnabled").value_or(sign_in.email_link);
        TRY(settings.check());
    }
    if (const auto* anonymous = fields.object("anonymous")) {
        JsonFieldReader settings(*anonymous);
        sign_in.anonymous = settings.flag("enabled").value_or(sign_in.anonymous);
        TRY(settings.check());
    }
    return fields.check();
}

}  // namespace

OperationResult get_config(OperationRequest& request) {
    return to_json(request.project.sign_in);
}

OperationResult update_config(OperationRequest& request) {
    auto transaction = TRY(request.auth.store->write());
    auto project = TRY(find_project(transaction, request.project.id));
    ASSERT(project);  // Projects are never removed.
    JsonFieldReader fields(request.body);
    if (const auto* sign_in = fields.object("signIn")) TRY(parse_sign_in(*sign_in, project->sign_in));
    if (const auto* privacy = fields.object("emailPrivacyConfig")) {
        JsonFieldReader settings(*privacy);
        auto email_privacy = settings.flag("enableImprovedEmailPrivacy");
        project->sign_in.email_privacy = email_privacy.value_or(project->sign_in.email_privacy);
        TRY(settings.check());
    }
    TRY(fields.check());
    TRY(update_project(transaction, *project));
    TRY(transaction.commit());
    return to_json(project->sign_in);
}

}  // namespace integreat::firebase
