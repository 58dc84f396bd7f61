# SPDX-License-Identifier: Apache-2.0
"""Generates records for every collection of an app from its manifest, with a fixed seed, in each state and with
different kinds of owners. The superuser inserts them, bypassing access rules and life cycles."""

import json
import random
import re._parser as patterns
import subprocess
import uuid

import harness
from access_oracle import App, Caller, Record, RecordSet

RECORDS_PER_COLLECTION = 6  # At least, over both passes of RecordGenerator.record_set.


class SuperuserSession:
    """A psql session as superuser, for which neither triggers nor policies apply."""

    def __init__(self, program: harness.Program, app: str) -> None:
        self.process = subprocess.Popen(
            [*harness.PSQL, "-v", "ON_ERROR_STOP=0"],  # run() detects errors in the output.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=program.database(f"tenant_{app}"),
        )
        harness.kill_at_exit(self.process)
        self.run("SET session_replication_role = replica; SET client_min_messages = error")

    def run(self, sql: str) -> str:
        """Runs statements and returns the output. Fails the test on an error."""
        self.process.stdin.write(sql + ";\n\\echo ---done---\n")
        self.process.stdin.flush()
        output = []
        while (line := self.process.stdout.readline()) != "---done---\n":
            if not line:
                raise AssertionError(f"psql ended: {output}")
            output.append(line)
        if any(line.startswith(("ERROR:", "FATAL:")) for line in output):
            raise AssertionError(f"{sql[:400]}: {''.join(output)}")
        return "".join(output)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


def matching_text(pattern: str, rng: random.Random) -> str:
    """Returns a text that matches the pattern of a field."""
    text = ""
    for kind, argument in patterns.parse(pattern):
        text += matching_part(kind, argument, rng)
    return text


def matching_part(kind, argument, rng: random.Random) -> str:
    match str(kind):
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return "x"
        case "IN":
            if str(argument[0][0]) == "NEGATE":
                return "x"
            ranges = [value if str(of) == "RANGE" else (value, value) for of, value in argument]
            return chr(rng.randint(*rng.choice(ranges)))
        case "MAX_REPEAT":
            minimum, maximum, inner = argument
            times = minimum if minimum == maximum else rng.randint(minimum, min(int(maximum), minimum + 7))
            return "".join(matching_part(*part, rng) for _ in range(times) for part in inner)
        case "SUBPATTERN":
            return "".join(matching_part(*part, rng) for part in argument[3])
        case "BRANCH":
            return "".join(matching_part(*part, rng) for part in rng.choice(argument[1]))
    raise AssertionError(f"patterns with {kind} are not supported here")


