// SPDX-License-Identifier: Apache-2.0
// The page for links in e-mails, /emulator/action. It applies the code of the link (verify, change, recover)
// or shows a form for the new password, without JavaScript.
#pragma once

#include "cloud/firebase/tokens/auth.h"

namespace integreat::firebase {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// Renders the page; `parameters` are those of the link or of the submitted form.
http::FullResponse render_action_page(Auth& auth, const Parameters& parameters);

}  // namespace integreat::firebase
