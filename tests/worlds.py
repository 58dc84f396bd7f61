# SPDX-License-Identifier: Apache-2.0
"""Records for every collection of an app, made from its manifest with a fixed seed and put into its database by
the superuser, past rules and life cycles: in each state, of each sort of owner."""

import json
import random
import re._parser as patterns
import subprocess
import uuid

import harness
from rules import App, Caller, Record, World

RECORDS_LEAST = 6


class Superuser:
    """One psql that stays. No trigger and no policy binds it."""

    def __init__(self, program: harness.Program, app: str) -> None:
        self.process = subprocess.Popen(
            [*harness.PSQL, "-v", "ON_ERROR_STOP=0"],  # run() reads what it says.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=program.database(f"tenant_{app}"),
        )
        harness.end_at_exit(self.process)
        self.run("SET session_replication_role = replica; SET client_min_messages = error")

    def run(self, sql: str) -> str:
        self.process.stdin.write(sql + ";\n\\echo ---done---\n")
        self.process.stdin.flush()
        said = []
        while (line := self.process.stdout.readline()) != "---done---\n":
            if not line:
                raise AssertionError(f"psql ended: {said}")
            said.append(line)
        if any(line.startswith(("ERROR:", "FATAL:")) for line in said):
            raise AssertionError(f"{sql[:400]}: {''.join(said)}")
        return "".join(said)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


def matching(pattern: str, chance: random.Random) -> str:
    """A text that the pattern of a field takes."""
    text = ""
    for kind, argument in patterns.parse(pattern):
        text += one_of(kind, argument, chance)
    return text


def one_of(kind, argument, chance: random.Random) -> str:
    match str(kind):
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return "x"
        case "IN":
            if str(argument[0][0]) == "NEGATE":
                return "x"
            ranges = [value if str(of) == "RANGE" else (value, value) for of, value in argument]
            return chr(chance.randint(*chance.choice(ranges)))
        case "MAX_REPEAT":
            least, most, inner = argument
            times = least if least == most else chance.randint(least, min(int(most), least + 7))
            return "".join(one_of(*part, chance) for _ in range(times) for part in inner)
        case "SUBPATTERN":
            return "".join(one_of(*part, chance) for part in argument[3])
        case "BRANCH":
            return "".join(one_of(*part, chance) for part in chance.choice(argument[1]))
    raise AssertionError(f"patterns with {kind} are not made here")