class RecordGenerator:
    def __init__(self, app: App, callers: list[Caller], seed: int) -> None:
        self.app, self.rng, self.serial = app, random.Random(seed), 0
        self.callers = [caller for caller in callers if caller.uid and caller.kind != "foreign"]

    def users_for(self, collection: str, name: str) -> list[str]:
        """Returns the users whose roles have a rule that depends on the field; all users if no rule does."""
        roles = set()
        for other, declared in self.app.collections.items():
            actions = ["read", "create", "update", "delete", *declared.get("transitions", {})]
            for rule in (rule for action in actions for rule in self.app.rules(other, action)):
                is_last = rule.get("through", "").rpartition(".")[2] == name
                if (rule.get("owner") == name and other == collection) or is_last:
                    roles |= set(rule.get("roles", [*self.app.roles, "none"]))
        uids = [caller.uid for caller in self.callers if caller.role in roles]
        return uids or [caller.uid for caller in self.callers]

    def value(self, collection: str, name: str, declared: dict, records: RecordSet):
        """Returns a value of the field as it is in JSON."""
        rng = self.rng
        self.serial += 1
        match declared["type"]:
            case "text":
                if "pattern" in declared:
                    return matching_text(declared["pattern"], rng)
                return f"{name} {self.serial}"[: declared.get("max_length", 200)]
            case "integer":
                return rng.randint(declared.get("min", 0), min(declared.get("max", 50), 50))
            case "decimal":
                minimum, maximum = declared.get("min", 0), declared.get("max", 9)
                return f"{rng.uniform(minimum, maximum):.{declared['scale']}f}"
            case "money":
                return {"amount": rng.randint(declared.get("min", 0) + 100, 900_000), "currency": "PHP"}
            case "boolean":
                return rng.random() < 0.5
            case "date":
                return f"20{rng.randint(10, 24)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
            case "timestamp":
                return f"20{rng.randint(10, 24)}-03-{rng.randint(1, 28):02}T08:00:00Z"
            case "enum":
                return rng.choice(declared["values"])
            case "email":
                return f"{name}{self.serial}@example.com"
            case "phone":
                return f"+63917{self.serial % 10**7:07}"
            case "address":
                return {"city": "Marikina", "country": "PH", "barangay": f"Barangay {self.serial}"}
            case "file":
                return {"key": f"files/{self.serial}", "name": "a.pdf"}
            case "reference":
                targets = [record.id for record in records.in_collection(declared["to"]) if not record.deleted]
                return rng.choice(targets) if targets else None
            case "user":
                return rng.choice(self.users_for(collection, name))
            case "list":
                return self.list_value(collection, name, declared)
            case "json":
                return {"serial": self.serial}
        raise AssertionError(f"fields of type {declared['type']} are not supported here")

    def list_value(self, collection: str, name: str, declared: dict) -> list:
        count = min(2, declared.get("max_items", 2))
        if declared["of"] == "user":
            users = self.users_for(collection, name)
            return self.rng.sample(users, min(count, len(users)))
        if declared["of"] == "enum":
            return self.rng.sample(declared["values"], count)
        return [f"{name} {number}" for number in range(count)]

    def record(self, collection: str, records: RecordSet, state: str | None = None) -> Record | None:
        """Returns a new record without conflicts of uniqueness; None if 30 attempts all had one."""
        declared = self.app.collections[collection]
        for _ in range(30):
            values = {
                name: self.value(collection, name, field, records)
                for name, field in declared["fields"].items()
                if "computed" not in field
            }
            if any(
                self.has_conflict(collection, fields, values, records) for fields in self.unique_sets(collection)
            ):
                continue
            creators = self.users_for(collection, "created_by")
            return Record(
                str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
                collection,
                values,
                state,
                self.rng.choice(creators),
            )
        return None

    def unique_sets(self, collection: str) -> list[list[str]]:
        """Returns the sets of fields whose values together are unique."""
        declared = self.app.collections[collection]
        single = [[name] for name, field in declared["fields"].items() if field.get("unique")]
        return [*single, *declared.get("unique", [])]

    def has_conflict(self, collection: str, fields: list[str], values: dict, records: RecordSet) -> bool:
        key = [values[name] for name in fields]
        return None not in key and any(
            key == [one.values.get(name) for name in fields]
            for one in records.in_collection(collection)
            if not one.deleted
        )

    def record_set(self) -> RecordSet:
        """Generates records in two passes, so that references can lead to any collection. Collections with
        soft_delete get a deleted record in each pass."""
        records = RecordSet()
        for _ in range(2):
            for collection, declared in self.app.collections.items():
                states = declared.get("states", {}).get("names", [None])
                for number in range(max(RECORDS_PER_COLLECTION // 2, len(states))):
                    record = self.record(collection, records, states[number % len(states)])
                    if record and not self.lacks_required(record):
                        records.add(record)
                if declared.get("soft_delete"):
                    deleted = self.record(collection, records, states[0])
                    if deleted and not self.lacks_required(deleted):
                        deleted.deleted = True
                        records.add(deleted)
        return records

    def lacks_required(self, record: Record) -> bool:
        fields = self.app.collections[record.collection]["fields"]
        return any(record.values.get(name) is None and fields[name].get("required") for name in record.values)


def sql_literal(declared: dict, value) -> str:
    if value is None:
        return "NULL"
    match declared["type"]:
        case "money":
            return str(value["amount"])
        case "address" | "file" | "json":
            return sql_text(json.dumps(value)) + "::jsonb"
        case "list":
            return f"ARRAY[{', '.join(sql_text(str(item)) for item in value)}]::text[]"
        case _:
            return sql_text(str(value))


def sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def insert_sql(app: App, record: Record) -> str:
    declared = app.collections[record.collection]
    columns = {"id": sql_text(record.id)}
    if record.state:
        columns["state"] = sql_text(record.state)
    columns["created_by"] = sql_text(record.created_by) if record.created_by else "NULL"
    if declared.get("soft_delete"):
        columns["deleted_at"] = "'2020-01-01T00:00:00Z'" if record.deleted else "NULL"
    for name, value in record.values.items():
        columns[name] = sql_literal(declared["fields"][name], value)
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO data.\"{record.collection}\" ({names}) VALUES ({', '.join(columns.values())})"


def restore_sql(app: App, record: Record) -> str:
    return f"DELETE FROM data.\"{record.collection}\" WHERE id = '{record.id}'; {insert_sql(app, record)}"
