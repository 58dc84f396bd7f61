#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The isolation matrix: everybody × every route of every collection × their own, others' and other apps' records.
What must happen is worked out from the manifests by tests/rules.py; what does is asked over HTTP. Nothing may be
allowed that should not be, and nothing refused that should be allowed."""

import collections
import http.client
import json
import sys
import threading
import unittest
import uuid
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import record_fixtures  # noqa: E402
import sign_in  # noqa: E402
from access_oracle import ANONYMOUS, NONE, App, Caller, Record  # noqa: E402

APPS = ("campus", "evntgarde", "pillars", "teleo")
STREAMS = {"/changes"}  # Answers that do not end are looked at no further than their status.
SEEDS = range(1, 400)


class Matrix(threading.Thread):
    """One app, on one connection."""

    def __init__(self, program: harness.Program, name: str) -> None:
        super().__init__(name=name)
        self.program = program
        self.app = App(program.manifests / f"{name}.yaml")
        self.counts: collections.Counter = collections.Counter()
        self.wrong: list[str] = []
        self.failure: BaseException | None = None
        self.foreign: list[str] = []  # Records of the other apps.
        self.superuser = record_fixtures.SuperuserSession(program, name)
        self.connection = self.connect()

    def connect(self) -> http.client.HTTPConnection:
        where = urlsplit(self.program.gateway)
        return http.client.HTTPConnection(where.hostname, where.port, timeout=60)

    def prepare(self) -> None:
        self.routes = self.read_routes()
        self.callers = self.make_callers()
        self.fill()

    def run(self) -> None:
        try:
            for collection in self.app.collections:
                self.walk(collection)
            self.expect_nothing_else_changed()
        except BaseException as failure:  # Told by the test, which joins.
            self.failure = failure
        finally:
            self.connection.close()
            self.superuser.close()

    def read_routes(self) -> dict[str, set[tuple[str, str]]]:
        """Of each collection: methods with what follows its name."""
        listed = self.program.cli("routes", "--json", *self.program.config_options)
        routes: dict[str, set[tuple[str, str]]] = {name: set() for name in self.app.collections}
        for route in json.loads(listed.stdout):
            parts = route["path"].split("/", 5)
            if route["app"] == self.app.name and not route["upstream"] and parts[4] in routes:
                routes[parts[4]].add((route["method"], "/" + parts[5] if len(parts) > 5 else ""))
        return routes

    def make_callers(self) -> list[Caller]:
        program, name = self.program, self.app.name
        callers = [Caller("nobody", ANONYMOUS, None, kind="nobody")]

        def add(label: str, role: str, person: sign_in.Principal, kind: str = "user"):
            callers.append(Caller(label, role, person.uid, person.token, kind))

        for role in self.app.roles:
            for number in (1, 2):
                label = f"{role}{number}"
                add(label, role, sign_in.sign_up(program, name, role, label))
            add(f"key of {role}", role, sign_in.create_api_key(program, name, f"role:{role}"), "key")
        add("no role", NONE, sign_in.sign_up(program, name, "", "plain"))
        add("unknown role", NONE, sign_in.sign_up(program, name, "superuser", "unknown"))
        add("role none", NONE, sign_in.sign_up(program, name, "none", "none"))
        add("anonymously", NONE, sign_in.sign_up(program, name))
        add("key without role", NONE, sign_in.create_api_key(program, name, "feed.read"), "key")
        for other in (*APPS, "integreat-core"):
            if other != name:
                role = "admin" if other != "teleo" else "church_admin"
                stranger = sign_in.Principal(other, role, f"of {other}", program.token(other, role))
                add(f"{role} of {other}", role, stranger, "foreign")
        return callers

    def fill(self) -> None:
        """The first seed with which every rule holds for somebody, and does not for others of its roles."""
        best = None
        for seed in SEEDS:
            maker = record_fixtures.RecordGenerator(self.app, self.callers, seed)
            world = maker.world()
            open_ends = self.uncovered(world)
            if best is None or len(open_ends) < len(best[2]):
                best = (maker, world, open_ends)
            if not open_ends:
                break
        self.maker, self.world, self.open_ends = best
        everything = [record for name in self.app.collections for record in self.world.of(name)]
        self.superuser.run("BEGIN")
        for collection in self.app.collections:  # Of these records too there shall be a history.
            self.superuser.run(f'ALTER TABLE data."{collection}" ENABLE ALWAYS TRIGGER note')
        for record in everything:
            self.superuser.run(record_fixtures.insert_sql(self.app, record))
        self.superuser.run("COMMIT")
        self.counts["records"] = len(everything)

    def uncovered(self, world) -> list[str]:
        missing = []
        for collection, declared in self.app.collections.items():
            for action in ("read", "update", "delete", *declared.get("transitions", {})):
                for number, rule in enumerate(self.app.rules(collection, action)):
                    fitting = [
                        one for one in self.callers if one.kind == "user" and self.app.is_for(rule, one)
                    ]
                    asked = [(r, c) for r in world.of(collection) if not r.deleted for c in fitting]
                    held = sum(self.app.holds(rule, record, caller, world) for record, caller in asked)
                    bound = "owner" in rule or "through" in rule or "states" in rule
                    if held == 0 or (bound and held == len(asked)):
                        missing.append(f"{collection}.{action}[{number}]")
        return missing

    # What is sent, and what is made of the answer.

    def send(self, caller: Caller, method: str, path: str, body=None, close=False, **headers):
        if caller.token:
            headers["Authorization"] = f"Bearer {caller.token}"
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.counts["requests"] += 1
        self.connection.request(method, f"/v1/apps/{self.app.name}/{path}", body=body, headers=headers)
        answer = self.connection.getresponse()
        if close and answer.status == 200:
            answer.close()
            self.connection.close()
            return answer.status, b""
        return answer.status, answer.read()

    def expect(self, what: str, allowed: bool, good: bool, said) -> None:
        """`allowed`: what should have been; `good`: whether it was so."""
        self.counts["allowed" if allowed else "refused"] += 1
        if not good:
            kind = "wrong denial" if allowed else "wrong allow"
            self.wrong.append(f"{kind}: {self.app.name} {what}: {said[0]} {said[1][:300]!r}")

    def gate(self, collection: str, action: str, caller: Caller) -> tuple[Caller, set[int] | None]:
        """Who the caller is to the route, and with what they are refused before any record is asked about."""
        is_open = self.app.is_open(collection, action)
        if caller.kind == "foreign":
            nobody = Caller(caller.name, ANONYMOUS, None, caller.token, "foreign")
            return (nobody, None) if is_open else (caller, {403})
        if caller.kind == "nobody":
            return caller, None if is_open else {401}
        if action == "history":
            return caller, None if self.app.history_of(collection, caller) else {403}
        return caller, None if self.app.rules_for(collection, action, caller) else {403}

    def walk(self, collection: str) -> None:
        for method, tail in sorted(self.routes[collection]):
            action = tail.rpartition("/")[2]
            match method, tail:
                case "GET", "" | "/aggregate" | "/export.csv" | "/changes":
                    visit = self.read_many
                case "GET", "/{id}":
                    visit = self.read_one
                case "GET", "/{id}/history":
                    visit = self.history
                case "POST", "" | "/import":
                    visit = self.create
                case "PATCH", "/{id}":
                    visit = self.patch
                case "DELETE", "/{id}":
                    visit = self.delete
                case "POST", _ if action in self.app.collections[collection].get("transitions", {}):
                    visit = self.transition
                case _:
                    raise AssertionError(
                        f"{method} {collection}{tail}: the matrix does not know such a route"
                    )
            self.counts["routes"] += 1
            for caller in self.callers:
                visit(collection, tail, caller)

    def records_for(self, collection: str, caller: Caller, gated: bool) -> list[Record]:
        """One is enough where no record matters; keys and strangers are spared the rest of the alike."""
        records = self.world.of(collection)
        if gated:
            return records[:1]
        return records[:4] if caller.kind in ("key", "foreign") else records

    # The routes.

    def read_many(self, collection: str, tail: str, caller: Caller) -> None:
        who, gated = self.gate(collection, "read", caller)
        query = {"": "?limit=200", "/aggregate": "?select=count"}.get(tail, "")
        said = self.send(caller, "GET", collection + tail + query, close=tail in STREAMS)
        what = f"{caller.name} GET {collection}{tail}"
        if gated:
            return self.expect(what, False, said[0] in gated, said)
        if said[0] != 200:
            return self.expect(what, True, False, said)
        if tail in STREAMS:  # What is told to whom: tests/isolation_feed_test.py.
            return self.expect(what, True, True, said)
        seen = {one.id for one in self.world.of(collection) if self.app.reads(one, who, self.world)}
        if tail == "":
            items = json.loads(said[1])["items"]
            shown = self.app.shown(collection, who)
            self.expect_set(what, {item["id"] for item in items}, seen, said)
            self.expect(what, False, all(set(item) <= shown for item in items), said)
            self.expect(what, True, all(set(item) == shown for item in items), said)
            self.expand(collection, caller, who)
        elif tail == "/aggregate":
            count = json.loads(said[1])["items"][0]["count"]
            self.expect(what, False, count <= len(seen), said)
            self.expect(what, True, count >= len(seen), said)
        elif tail == "/export.csv":
            lines = said[1].decode().splitlines()[1:]
            self.expect_set(what, {line.split(",")[0].strip('"') for line in lines}, seen, said)

    def expand(self, collection: str, caller: Caller, who: Caller) -> None:
        declared = self.app.collections[collection]["fields"]
        seen = self.app.fields_for(collection, "read", who)
        targets = {name: declared[name]["to"] for name in seen if declared[name]["type"] == "reference"}
        if not targets:
            return
        said = self.send(caller, "GET", f"{collection}?limit=200&expand={','.join(targets)}")
        for item in json.loads(said[1])["items"]:
            record = self.world.records[collection][item["id"]]
            for name, to in targets.items():
                target = self.world.records[to].get(record.values[name])
                reads = bool(target) and self.app.reads(target, who, self.world)
                good = (set(item[name] or ()) == self.app.shown(to, who)) if reads else item[name] is None
                self.expect(
                    f"{caller.name} GET {collection}?expand={name}: {item}", reads, good, (said[0], b"")
                )

    def expect_set(self, what: str, got: set[str], wanted: set[str], said) -> None:
        self.expect(f"{what} shows {got - wanted}", False, not got - wanted, said)
        self.expect(f"{what} hides {wanted - got}", True, not wanted - got, said)

    def read_one(self, collection: str, tail: str, caller: Caller) -> None:
        who, gated = self.gate(collection, "read", caller)
        for record in self.records_for(collection, caller, bool(gated)):
            said = self.send(caller, "GET", f"{collection}/{record.id}")
            what = f"{caller.name} GET {collection}/{record.id}"
            if not gated and self.app.reads(record, who, self.world):
                good = said[0] == 200 and set(json.loads(said[1])) == self.app.shown(collection, who)
                self.expect(what, True, good, said)
            else:
                self.expect(what, False, said[0] in (gated or {404}), said)
        for foreign in self.foreign_ids(collection):
            said = self.send(caller, "GET", f"{collection}/{foreign}")
            self.expect(f"{caller.name} GET {collection}/{foreign}", False, said[0] in (gated or {404}), said)

    def foreign_ids(self, collection: str) -> list[str]:
        """Of another collection, of another app, of nothing."""
        other = next(name for name in self.app.collections if name != collection)
        foreign = [self.world.of(other)[0].id, str(uuid.UUID(int=7))]
        return [*foreign, *self.foreign]

    def history(self, collection: str, tail: str, caller: Caller) -> None:
        _, gated = self.gate(collection, "history", caller)
        for record in self.records_for(collection, caller, bool(gated)):
            said = self.send(caller, "GET", f"{collection}/{record.id}/history")
            what = f"{caller.name} GET {collection}/{record.id}/history"
            may = not gated and self.app.reads_history(record, caller, self.world)
            self.expect(what, may, said[0] == 200 if may else said[0] in (gated or {404}), said)
            if said[0] == 200:
                parts = {name for item in json.loads(said[1])["items"] for name in item.get("changes", {})}
                shown = {*self.app.shown(collection, caller), "deleted_at"}
                self.expect(f"{what} shows {parts - shown}", False, parts <= shown, said)

    def create(self, collection: str, tail: str, caller: Caller) -> None:
        _, gated = self.gate(collection, "create", caller)
        writable = self.app.fields_for(collection, "create", caller)
        initial = self.app.collections[collection].get("states", {}).get("initial")
        for number in range(1 if gated else 6):
            fresh = self.maker.record(collection, self.world, initial)
            if not fresh:
                return
            values = {name: value for name, value in fresh.values.items() if name in writable or gated}
            new = self.with_defaults(fresh, values, caller)
            may = not gated and self.app.may("create", new, caller, self.world, states=False)
            may = may and self.sees_references(collection, values, caller)
            what = f"{caller.name} POST {collection}{tail} {values}"
            if tail:
                return self.bring_in(what, collection, caller, gated)
            said = self.send(caller, "POST", collection, values)
            good = said[0] in ((201,) if may else gated or {400, 403})
            self.expect(what, may, good, said)
            if said[0] == 201:
                self.forget_new(collection)
            hidden = [name for name in fresh.values if name not in values]
            if not gated and number == 0 and hidden:
                more = {**values, hidden[0]: fresh.values[hidden[0]]}
                said = self.send(caller, "POST", collection, more)
                self.expect(f"{what} with {hidden[0]}", False, said[0] == 400, said)

    def bring_in(self, what: str, collection: str, caller: Caller, gated) -> None:
        """An import without a line of data tells only who may import."""
        said = self.send(caller, "POST", f"{collection}/import", b"", Content_Type="text/csv")
        self.expect(what, not gated, said[0] in (gated or {200, 201, 400, 415}), said)

    def with_defaults(self, fresh: Record, values: dict, caller: Caller) -> Record:
        declared = self.app.collections[fresh.collection]["fields"]
        callers = {name: caller.uid for name, one in declared.items() if one.get("default") == "caller"}
        return Record(fresh.id, fresh.collection, {**callers, **values}, fresh.state, caller.uid)

    def sees_references(self, collection: str, values: dict, caller: Caller) -> bool:
        declared = self.app.collections[collection]["fields"]
        for name, value in values.items():
            if declared[name]["type"] == "reference" and value:
                target = self.world.records[declared[name]["to"]][value]
                if not self.app.reads(target, caller, self.world):
                    return False
        return True

    def forget_new(self, collection: str) -> None:
        known = ", ".join(f"'{record.id}'" for record in self.world.of(collection))
        self.superuser.run(f'DELETE FROM data."{collection}" WHERE id NOT IN ({known})')

    def patch(self, collection: str, tail: str, caller: Caller) -> None:
        who, gated = self.gate(collection, "update", caller)
        declared = self.app.collections[collection]["fields"]
        writable = self.app.fields_for(collection, "update", caller)
        if gated:
            writable = list(declared)
        plain = [name for name in writable if declared[name]["type"] not in ("reference", "user", "list")]
        field = next((name for name in reversed(plain) if not declared[name].get("unique")), None)
        if not field:
            return
        for record in self.records_for(collection, caller, bool(gated)):
            body = {field: self.maker.value(collection, field, declared[field], self.world)}
            said = self.send(caller, "PATCH", f"{collection}/{record.id}", body, If_Match="*")
            what = f"{caller.name} PATCH {collection}/{record.id} {body}"
            reads = not gated and self.app.reads(record, who, self.world)
            may = reads and self.app.may("update", record, who, self.world)
            self.expect(
                what, may, said[0] == 200 if may else said[0] in (gated or {403 if reads else 404}), said
            )
            if said[0] == 200:
                self.superuser.run(record_fixtures.restore_sql(self.app, record))
            others = [name for name in declared if name not in writable]
            if not gated and others:
                body = {others[0]: record.values.get(others[0])}
                said = self.send(caller, "PATCH", f"{collection}/{record.id}", body, If_Match="*")
                self.expect(f"{what} but {others[0]}", False, said[0] == 400, said)

    def delete(self, collection: str, tail: str, caller: Caller) -> None:
        who, gated = self.gate(collection, "delete", caller)
        for original in self.records_for(collection, caller, bool(gated)):
            # A copy, to which nothing refers.
            copy = self.maker.record(collection, self.world, original.state)
            if not copy:
                continue
            copy.deleted = original.deleted
            unique = {name for fields in self.maker.unique_sets(collection) for name in fields}
            kept = {name: value for name, value in original.values.items() if name not in unique}
            copy.values.update(kept)
            copy.created_by = original.created_by
            self.world.add(copy)
            self.superuser.run(record_fixtures.insert_sql(self.app, copy))
            said = self.send(caller, "DELETE", f"{collection}/{copy.id}", If_Match="*")
            reads = not gated and self.app.reads(copy, who, self.world)
            may = reads and self.app.may("delete", copy, who, self.world)
            good = said[0] == 204 if may else said[0] in (gated or {403 if reads else 404})
            self.expect(f"{caller.name} DELETE {collection}/{copy.id}", may, good, said)
            there = self.superuser.run(f"SELECT count(*) FROM data.\"{collection}\" WHERE id = '{copy.id}'")
            if not may:
                self.expect(f"{caller.name} DELETE {collection}: gone", False, there.strip() == "1", said)
            self.world.remove(copy)
            self.superuser.run(f"DELETE FROM data.\"{collection}\" WHERE id = '{copy.id}'")

    def transition(self, collection: str, tail: str, caller: Caller) -> None:
        name = tail.rpartition("/")[2]
        who, gated = self.gate(collection, name, caller)
        declared = self.app.collections[collection]
        transition = declared["transitions"][name]
        for record in self.records_for(collection, caller, bool(gated)):
            body = {
                field: self.maker.value(collection, field, declared["fields"][field], self.world)
                for field in transition.get("accepts", [])
            }
            said = self.send(caller, "POST", f"{collection}/{record.id}/{name}", body)
            what = f"{caller.name} POST {collection}/{record.id}/{name} {body} in {record.state}"
            reads = not gated and self.app.reads(record, who, self.world)
            may = reads and self.app.may(name, record, who, self.world)
            starts = record.state in transition["from"]
            problem = json.loads(said[1]).get("type", "").rpartition("/")[2] if said[0] != 200 else ""
            if may and starts:
                good = said[0] == 200 or problem in ("incomplete", "guard-failed")
                self.counts["conditions"] += said[0] != 200
            elif reads:
                good = (
                    problem == "wrong-state"
                    if may
                    else problem == "forbidden" or not starts and said[0] == 409
                )
            else:
                good = said[0] in (gated or {404})
            self.expect(what, may and starts, good, said)
            if said[0] == 200:
                self.superuser.run(record_fixtures.restore_sql(self.app, record))

    def expect_nothing_else_changed(self) -> None:
        """What was refused has left no trace: every record is as it was put there, and there are no others."""
        for collection in self.app.collections:
            known = self.world.of(collection)
            found = self.superuser.run(f'SELECT id FROM data."{collection}" ORDER BY 1').split()
            self.expect(
                f"{collection} has other records", False, found == sorted(r.id for r in known), (0, b"")
            )
            for record in known:
                columns = self.same_sql(record)
                same = self.superuser.run(
                    f"SELECT {columns} FROM data.\"{collection}\" WHERE id = '{record.id}'"
                )
                self.expect(
                    f"{collection}/{record.id} has changed", False, same.strip() == "t", (0, same.encode())
                )

    def same_sql(self, record: Record) -> str:
        fields = self.app.collections[record.collection]["fields"]
        parts = [
            f'"{name}" IS NOT DISTINCT FROM {record_fixtures.sql_literal(fields[name], value)}'
            for name, value in record.values.items()
        ]
        if record.state:
            parts.append(f"state = '{record.state}'")
        return " AND ".join(parts) or "true"


class Isolation(unittest.TestCase):
    def test_nobody_gets_past_the_rules_and_nobody_is_kept_from_what_they_may(self):
        program = sign_in.start_program()
        self.addCleanup(program.remove)
        matrices = [Matrix(program, name) for name in APPS]
        for matrix in matrices:
            matrix.prepare()
        for matrix in matrices:
            others = [other for other in matrices if other is not matrix]
            matrix.foreign = [
                other.world.of(name)[0].id for other in others for name in other.app.collections
            ][::9]
        for matrix in matrices:
            matrix.start()
        for matrix in matrices:
            matrix.join()
        total: collections.Counter = sum((matrix.counts for matrix in matrices), collections.Counter())
        wrong = [line for matrix in matrices for line in matrix.wrong]
        print(
            f"\n{total['requests']} requests of {sum(len(m.callers) for m in matrices)} callers to "
            f"{total['routes']} routes about {total['records']} records: {total['allowed']} things expected to be "
            f"allowed, {total['refused']} to be refused ({total['conditions']} allowed but for a guard); wrong allows "
            f"{sum(line.startswith('wrong allow') for line in wrong)}, wrong denials "
            f"{sum(line.startswith('wrong denial') for line in wrong)}"
        )
        for matrix in matrices:
            if matrix.failure:
                raise matrix.failure
            self.assertEqual(matrix.open_ends, [], "rules that no record tries, or that hold for all")
        self.assertEqual(wrong[:20], [])


if __name__ == "__main__":
    harness.main()