class Maker:
    def __init__(self, app: App, callers: list[Caller], seed: int) -> None:
        self.app, self.chance, self.serial = app, random.Random(seed), 0
        self.callers = [caller for caller in callers if caller.uid and caller.kind != "foreign"]

    def users_for(self, collection: str, name: str) -> list[str]:
        """Those in whose roles the field matters to some rule; everybody if it is to none."""
        wanted = set()
        for other, declared in self.app.collections.items():
            actions = ["read", "create", "update", "delete", *declared.get("transitions", {})]
            for rule in (rule for action in actions for rule in self.app.rules(other, action)):
                end = rule.get("through", "").rpartition(".")[2] == name
                if (rule.get("owner") == name and other == collection) or end:
                    wanted |= set(rule.get("roles", [*self.app.roles, "none"]))
        fitting = [caller.uid for caller in self.callers if caller.role in wanted]
        return fitting or [caller.uid for caller in self.callers]

    def value(self, collection: str, name: str, declared: dict, world: World):
        """As on the wire."""
        chance = self.chance
        self.serial += 1
        match declared["type"]:
            case "text":
                if "pattern" in declared:
                    return matching(declared["pattern"], chance)
                return f"{name} {self.serial}"[: declared.get("length_max", 200)]
            case "integer":
                return chance.randint(declared.get("least", 0), min(declared.get("most", 50), 50))
            case "decimal":
                least, most = declared.get("least", 0), declared.get("most", 9)
                return f"{chance.uniform(least, most):.{declared['scale']}f}"
            case "money":
                return {"amount": chance.randint(declared.get("least", 0) + 100, 900_000), "currency": "PHP"}
            case "boolean":
                return chance.random() < 0.5
            case "date":
                return f"20{chance.randint(10, 24)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
            case "timestamp":
                return f"20{chance.randint(10, 24)}-03-{chance.randint(1, 28):02}T08:00:00Z"
            case "enum":
                return chance.choice(declared["values"])
            case "email":
                return f"{name}{self.serial}@example.com"
            case "phone":
                return f"+63917{self.serial % 10**7:07}"
            case "address":
                return {"city": "Marikina", "country": "PH", "barangay": f"Barangay {self.serial}"}
            case "file":
                return {"key": f"files/{self.serial}", "name": "a.pdf"}
            case "reference":
                there = [record.id for record in world.of(declared["to"]) if not record.deleted]
                return chance.choice(there) if there else None
            case "user":
                return chance.choice(self.users_for(collection, name))
            case "list":
                return self.list_value(collection, name, declared)
            case "json":
                return {"asked": self.serial}
        raise AssertionError(f"fields of type {declared['type']} are not made here")

    def list_value(self, collection: str, name: str, declared: dict) -> list:
        count = min(2, declared.get("items_max", 2))
        if declared["of"] == "user":
            users = self.users_for(collection, name)
            return self.chance.sample(users, min(count, len(users)))
        if declared["of"] == "enum":
            return self.chance.sample(declared["values"], count)
        return [f"{name} {number}" for number in range(count)]

    def record(self, collection: str, world: World, state: str | None = None) -> Record | None:
        """A new one that breaks no uniqueness; None if chance would not have it."""
        declared = self.app.collections[collection]
        for _ in range(30):
            values = {
                name: self.value(collection, name, field, world)
                for name, field in declared["fields"].items()
                if "computed" not in field
            }
            if any(self.taken(collection, fields, values, world) for fields in self.unique_sets(collection)):
                continue
            creators = self.users_for(collection, "created_by")
            return Record(
                str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
                collection,
                values,
                state,
                self.chance.choice(creators),
            )
        return None

    def unique_sets(self, collection: str) -> list[list[str]]:
        declared = self.app.collections[collection]
        alone = [[name] for name, field in declared["fields"].items() if field.get("unique")]
        return [*alone, *declared.get("unique", [])]

    def taken(self, collection: str, fields: list[str], values: dict, world: World) -> bool:
        wanted = [values[name] for name in fields]
        return None not in wanted and any(
            wanted == [one.values.get(name) for name in fields]
            for one in world.of(collection)
            if not one.deleted
        )

    def world(self) -> World:
        """Twice, so that references may lead to any collection, and half of the soft-deleted ones be deleted."""
        world = World()
        for _ in range(2):
            for collection, declared in self.app.collections.items():
                states = declared.get("states", {}).get("names", [None])
                for number in range(max(RECORDS_LEAST // 2, len(states))):
                    record = self.record(collection, world, states[number % len(states)])
                    if record and not self.lacks(record):
                        world.add(record)
                if declared.get("soft_delete"):
                    gone = self.record(collection, world, states[0])
                    if gone and not self.lacks(gone):
                        gone.deleted = True
                        world.add(gone)
        return world

    def lacks(self, record: Record) -> bool:
        fields = self.app.collections[record.collection]["fields"]
        return any(record.values.get(name) is None and fields[name].get("required") for name in record.values)


def literal(declared: dict, value) -> str:
    if value is None:
        return "NULL"
    match declared["type"]:
        case "money":
            return str(value["amount"])
        case "address" | "file" | "json":
            return quoted(json.dumps(value)) + "::jsonb"
        case "list":
            return f"ARRAY[{', '.join(quoted(str(item)) for item in value)}]::text[]"
        case _:
            return quoted(str(value))


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def insert_sql(app: App, record: Record) -> str:
    declared = app.collections[record.collection]
    columns = {"id": quoted(record.id)}
    if record.state:
        columns["state"] = quoted(record.state)
    columns["created_by"] = quoted(record.created_by) if record.created_by else "NULL"
    if declared.get("soft_delete"):
        columns["deleted_at"] = "'2020-01-01T00:00:00Z'" if record.deleted else "NULL"
    for name, value in record.values.items():
        columns[name] = literal(declared["fields"][name], value)
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO data.\"{record.collection}\" ({names}) VALUES ({', '.join(columns.values())})"


def restore_sql(app: App, record: Record) -> str:
    return f"DELETE FROM data.\"{record.collection}\" WHERE id = '{record.id}'; {insert_sql(app, record)}"
