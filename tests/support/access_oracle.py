# SPDX-License-Identifier: Apache-2.0
"""A second implementation of the access rules of manifests (docs/describe-an-app/access-rules.md) as the source of
expected results: without SQL and policies, it evaluates each rule on each record in memory."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

NO_ROLE, UNAUTHENTICATED = "none", "anonymous"  # Signed in without a role of the app; not signed in.
SYSTEM_FIELDS = ["id", "state", "created_at", "created_by", "updated_at", "version"]


@dataclass
class Caller:
    name: str
    role: str  # A role of the app, NO_ROLE or UNAUTHENTICATED.
    uid: str | None
    token: str = field(default="", repr=False)
    kind: str = "user"  # user | key | unauthenticated | foreign


@dataclass
class Record:
    id: str
    collection: str
    values: dict
    state: str | None = None
    created_by: str | None = None
    deleted: bool = False

    def value(self, name: str):
        return self.created_by if name == "created_by" else self.values.get(name)


class RecordSet:
    """The records of one app."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Record]] = {}

    def add(self, record: Record) -> None:
        self.records.setdefault(record.collection, {})[record.id] = record

    def remove(self, record: Record) -> None:
        del self.records[record.collection][record.id]

    def in_collection(self, collection: str) -> list[Record]:
        return list(self.records.get(collection, {}).values())


class App:
    """The roles, collections and access rules of one manifest."""

    def __init__(self, manifest: Path) -> None:
        document = yaml.safe_load(manifest.read_text())
        self.name: str = document["app"]
        self.roles: list[str] = document["roles"]
        self.collections: dict[str, dict] = document["collections"]

    def rules(self, collection: str, action: str) -> list[dict]:
        """Returns the rules for read, create, update, delete or a transition."""
        declared = self.collections[collection]
        if action in declared.get("transitions", {}):
            return declared["transitions"][action]["allow"]
        return declared["access"].get(action, [])

    def is_for_role(self, rule: dict, caller: Caller) -> bool:
        """Returns whether the rule can allow the caller anything, regardless of the record."""
        if rule.get("public"):
            return True
        if caller.role == UNAUTHENTICATED:
            return False
        return "roles" not in rule or caller.role in rule["roles"]

    def rules_for(self, collection: str, action: str, caller: Caller) -> list[dict]:
        return [rule for rule in self.rules(collection, action) if self.is_for_role(rule, caller)]

    def is_public(self, collection: str, action: str) -> bool:
        return any(rule.get("public") for rule in self.rules(collection, action))

    def allows(
        self, rule: dict, record: Record, caller: Caller, records: RecordSet, check_states: bool = True
    ) -> bool:
        """Returns whether the rule allows its action on the record."""
        if not self.is_for_role(rule, caller):
            return False
        if "owner" in rule and not contains_caller(record.value(rule["owner"]), caller):
            return False
        if "through" in rule and not self.path_leads_to(rule["through"], record, caller, records):
            return False
        return not (check_states and "states" in rule and record.state not in rule["states"])

    def path_leads_to(self, path: str, record: Record, caller: Caller, records: RecordSet) -> bool:
        *steps, last_field = re.findall(r"\w+(?:\[\w+\])?", path)
        reached = [record]
        for step in steps:
            reached = [target for source in reached for target in self.follow(step, source, records)]
        return any(contains_caller(one.value(last_field), caller) for one in reached)

    def follow(self, step: str, record: Record, records: RecordSet) -> list[Record]:
        """Returns the records one step of a path away: `reference`, or `collection[reference]` backwards."""
        backwards = re.fullmatch(r"(\w+)\[(\w+)\]", step)
        if backwards:
            name, reference = backwards.groups()
            targets = [one for one in records.in_collection(name) if one.values.get(reference) == record.id]
        else:
            collection = self.collections[record.collection]["fields"][step]["to"]
            target = records.records.get(collection, {}).get(record.values.get(step))
            targets = [target] if target else []
        return [one for one in targets if not one.deleted]

    def is_allowed(
        self, action: str, record: Record, caller: Caller, records: RecordSet, check_states: bool = True
    ) -> bool:
        if record.deleted:
            return False
        rules = self.rules(record.collection, action)
        return any(self.allows(rule, record, caller, records, check_states) for rule in rules)

    def can_read(self, record: Record, caller: Caller, records: RecordSet) -> bool:
        return self.is_allowed("read", record, caller, records)

    def fields_for(self, collection: str, action: str, caller: Caller) -> list[str]:
        """Returns the collection's own fields that the role of the caller can read or write."""
        rules = self.rules_for(collection, action, caller)
        if not rules:
            return []
        named = next((rule["fields"] for rule in rules if "fields" in rule), None)
        fields = self.collections[collection]["fields"]
        return [
            name
            for name, declared in fields.items()
            if (named is None or name in named)
            and (action == "read" or "computed" not in declared)
            and not (action == "update" and declared.get("immutable"))
        ]

    def visible_members(self, collection: str, caller: Caller) -> set[str]:
        """Returns the members of a record in a response to the caller."""
        has_states = "states" in self.collections[collection]
        system = [name for name in SYSTEM_FIELDS if name != "state" or has_states]
        return {*system, *self.fields_for(collection, "read", caller)}

    def can_read_histories(self, collection: str, caller: Caller) -> bool:
        default = [role for role in self.roles if role == "admin"]
        return caller.role in self.collections[collection].get("history", default)

    def can_read_history(self, record: Record, caller: Caller, records: RecordSet) -> bool:
        """Returns whether the caller can read the history of the record. A caller who can read all records of the
        collection can read the histories of deleted ones too."""
        if not self.can_read_histories(record.collection, caller):
            return False
        rules = self.rules_for(record.collection, "read", caller)
        reads_all = any(not {"owner", "through", "states"} & set(rule) for rule in rules)
        return reads_all or self.can_read(record, caller, records)


def contains_caller(value, caller: Caller) -> bool:
    """Returns whether the value of a user field or of a list of users is the caller or contains them."""
    if caller.uid is None or value is None:
        return False
    return caller.uid in value if isinstance(value, list) else value == caller.uid
