#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The isolation matrix: all callers × all routes of all collections × their own records, those of others and those of
other apps. The expected results are computed from the manifests by support/access_oracle.py, the actual ones are
obtained over HTTP. No request may be allowed that must be refused, or refused that must be allowed."""

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
from access_oracle import NO_ROLE, UNAUTHENTICATED, App, Caller, Record, RecordSet  # noqa: E402

APPS = ("campus", "evntgarde", "pillars", "teleo")
STREAMS = {"/changes"}  # Responses without an end, of which only the status is checked.
SEEDS = range(1, 400)


class Matrix(threading.Thread):
    """The matrix of one app, over one connection."""

    def __init__(self, program: harness.Program, name: str) -> None:
        super().__init__(name=name)
        self.program = program
        self.app = App(program.manifests / f"{name}.yaml")
        self.counts: collections.Counter = collections.Counter()
        self.wrong: list[str] = []
        self.failure: BaseException | None = None
        self.foreign: list[str] = []  # Ids of records of the other apps.
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
        except BaseException as failure:  # Raised by the test after join().
            self.failure = failure
        finally:
            self.connection.close()
            self.superuser.close()

    def read_routes(self) -> dict[str, set[tuple[str, str]]]:
        """Returns (method, path after the name of the collection) of the routes of each collection."""
        listed = self.program.cli("routes", "--json", *self.program.config_options)
        routes: dict[str, set[tuple[str, str]]] = {name: set() for name in self.app.collections}
        for route in json.loads(listed.stdout):
            parts = route["path"].split("/", 5)
            if route["app"] == self.app.name and not route["upstream"] and parts[4] in routes:
                routes[parts[4]].add((route["method"], "/" + parts[5] if len(parts) > 5 else ""))
        return routes

    def make_callers(self) -> list[Caller]:
        program, name = self.program, self.app.name
        callers = [Caller("unauthenticated", UNAUTHENTICATED, None, kind="unauthenticated")]

        def add(label: str, role: str, principal: sign_in.Principal, kind: str = "user"):
            callers.append(Caller(label, role, principal.uid, principal.token, kind))

        for role in self.app.roles:
            for number in (1, 2):
                label = f"{role}{number}"
                add(label, role, sign_in.sign_up(program, name, role, label))
            add(f"key of {role}", role, sign_in.create_api_key(program, name, f"role:{role}"), "key")
        add("no role", NO_ROLE, sign_in.sign_up(program, name, "", "plain"))
        add("unknown role", NO_ROLE, sign_in.sign_up(program, name, "superuser", "unknown"))
        add("role none", NO_ROLE, sign_in.sign_up(program, name, "none", "none"))
        add("anonymously", NO_ROLE, sign_in.sign_up(program, name))
        add("key without role", NO_ROLE, sign_in.create_api_key(program, name, "feed.read"), "key")
        for other in (*APPS, "integreat-core"):
            if other != name:
                role = "admin" if other != "teleo" else "church_admin"
                foreign = sign_in.Principal(other, role, f"of {other}", program.token(other, role))
                add(f"{role} of {other}", role, foreign, "foreign")
        return callers

    def fill(self) -> None:
        """Inserts records of the first seed with which every rule allows some caller, and refuses others of its roles."""
        best = None
        for seed in SEEDS:
            generator = record_fixtures.RecordGenerator(self.app, self.callers, seed)
            records = generator.record_set()
            uncovered = self.find_uncovered_rules(records)
            if best is None or len(uncovered) < len(best[2]):
                best = (generator, records, uncovered)
            if not uncovered:
                break
        self.generator, self.records, self.uncovered = best
        everything = [record for name in self.app.collections for record in self.records.in_collection(name)]
        self.superuser.run("BEGIN")
        for collection in self.app.collections:  # So that these records have a history too.
            self.superuser.run(f'ALTER TABLE data."{collection}" ENABLE ALWAYS TRIGGER note')
        for record in everything:
            self.superuser.run(record_fixtures.insert_sql(self.app, record))
        self.superuser.run("COMMIT")
        self.counts["records"] = len(everything)

    def find_uncovered_rules(self, records: RecordSet) -> list[str]:
        """Returns the rules that allow no caller or, despite a condition, all callers of their roles."""
        uncovered = []
        for collection, declared in self.app.collections.items():
            for action in ("read", "update", "delete", *declared.get("transitions", {})):
                for number, rule in enumerate(self.app.rules(collection, action)):
                    callers = [
                        one for one in self.callers if one.kind == "user" and self.app.is_for_role(rule, one)
                    ]
                    pairs = [
                        (r, c) for r in records.in_collection(collection) if not r.deleted for c in callers
                    ]
                    allowed = sum(self.app.allows(rule, record, caller, records) for record, caller in pairs)
                    is_conditional = "owner" in rule or "through" in rule or "states" in rule
                    if allowed == 0 or (is_conditional and allowed == len(pairs)):
                        uncovered.append(f"{collection}.{action}[{number}]")
        return uncovered

    # Requests and the evaluation of responses.

    def send(self, caller: Caller, method: str, path: str, body=None, close=False, **headers):
        if caller.token:
            headers["Authorization"] = f"Bearer {caller.token}"
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.counts["requests"] += 1
        self.connection.request(method, f"/v1/apps/{self.app.name}/{path}", body=body, headers=headers)
        response = self.connection.getresponse()
        if close and response.status == 200:
            response.close()
            self.connection.close()
            return response.status, b""
        return response.status, response.read()

    def expect(self, what: str, allowed: bool, good: bool, response) -> None:
        """Counts a check. `allowed`: the expected result; `good`: whether the response is as expected."""
        self.counts["allowed" if allowed else "refused"] += 1
        if not good:
            kind = "wrong denial" if allowed else "wrong allow"
            self.wrong.append(f"{kind}: {self.app.name} {what}: {response[0]} {response[1][:300]!r}")

    def check_route(self, collection: str, action: str, caller: Caller) -> tuple[Caller, set[int] | None]:
        """Returns the caller as the route identifies them, and the statuses with which the route refuses them before
        reading a record; None if it does not."""
        is_public = self.app.is_public(collection, action)
        if caller.kind == "foreign":
            unauthenticated = Caller(caller.name, UNAUTHENTICATED, None, caller.token, "foreign")
            return (unauthenticated, None) if is_public else (caller, {403})
        if caller.kind == "unauthenticated":
            return caller, None if is_public else {401}
        if action == "history":
            return caller, None if self.app.can_read_histories(collection, caller) else {403}
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
                case "GET", _ if tail.startswith("/{id}/files/"):
                    visit = self.open_file
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
                        f"{method} {collection}{tail}: the matrix has no check for this route"
                    )
            self.counts["routes"] += 1
            for caller in self.callers:
                visit(collection, tail, caller)

    def records_for(self, collection: str, caller: Caller, is_refused: bool) -> list[Record]:
        """Returns one record if the route refuses the caller, and few for keys and foreign callers, to save requests."""
        records = self.records.in_collection(collection)
        if is_refused:
            return records[:1]
        return records[:4] if caller.kind in ("key", "foreign") else records

    # Checks of the routes.

    def read_many(self, collection: str, tail: str, caller: Caller) -> None:
        identity, refusals = self.check_route(collection, "read", caller)
        query = {"": "?limit=200", "/aggregate": "?select=count"}.get(tail, "")
        response = self.send(caller, "GET", collection + tail + query, close=tail in STREAMS)
        what = f"{caller.name} GET {collection}{tail}"
        if refusals:
            return self.expect(what, False, response[0] in refusals, response)
        if response[0] != 200:
            return self.expect(what, True, False, response)
        if tail in STREAMS:  # The events are checked by isolation_feed_test.py.
            return self.expect(what, True, True, response)
        visible = {
            one.id for one in self.records.in_collection(collection) if self.app.can_read(one, identity, self.records)
        }
        if tail == "":
            items = json.loads(response[1])["items"]
            members = self.app.visible_members(collection, identity)
            self.expect_set(what, {item["id"] for item in items}, visible, response)
            self.expect(what, False, all(set(item) <= members for item in items), response)
            self.expect(what, True, all(set(item) == members for item in items), response)
            self.expand(collection, caller, identity)
        elif tail == "/aggregate":
            count = json.loads(response[1])["items"][0]["count"]
            self.expect(what, False, count <= len(visible), response)
            self.expect(what, True, count >= len(visible), response)
        elif tail == "/export.csv":
            lines = response[1].decode().splitlines()[1:]
            self.expect_set(what, {line.split(",")[0].strip('"') for line in lines}, visible, response)

    def expand(self, collection: str, caller: Caller, identity: Caller) -> None:
        declared = self.app.collections[collection]["fields"]
        readable = self.app.fields_for(collection, "read", identity)
        targets = {name: declared[name]["to"] for name in readable if declared[name]["type"] == "reference"}
        if not targets:
            return
        response = self.send(caller, "GET", f"{collection}?limit=200&expand={','.join(targets)}")
        for item in json.loads(response[1])["items"]:
            record = self.records.records[collection][item["id"]]
            for name, to in targets.items():
                target = self.records.records[to].get(record.values[name])
                reads = bool(target) and self.app.can_read(target, identity, self.records)
                good = (set(item[name] or ()) == self.app.visible_members(to, identity)) if reads else item[name] is None
                self.expect(
                    f"{caller.name} GET {collection}?expand={name}: {item}", reads, good, (response[0], b"")
                )

    def expect_set(self, what: str, got: set[str], expected: set[str], response) -> None:
        self.expect(f"{what} shows {got - expected}", False, not got - expected, response)
        self.expect(f"{what} hides {expected - got}", True, not expected - got, response)

    def read_one(self, collection: str, tail: str, caller: Caller) -> None:
        identity, refusals = self.check_route(collection, "read", caller)
        for record in self.records_for(collection, caller, bool(refusals)):
            response = self.send(caller, "GET", f"{collection}/{record.id}")
            what = f"{caller.name} GET {collection}/{record.id}"
            if not refusals and self.app.can_read(record, identity, self.records):
                good = response[0] == 200 and set(json.loads(response[1])) == self.app.visible_members(collection, identity)
                self.expect(what, True, good, response)
            else:
                self.expect(what, False, response[0] in (refusals or {404}), response)
        for foreign in self.foreign_ids(collection):
            response = self.send(caller, "GET", f"{collection}/{foreign}")
            self.expect(f"{caller.name} GET {collection}/{foreign}", False, response[0] in (refusals or {404}), response)

    def foreign_ids(self, collection: str) -> list[str]:
        """Returns ids of a record of another collection, of no record, and of records of other apps."""
        other = next(name for name in self.app.collections if name != collection)
        foreign = [self.records.in_collection(other)[0].id, str(uuid.UUID(int=7))]
        return [*foreign, *self.foreign]

    def history(self, collection: str, tail: str, caller: Caller) -> None:
        _, refusals = self.check_route(collection, "history", caller)
        for record in self.records_for(collection, caller, bool(refusals)):
            response = self.send(caller, "GET", f"{collection}/{record.id}/history")
            what = f"{caller.name} GET {collection}/{record.id}/history"
            may = not refusals and self.app.can_read_history(record, caller, self.records)
            self.expect(what, may, response[0] == 200 if may else response[0] in (refusals or {404}), response)
            if response[0] == 200:
                names = {name for item in json.loads(response[1])["items"] for name in item.get("changes", {})}
                members = {*self.app.visible_members(collection, caller), "deleted_at"}
                self.expect(f"{what} shows {names - members}", False, names <= members, response)

    def open_file(self, collection: str, tail: str, caller: Caller) -> None:
        """The files of these records are names, which the answer says only to readers of the field; links to attached
        files are checked by tests/clients/record_files.test.js."""
        field = tail.rpartition("/")[2]
        identity, refusals = self.check_route(collection, "read", caller)
        if not refusals and field not in self.app.visible_members(collection, identity):
            refusals = {403}
        for record in self.records_for(collection, caller, bool(refusals)):
            response = self.send(caller, "GET", f"{collection}/{record.id}/files/{field}")
            what = f"{caller.name} GET {collection}/{record.id}/files/{field}"
            may = not refusals and self.app.can_read(record, identity, self.records)
            says = b"no such file" in response[1] or b"name of a file" in response[1]
            self.expect(what, may, response[0] in (refusals or {404}) and says == may, response)

    def create(self, collection: str, tail: str, caller: Caller) -> None:
        _, refusals = self.check_route(collection, "create", caller)
        writable = self.app.fields_for(collection, "create", caller)
        initial = self.app.collections[collection].get("states", {}).get("initial")
        for number in range(1 if refusals else 6):
            fresh = self.generator.record(collection, self.records, initial)
            if not fresh:
                return
            values = {name: value for name, value in fresh.values.items() if name in writable or refusals}
            new = self.with_defaults(fresh, values, caller)
            may = not refusals and self.app.is_allowed("create", new, caller, self.records, check_states=False)
            may = may and self.can_read_references(collection, values, caller)
            what = f"{caller.name} POST {collection}{tail} {values}"
            if tail:
                return self.import_nothing(what, collection, caller, refusals)
            response = self.send(caller, "POST", collection, values)
            good = response[0] in ((201,) if may else refusals or {400, 403})
            self.expect(what, may, good, response)
            if response[0] == 201:
                self.delete_new_records(collection)
            hidden = [name for name in fresh.values if name not in values]
            if not refusals and number == 0 and hidden:
                more = {**values, hidden[0]: fresh.values[hidden[0]]}
                response = self.send(caller, "POST", collection, more)
                self.expect(f"{what} with {hidden[0]}", False, response[0] == 400, response)

    def import_nothing(self, what: str, collection: str, caller: Caller, refusals) -> None:
        """Sends an import without records, which checks only the access to the route."""
        response = self.send(caller, "POST", f"{collection}/import", b"", Content_Type="text/csv")
        self.expect(what, not refusals, response[0] in (refusals or {200, 201, 400, 415}), response)

    def with_defaults(self, fresh: Record, values: dict, caller: Caller) -> Record:
        declared = self.app.collections[fresh.collection]["fields"]
        callers = {name: caller.uid for name, one in declared.items() if one.get("default") == "caller"}
        return Record(fresh.id, fresh.collection, {**callers, **values}, fresh.state, caller.uid)

    def can_read_references(self, collection: str, values: dict, caller: Caller) -> bool:
        declared = self.app.collections[collection]["fields"]
        for name, value in values.items():
            if declared[name]["type"] == "reference" and value:
                target = self.records.records[declared[name]["to"]][value]
                if not self.app.can_read(target, caller, self.records):
                    return False
        return True

    def delete_new_records(self, collection: str) -> None:
        known = ", ".join(f"'{record.id}'" for record in self.records.in_collection(collection))
        self.superuser.run(f'DELETE FROM data."{collection}" WHERE id NOT IN ({known})')

    def patch(self, collection: str, tail: str, caller: Caller) -> None:
        identity, refusals = self.check_route(collection, "update", caller)
        declared = self.app.collections[collection]["fields"]
        writable = self.app.fields_for(collection, "update", caller)
        if refusals:
            writable = list(declared)
        plain = [name for name in writable if declared[name]["type"] not in ("reference", "user", "list")]
        field = next((name for name in reversed(plain) if not declared[name].get("unique")), None)
        if not field:
            return
        for record in self.records_for(collection, caller, bool(refusals)):
            body = {field: self.generator.value(collection, field, declared[field], self.records)}
            response = self.send(caller, "PATCH", f"{collection}/{record.id}", body, If_Match="*")
            what = f"{caller.name} PATCH {collection}/{record.id} {body}"
            reads = not refusals and self.app.can_read(record, identity, self.records)
            may = reads and self.app.is_allowed("update", record, identity, self.records)
            self.expect(
                what, may, response[0] == 200 if may else response[0] in (refusals or {403 if reads else 404}), response
            )
            if response[0] == 200:
                self.superuser.run(record_fixtures.restore_sql(self.app, record))
            others = [name for name in declared if name not in writable]
            if not refusals and others:
                body = {others[0]: record.values.get(others[0])}
                response = self.send(caller, "PATCH", f"{collection}/{record.id}", body, If_Match="*")
                self.expect(f"{what} with {others[0]}", False, response[0] == 400, response)

    def delete(self, collection: str, tail: str, caller: Caller) -> None:
        identity, refusals = self.check_route(collection, "delete", caller)
        for original in self.records_for(collection, caller, bool(refusals)):
            # A copy that no other record refers to.
            copy = self.generator.record(collection, self.records, original.state)
            if not copy:
                continue
            copy.deleted = original.deleted
            unique = {name for fields in self.generator.unique_sets(collection) for name in fields}
            kept = {name: value for name, value in original.values.items() if name not in unique}
            copy.values.update(kept)
            copy.created_by = original.created_by
            self.records.add(copy)
            self.superuser.run(record_fixtures.insert_sql(self.app, copy))
            response = self.send(caller, "DELETE", f"{collection}/{copy.id}", If_Match="*")
            reads = not refusals and self.app.can_read(copy, identity, self.records)
            may = reads and self.app.is_allowed("delete", copy, identity, self.records)
            good = response[0] == 204 if may else response[0] in (refusals or {403 if reads else 404})
            self.expect(f"{caller.name} DELETE {collection}/{copy.id}", may, good, response)
            count = self.superuser.run(f"SELECT count(*) FROM data.\"{collection}\" WHERE id = '{copy.id}'")
            if not may:
                self.expect(f"{caller.name} DELETE {collection}: deleted", False, count.strip() == "1", response)
            self.records.remove(copy)
            self.superuser.run(f"DELETE FROM data.\"{collection}\" WHERE id = '{copy.id}'")

    def transition(self, collection: str, tail: str, caller: Caller) -> None:
        name = tail.rpartition("/")[2]
        identity, refusals = self.check_route(collection, name, caller)
        declared = self.app.collections[collection]
        transition = declared["transitions"][name]
        for record in self.records_for(collection, caller, bool(refusals)):
            body = {
                field: self.generator.value(collection, field, declared["fields"][field], self.records)
                for field in transition.get("accepts", [])
            }
            response = self.send(caller, "POST", f"{collection}/{record.id}/{name}", body)
            what = f"{caller.name} POST {collection}/{record.id}/{name} {body} in {record.state}"
            reads = not refusals and self.app.can_read(record, identity, self.records)
            may = reads and self.app.is_allowed(name, record, identity, self.records)
            is_in_from_state = record.state in transition["from"]
            problem = json.loads(response[1]).get("type", "").rpartition("/")[2] if response[0] != 200 else ""
            if may and is_in_from_state:
                good = response[0] == 200 or problem in ("incomplete", "guard-failed")
                self.counts["conditions"] += response[0] != 200
            elif reads:
                good = (
                    problem == "wrong-state"
                    if may
                    else problem == "forbidden" or not is_in_from_state and response[0] == 409
                )
            else:
                good = response[0] in (refusals or {404})
            self.expect(what, may and is_in_from_state, good, response)
            if response[0] == 200:
                self.superuser.run(record_fixtures.restore_sql(self.app, record))

    def expect_nothing_else_changed(self) -> None:
        """Checks that refused requests had no effect: every record is unchanged, and there are no others."""
        for collection in self.app.collections:
            known = self.records.in_collection(collection)
            found = self.superuser.run(f'SELECT id FROM data."{collection}" ORDER BY 1').split()
            self.expect(
                f"{collection} has other records", False, found == sorted(r.id for r in known), (0, b"")
            )
            for record in known:
                columns = self.same_sql(record)
                is_same = self.superuser.run(
                    f"SELECT {columns} FROM data.\"{collection}\" WHERE id = '{record.id}'"
                )
                self.expect(
                    f"{collection}/{record.id} has changed", False, is_same.strip() == "t", (0, is_same.encode())
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
    def test_all_requests_are_allowed_or_refused_as_the_manifests_declare(self):
        program = sign_in.start_program(settings="http: {unrouted_requests: 0}\n")
        self.addCleanup(program.remove)
        matrices = [Matrix(program, name) for name in APPS]
        for matrix in matrices:
            matrix.prepare()
        for matrix in matrices:
            others = [other for other in matrices if other is not matrix]
            matrix.foreign = [
                other.records.in_collection(name)[0].id for other in others for name in other.app.collections
            ][::9]
        for matrix in matrices:
            matrix.start()
        for matrix in matrices:
            matrix.join()
        total: collections.Counter = sum((matrix.counts for matrix in matrices), collections.Counter())
        wrong = [line for matrix in matrices for line in matrix.wrong]
        print(
            f"\n{total['requests']} requests of {sum(len(m.callers) for m in matrices)} callers to "
            f"{total['routes']} routes about {total['records']} records: {total['allowed']} checks expected to be "
            f"allowed, {total['refused']} to be refused ({total['conditions']} refused by a guard only); wrong allows "
            f"{sum(line.startswith('wrong allow') for line in wrong)}, wrong denials "
            f"{sum(line.startswith('wrong denial') for line in wrong)}"
        )
        for matrix in matrices:
            if matrix.failure:
                raise matrix.failure
            self.assertEqual(matrix.uncovered, [], "rules that allow no caller, or all callers of their roles")
        self.assertEqual(wrong[:20], [])


if __name__ == "__main__":
    harness.main()
