// SPDX-License-Identifier: Apache-2.0
// The model of an app's collections, by the names that this component uses. config/ compiles it.
#pragma once

#include "config/model/model.h"

namespace integreat::collections {

using config::Action;
using config::Collection;
using config::Field;
using config::FieldType;
using config::Model;
using config::Path;
using config::role_anonymous;
using config::role_none;
using config::Rollup;
using config::Rule;
using config::Transition;

}  // namespace integreat::collections
