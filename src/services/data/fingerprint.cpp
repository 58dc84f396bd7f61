// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"
#include "crypto/encoding.h"
#include "services/data/model.h"

namespace integreat::data {

namespace {

constexpr std::size_t fingerprint_digits = 16;

// Every part with its length, so that no two models write the same text.
class Text {
public:
    void add(std::string_view part) {
        text_ += std::to_string(part.size());
        text_ += ':';
        text_ += part;
    }
    void add(std::int64_t number) { add(std::string_view(std::to_string(number))); }
    void add(const std::vector<std::string>& parts) {
        add(static_cast<std::int64_t>(parts.size()));
        for (const auto& part : parts)
            add(part);
    }
    template <class T>
    void add(const std::optional<T>& part) {
        add(std::int64_t{part.has_value()});
        if (part) add(*part);
    }
    const std::string& all() const { return text_; }

private:
    std::string text_;
};

void add_flags(Text& text, std::initializer_list<bool> flags) {
    for (bool flag : flags)
        text.add(std::int64_t{flag});
}

void add_field(Text& text, const Field& field) {
    text.add(field.name);
    text.add(static_cast<std::int64_t>(field.type));
    text.add(static_cast<std::int64_t>(field.element));
    add_flags(text,
              {field.system, field.required, field.unique, field.indexed, field.immutable, field.personal});
    text.add(static_cast<std::int64_t>(field.default_kind));
    text.add(field.default_literal);
    text.add(field.length_min);
    text.add(field.length_max);
    text.add(field.pattern);
    text.add(field.least);
    text.add(field.most);
    text.add(field.digits);
    text.add(field.scale);
    text.add(field.currency);
    text.add(field.values);
    text.add(field.target);
    text.add(static_cast<std::int64_t>(field.on_delete));
    text.add(static_cast<std::int64_t>(field.items_max));
    text.add(static_cast<std::int64_t>(field.bytes_max));
    text.add(field.generated_sql);
    add_flags(text, {field.rollup.has_value()});
    if (field.rollup) {
        for (const auto& part : {field.rollup->operation, field.rollup->collection, field.rollup->reference,
                                 field.rollup->value, field.rollup->weight})
            text.add(part);
    }
}

void add_rules(Text& text, const std::vector<Rule>& rules) {
    text.add(static_cast<std::int64_t>(rules.size()));
    for (const auto& rule : rules) {
        text.add(rule.roles);
        text.add(rule.owner);
        text.add(rule.through ? rule.through->text : "");
        text.add(rule.states);
        text.add(rule.fields);
    }
}

void add_collection(Text& text, const Collection& collection) {
    text.add(collection.name);
    text.add(static_cast<std::int64_t>(collection.fields.size()));
    for (const auto& field : collection.fields)
        add_field(text, field);
    text.add(static_cast<std::int64_t>(collection.unique.size()));
    for (const auto& set : collection.unique)
        text.add(set);
    text.add(collection.search);
    for (const auto& key : collection.sort) {
        text.add(key.field);
        add_flags(text, {key.descending});
    }
    text.add(collection.initial_state);
    text.add(static_cast<std::int64_t>(collection.transitions.size()));
    for (const auto& transition : collection.transitions) {
        text.add(transition.name);
        text.add(transition.from);
        text.add(transition.to);
        add_rules(text, transition.allow);
        text.add(transition.requires_fields);
        text.add(transition.accepts);
        text.add(transition.guard_sql);
        add_flags(text, {transition.publishes});
    }
    for (auto action : {Action::read, Action::create, Action::update, Action::remove})
        add_rules(text, collection.rules(action));
    text.add(collection.history_roles);
    text.add(collection.subject);
    add_flags(text, {collection.soft_delete});
}

}  // namespace

std::string fingerprint_of(const Model& model) {
    Text text;
    text.add(model.app.text);
    text.add(model.roles);
    for (const auto& collection : model.collections)
        add_collection(text, collection);
    return crypto::hex_encode(crypto::as_view(crypto::sha256(text.all()))).substr(0, fingerprint_digits);
}

}  // namespace integreat::data
