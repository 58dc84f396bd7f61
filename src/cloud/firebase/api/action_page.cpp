// SPDX-License-Identifier: Apache-2.0
#include "cloud/firebase/api/action_page.h"

#include "cloud/firebase/operations/operations.h"
#include "cloud/firebase/store/account_store.h"
#include "http/routing/router.h"

namespace integreat::firebase {

namespace {

std::string parameter(const Parameters& parameters, std::string_view name) {
    for (const auto& [known, value] : parameters) {
        if (known == name) return value;
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

http::Reply page(int status, const std::string& title, const std::string& content) {
    http::Reply reply{.status = status};
    reply.headers.set("Content-Type", "text/html; charset=utf-8");
    reply.headers.set("Cache-Control", "no-store");
    reply.headers.set("Referrer-Policy", "no-referrer");  // The address holds the code.
    reply.headers.set(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'");
    reply.body = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" + title +
                 "</title><style>body{font:16px/1.5 sans-serif;max-width:32em;margin:4em auto;padding:0 1em}"
                 "input,button{font:inherit;padding:.4em}</style><h1>" +
                 title + "</h1>" + content + "</html>";
    return reply;
}

std::string way_on(const Parameters& parameters) {
    auto url = parameter(parameters, "continueUrl");
    if (!is_http_url(url)) return {};
    return "<p><a href=\"" + escape(url) + "\">Continue</a></p>";
}

http::Reply failure_page(const Error& error) {
    auto code = error.message.substr(0, error.message.find(" : "));
    if (code == "EXPIRED_OOB_CODE") {
        return page(400, "This link is too old", "<p>Ask for a new one and use it soon.</p>");
    }
    if (code == "WEAK_PASSWORD") {
        return page(400, "The password is too short",
                    "<p>It needs at least 6 characters. Go back and choose another.</p>");
    }
    if (code == "EMAIL_EXISTS") {
        return page(400, "The address is taken", "<p>Another account uses this e-mail address by now.</p>");
    }
    if (error.fault == Fault::invalid) {
        return page(400, "This link does not work",
                    "<p>It was used already, or a newer one was sent. (" + escape(code) + ")</p>");
    }
    return page(500, "Something went wrong", "<p>" + escape(code) + "</p>");
}

http::Reply reset_form(Auth& auth, const Project& project, const Parameters& parameters) {
    auto transaction = auth.store->read();
    if (!transaction) return failure_page(transaction.error());
    auto code = find_valid_code(*transaction, auth, project, parameter(parameters, "oobCode"));
    if (!code) return failure_page(code.error());
    if (code->kind != "PASSWORD_RESET") return failure_page(refusal("INVALID_OOB_CODE"));
    std::string hidden;
    for (std::string_view name : {"mode", "oobCode", "apiKey", "continueUrl"}) {
        hidden.append("<input type=\"hidden\" name=\"").append(name).append("\" value=\"");
        hidden += escape(parameter(parameters, name)) + "\">";
    }
    return page(200, "Choose a new password",
                "<p>For " + escape(code->email) + "</p><form method=\"post\" action=\"/emulator/action\">" +
                    hidden +
                    "<input type=\"password\" name=\"newPassword\" minlength=\"6\" required"
                    " aria-label=\"New password\"> <button>Save</button></form>");
}

http::Reply reset(Auth& auth, const Project& project, const Parameters& parameters) {
    auto password = parameter(parameters, "newPassword");
    if (password.empty()) return reset_form(auth, project, parameters);
    auto done = confirm_password_reset(auth, project, parameter(parameters, "oobCode"), password);
    if (!done) return failure_page(done.error());
    return page(200, "The password has been changed", "<p>Sign in with it now.</p>" + way_on(parameters));
}

http::Reply apply(Auth& auth, const Project& project, const Parameters& parameters) {
    auto transaction = auth.store->write();
    if (!transaction) return failure_page(transaction.error());
    auto user = apply_oob_code(*transaction, auth, project, parameter(parameters, "oobCode"));
    if (!user) return failure_page(user.error());
    if (auto kept = transaction->commit(); !kept) return failure_page(kept.error());
    return page(200, "Your address has been verified",
                "<p>" + escape(user->email.value_or("")) + "</p>" + way_on(parameters));
}

// The application itself signs in with the link: it is handed on with the code.
http::Reply hand_on(const Parameters& parameters) {
    auto url = parameter(parameters, "continueUrl");
    if (!is_http_url(url)) {
        return page(400, "This link lacks its continueUrl",
                    "<p>The app that asked for it must name one.</p>");
    }
    std::string fragment;
    if (auto hash = url.find('#'); hash != std::string::npos) {
        fragment = url.substr(hash);
        url.resize(hash);
    }
    url += url.find('?') == std::string::npos ? '?' : '&';
    url += "mode=signIn&lang=en&oobCode=" + http::percent_encode(parameter(parameters, "oobCode")) +
           "&apiKey=" + http::percent_encode(parameter(parameters, "apiKey")) + fragment;
    http::Reply reply{.status = 302};
    reply.headers.set("Location", url);
    reply.headers.set("Cache-Control", "no-store");
    return reply;
}

}  // namespace

http::Reply action_page(Auth& auth, const Parameters& parameters) {
    std::optional<Project> project;
    {
        auto transaction = auth.store->read();
        if (!transaction) return failure_page(transaction.error());
        auto found = find_project_by_key(*transaction, parameter(parameters, "apiKey"));
        if (!found) return failure_page(found.error());
        project = *found;
    }
    if (!project)
        return page(400, "This link does not work", "<p>Its apiKey belongs to no project here.</p>");
    auto mode = parameter(parameters, "mode");
    if (mode == "signIn") return hand_on(parameters);
    if (mode == "resetPassword") return reset(auth, *project, parameters);
    if (mode == "verifyEmail" || mode == "verifyAndChangeEmail" || mode == "recoverEmail") {
        return apply(auth, *project, parameters);
    }
    return page(400, "This link does not work", "<p>Its mode is not known.</p>");
}

}  // namespace integreat::firebase
