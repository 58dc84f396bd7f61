// SPDX-License-Identifier: Apache-2.0
// The collections as JSON Schemas (draft 2020-12), for OpenAPI: what a record looks like, what a new one and
// a change may have. They tell of all roles together; what a role may see or write is decided where it asks.
#pragma once

#include <memory>
#include <string>

#include "config/model/model.h"
#include "http/routing/route.h"

namespace integreat::collections {

// "CampusStudent": the app, and the collection's title if no other has the same.
std::string schema_name(const Model& model, const Collection& collection);
// "Student": the same without the app.
std::string type_name(const Model& model, const Collection& collection);

// For each collection NAME, NAME.New, NAME.Change and NAME.Page; Money, Address and File.
std::shared_ptr<const http::Components> component_schemas(const Model& model);

// What a transition accepts, for the body of its request.
std::string accepted_schema(const Model& model, const Collection& collection, const Transition& transition);

// Of the parameter that filters by the field.
std::string filter_schema(const Field& field);
// Comma-separated values that such a role may read or create.
std::string table_schema(const Model& model, const Collection& collection, Action action);
// The change feed.
std::string feed_schema(const Collection& collection);
// A page of a record's history.
std::string_view history_schema();

// {"$ref": "#/components/schemas/NAME"}
std::string schema_reference(const std::string& name);

}  // namespace integreat::collections
