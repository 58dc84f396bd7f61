// SPDX-License-Identifier: Apache-2.0
// JSON Schemas (draft 2020-12) of collections for OpenAPI: records, new records and changes. A schema covers
// all roles together; the fields a role may read or write are checked per request.
#pragma once

#include <memory>
#include <string>

#include "http/routing/route.h"
#include "services/collections/model.h"

namespace integreat::collections {

// Returns the app followed by the type name: "CampusStudent".
std::string schema_name(const Model& model, const Collection& collection);
// Returns the collection's title in Pascal case, "Student"; "StudentsRecord", from the name, if the title is
// not unique.
std::string type_name(const Model& model, const Collection& collection);

// Returns NAME, NAME.New, NAME.Change and NAME.Page for each collection, and Money, Address and File.
std::shared_ptr<const http::Components> component_schemas(const Model& model);

// Returns the schema of a transition's request body: the fields it accepts.
std::string transition_schema(const Model& model, const Collection& collection, const Transition& transition);

// Returns the schema of the query parameter that filters by the field.
std::string filter_schema(const Field& field);
// Returns the schema of CSV with the fields of the action: export (read) or import (create).
std::string csv_schema(const Model& model, const Collection& collection, Action action);
// Returns the schema of the change feed's event stream.
std::string feed_schema(const Collection& collection);
// Returns the schema of a page of a record's history.
std::string_view history_schema();
// Returns the schema of a link to a file.
std::string_view file_link_schema();

// Returns {"$ref": "#/components/schemas/NAME"}.
std::string schema_reference(const std::string& name);

}  // namespace integreat::collections
