// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/api/action_page.h"

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "http/routing/target.h"

namespace integreat::firebase {

namespace {

std::string parameter(const Parameters& parameters, std::string_view name) {
    for (const auto& [parameter_name, value] : parameters) {
        if (parameter_name == name) return value;
    }
    return {};
}

std::string escape(std::string_view text) {
    std::string escaped;
    for (char character : text) {
        switch (character) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            case '\'': escaped += "&#39;"; break;
            default: escaped += character;
        }
    }
    return escaped;
}

http::FullResponse render_page(int status, const std::string& title, const std::string& content) {
    http::FullResponse response{.status = status};
    response.headers.set("Content-Type", "text/html; charset=utf-8");
    response.headers.set("Cache-Control", "no-store");
    response.headers.set("Referrer-Policy", "no-referrer");  // The URL contains the code.
    response.headers.set(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'");
    response.body =
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" + title +
        "</title><style>body{font:16px/1.5 sans-serif;max-width:32em;margin:4em auto;padding:0 1em}"
        "input,button{font:inherit;padding:.4em}</style><h1>" +
        title + "</h1>" + content + "</html>";
    return response;
}

std::string continue_link(const Parameters& parameters) {
    auto url = parameter(parameters, "continueUrl");
    if (!is_http_url(url)) return {};
    return "<p><a href=\"" + escape(url) + "\">Continue</a></p>";
}

http::FullResponse failure_page(const Error& error) {
    auto code = error.message.substr(0, error.message.find(" : "));
    if (code == "EXPIRED_OOB_CODE") {
        return render_page(400, "This link has expired", "<p>Request a new one.</p>");
    }
    if (code == "WEAK_PASSWORD") {
        return render_page(400, "The password is too short",
                           "<p>It must have at least 6 characters. Go back and choose another one.</p>");
    }
    if (code == "EMAIL_EXISTS") {
        return render_page(400, "The address is already in use",
                           "<p>Another account uses this e-mail address.</p>");
    }
    if (error.fault == Fault::invalid) {
        return render_page(
            400, "This link does not work",
            "<p>It has already been used, or a newer one was sent. (" + escape(code) + ")</p>");
    }
    return render_page(500, "Something went wrong", "<p>" + escape(code) + "</p>");
}

http::FullResponse render_reset_form(Auth& auth, const Project& project, const Parameters& parameters) {
    auto transaction = auth.store->read();
    if (!transaction) return failure_page(transaction.error());
    auto code = find_valid_code(*transaction, auth, project, parameter(parameters, "oobCode"));
    if (!code) return failure_page(code.error());
    if (code->kind != "PASSWORD_RESET") return failure_page(firebase_error("INVALID_OOB_CODE"));
    std::string hidden;
    for (std::string_view name : {"mode", "oobCode", "apiKey", "continueUrl"}) {
        hidden.append("<input type=\"hidden\" name=\"").append(name).append("\" value=\"");
        hidden += escape(parameter(parameters, name)) + "\">";
    }
    return render_page(200, "Choose a new password",
                       "<p>For " + escape(code->email) +
                           "</p><form method=\"post\" action=\"/emulator/action\">" + hidden +
                           "<input type=\"password\" name=\"newPassword\" minlength=\"6\" required"
                           " aria-label=\"New password\"> <button>Save</button></form>");
}

http::FullResponse reset_password_page(Auth& auth, const Project& project, const Parameters& parameters) {
    auto password = parameter(parameters, "newPassword");
    if (password.empty()) return render_reset_form(auth, project, parameters);
    auto confirmed = confirm_password_reset(auth, project, parameter(parameters, "oobCode"), password);
    if (!confirmed) return failure_page(confirmed.error());
    return render_page(200, "The password has been changed",
                       "<p>You can now sign in with it.</p>" + continue_link(parameters));
}

http::FullResponse apply_code_page(Auth& auth, const Project& project, const Parameters& parameters) {
    auto transaction = auth.store->write();
    if (!transaction) return failure_page(transaction.error());
    auto user = apply_oob_code(*transaction, auth, project, parameter(parameters, "oobCode"));
    if (!user) return failure_page(user.error());
    if (auto committed = transaction->commit(); !committed) return failure_page(committed.error());
    return render_page(200, "Your address has been verified",
                       "<p>" + escape(user->email.value_or("")) + "</p>" + continue_link(parameters));
}

// Redirects to the application, which signs in with the code of the link.
http::FullResponse redirect_to_app(const Parameters& parameters) {
    auto url = parameter(parameters, "continueUrl");
    if (!is_http_url(url)) {
        return render_page(400, "This link has no continueUrl",
                           "<p>The app that requested the link must set one.</p>");
    }
    std::string fragment;
    if (auto hash = url.find('#'); hash != std::string::npos) {
        fragment = url.substr(hash);
        url.resize(hash);
    }
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += "mode=signIn&lang=en&oobCode=" + http::percent_encode(parameter(parameters, "oobCode")) +
           "&apiKey=" + http::percent_encode(parameter(parameters, "apiKey")) + fragment;
    http::FullResponse response{.status = 302};
    response.headers.set("Location", url);
    response.headers.set("Cache-Control", "no-store");
    return response;
}

}  // namespace

http::FullResponse render_action_page(Auth& auth, const Parameters& parameters) {
    std::optional<Project> project;
    {
        auto transaction = auth.store->read();
        if (!transaction) return failure_page(transaction.error());
        auto result = find_project_by_key(*transaction, parameter(parameters, "apiKey"));
        if (!result) return failure_page(result.error());
        project = *result;
    }
    if (!project)
        return render_page(400, "This link does not work", "<p>Its apiKey does not belong to a project.</p>");
    auto mode = parameter(parameters, "mode");
    if (mode == "signIn") return redirect_to_app(parameters);
    if (mode == "resetPassword") return reset_password_page(auth, *project, parameters);
    if (mode == "verifyEmail" || mode == "verifyAndChangeEmail" || mode == "recoverEmail") {
        return apply_code_page(auth, *project, parameters);
    }
    return render_page(400, "This link does not work", "<p>Its mode is unknown.</p>");
}

}  // namespace integreat::firebase
