# SPDX-License-Identifier: Apache-2.0
"""What manifests say about who may do what, read once more and by other means than the program's own: no SQL, no
policies, but each rule asked of each record in memory (docs/data.md, "Rules"). What the tests expect comes from here.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

NONE, ANONYMOUS = "none", "anonymous"  # Signed in without a role of the app; not signed in.
SYSTEM = ["id", "state", "created_at", "created_by", "updated_at", "version"]


@dataclass
class Caller:
    name: str
    role: str  # Of the app, or NONE or ANONYMOUS.
    uid: str | None
    token: str = field(default="", repr=False)
    kind: str = "user"  # user | key | nobody | foreign


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


class World:
    """Records of one app."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Record]] = {}

    def add(self, record: Record) -> None:
        self.records.setdefault(record.collection, {})[record.id] = record

    def remove(self, record: Record) -> None:
        del self.records[record.collection][record.id]

    def of(self, collection: str) -> list[Record]:
        return list(self.records.get(collection, {}).values())


class App:
    def __init__(self, manifest: Path) -> None:
        document = yaml.safe_load(manifest.read_text())
        self.name: str = document["app"]
        self.roles: list[str] = document["roles"]
        self.collections: dict[str, dict] = document["collections"]

    def rules(self, collection: str, action: str) -> list[dict]:
        """Of read, create, update, delete, or of a transition by its name."""
        declared = self.collections[collection]
        if action in declared.get("transitions", {}):
            return declared["transitions"][action]["allow"]
        return declared["access"].get(action, [])

    def is_for(self, rule: dict, caller: Caller) -> bool:
        """Whether it may hold for the caller at all, whatever the record is."""
        if rule.get("public"):
            return True
        if caller.role == ANONYMOUS:
            return False
        return "roles" not in rule or caller.role in rule["roles"]

    def rules_for(self, collection: str, action: str, caller: Caller) -> list[dict]:
        return [rule for rule in self.rules(collection, action) if self.is_for(rule, caller)]

    def is_open(self, collection: str, action: str) -> bool:
        return any(rule.get("public") for rule in self.rules(collection, action))

    def holds(self, rule: dict, record: Record, caller: Caller, world: World, states: bool = True) -> bool:
        if not self.is_for(rule, caller):
            return False
        if "owner" in rule and not is_caller(record.value(rule["owner"]), caller):
            return False
        if "through" in rule and not self.leads_to(rule["through"], record, caller, world):
            return False
        return not (states and "states" in rule and record.state not in rule["states"])

    def leads_to(self, path: str, record: Record, caller: Caller, world: World) -> bool:
        *steps, end = re.findall(r"\w+(?:\[\w+\])?", path)
        here = [record]
        for step in steps:
            here = [found for one in here for found in self.step(step, one, world)]
        return any(is_caller(one.value(end), caller) for one in here)

    def step(self, step: str, record: Record, world: World) -> list[Record]:
        backwards = re.fullmatch(r"(\w+)\[(\w+)\]", step)
        if backwards:
            name, reference = backwards.groups()
            found = [one for one in world.of(name) if one.values.get(reference) == record.id]
        else:
            target = self.collections[record.collection]["fields"][step]["to"]
            one = world.records.get(target, {}).get(record.values.get(step))
            found = [one] if one else []
        return [one for one in found if not one.deleted]

    def may(self, action: str, record: Record, caller: Caller, world: World, states: bool = True) -> bool:
        if record.deleted:
            return False
        rules = self.rules(record.collection, action)
        return any(self.holds(rule, record, caller, world, states) for rule in rules)

    def reads(self, record: Record, caller: Caller, world: World) -> bool:
        return self.may("read", record, caller, world)

    def fields_for(self, collection: str, action: str, caller: Caller) -> list[str]:
        """What the caller's role may see or write of a collection's own fields."""
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

    def shown(self, collection: str, caller: Caller) -> set[str]:
        """The members of a record as the caller gets it."""
        stateful = "states" in self.collections[collection]
        system = [name for name in SYSTEM if name != "state" or stateful]
        return {*system, *self.fields_for(collection, "read", caller)}

    def history_of(self, collection: str, caller: Caller) -> bool:
        default = [role for role in self.roles if role == "admin"]
        return caller.role in self.collections[collection].get("history", default)

    def reads_history(self, record: Record, caller: Caller, world: World) -> bool:
        """Who may read all of a collection also reads what became of deleted records."""
        if not self.history_of(record.collection, caller):
            return False
        rules = self.rules_for(record.collection, "read", caller)
        reads_all = any(not {"owner", "through", "states"} & set(rule) for rule in rules)
        return reads_all or self.reads(record, caller, world)


def is_caller(value, caller: Caller) -> bool:
    if caller.uid is None or value is None:
        return False
    return caller.uid in value if isinstance(value, list) else value == caller.uid
