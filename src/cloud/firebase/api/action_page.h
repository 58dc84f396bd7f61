// SPDX-License-Identifier: Apache-2.0
// What a link of an e-mail opens: /emulator/action. It does what the link says (verify, change, recover) or
// asks for the new password, in a page a person can read without JavaScript.
#pragma once

#include "cloud/firebase/tokens/auth.h"

namespace integreat::firebase {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// `parameters` of the link, and of the form once it has been sent.
http::Reply action_page(Auth& auth, const Parameters& parameters);

}  // namespace integreat::firebase
