#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Teleo, from the creation of a church: its members, service requests, donations and gatherings."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import sign_in  # noqa: E402
from scenario import Scenario  # noqa: E402

ADDRESS = {"line": "5 Shoe Ave", "barangay": "San Roque", "city": "Marikina", "province": "Metro Manila"}


class Teleo(Scenario):
    app = "teleo"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.founder, cls.pastor = cls.new_user("church_admin"), cls.new_user("pastor")
        cls.other_admin = cls.new_user("church_admin", "other.admin")
        cls.other_pastor = cls.new_user("pastor", "other.pastor")
        cls.liza, cls.ben = cls.new_user("member", "liza"), cls.new_user("member", "ben")
        cls.visitor = cls.new_user("guest", "visitor")

    def setUp(self):
        church = {"name": "Bread of Life", "address": ADDRESS}
        self.may_not(self.pastor, "role-missing", "POST", "/churches", church)
        self.church = self.may(self.founder, "POST", "/churches", church)["id"]
        self.may_not(self.other_admin, "forbidden", "PATCH", f"/churches/{self.church}", {"about": "Ours"})
        leader = {"church": self.church, "user": self.founder.uid, "name": "Ana", "position": "administrator"}
        self.may_not(
            self.other_admin, "forbidden", "POST", "/leaders", {**leader, "user": self.other_admin.uid}
        )
        self.may_not(self.pastor, "role-missing", "POST", "/leaders", {**leader, "user": self.pastor.uid})
        self.may(self.founder, "POST", "/leaders", leader)
        self.may(
            self.founder, "POST", "/leaders", {**leader, "user": self.pastor.uid, "position": "senior_pastor"}
        )
        self.members = {
            caller.uid: self.may(caller, "POST", "/members", self.member(name))["id"]
            for caller, name in ((self.liza, "Liza"), (self.ben, "Ben"))
        }

    def member(self, name: str) -> dict:
        return {
            "church": self.church,
            "family_name": "Santos",
            "given_name": name,
            "email": f"{name}@example.com",
        }

    def test_a_guest_becomes_a_member_and_serves(self):
        visitor = self.visitor
        self.may_not(sign_in.UNAUTHENTICATED, "token-missing", "POST", "/members", self.member("Jo"))
        self.may_not(visitor, "forbidden", "POST", "/members", {**self.member("Jo"), "user": self.liza.uid})
        path = f"/members/{self.may(visitor, 'POST', '/members', self.member('Jo'))['id']}"
        self.may_not(visitor, "already-exists", "POST", "/members", self.member("Jo"))
        for caller in (self.liza, self.other_admin, self.other_pastor):
            self.may_not(caller, "not-found", "GET", path)
        self.may_not(
            visitor, "invalid-request", "PATCH", path, {"baptized_on": "2020-01-01"}, at="#/baptized_on"
        )
        self.may(visitor, "PATCH", path, {"consents_to_email": True})
        self.may_not(visitor, "role-missing", "POST", path + "/receive")
        self.may_not(self.other_pastor, "not-found", "POST", path + "/receive")
        received = self.may(self.pastor, "POST", path + "/receive", {"baptized_on": "2026-04-05"})
        self.assertEqual(received["state"], "member")
        self.may_not(self.founder, "role-missing", "POST", path + "/transfer")
        music = {"church": self.church, "name": "Music", "kind": "worship", "head": self.liza.uid}
        self.may_not(self.liza, "role-missing", "POST", "/ministries", music)
        self.may_not(self.other_admin, "forbidden", "POST", "/ministries", music)
        ministry = self.may(self.founder, "POST", "/ministries", music)["id"]
        self.may_not(
            self.liza, "invalid-request", "PATCH", f"/ministries/{ministry}", {"name": "X"}, at="#/name"
        )
        self.may_not(self.ben, "forbidden", "PATCH", f"/ministries/{ministry}", {"meets": "Never"})
        self.may(self.liza, "PATCH", f"/ministries/{ministry}", {"meets": "Saturdays"})
        offer = {"ministry": ministry, "member": self.members[self.ben.uid], "part": "Keyboard"}
        refused = self.send(self.liza, "POST", "/volunteers", offer)
        self.assertIn(refused.status, (400, 403), refused.body)
        type(self).refused += 1
        self.may_not(visitor, "role-missing", "POST", "/volunteers", offer)
        serving = f"/volunteers/{self.may(self.ben, 'POST', '/volunteers', offer)['id']}"
        self.may_not(self.ben, "forbidden", "POST", serving + "/welcome")
        self.may_not(self.other_pastor, "not-found", "POST", serving + "/welcome")
        self.may(self.liza, "POST", serving + "/welcome")
        self.may_not(self.liza, "forbidden", "POST", serving + "/leave")
        self.may(self.ben, "POST", serving + "/leave")
        self.may_not(self.ben, "wrong-state", "POST", serving + "/leave")
        self.may(visitor, "DELETE", path)
        self.may_not(visitor, "not-found", "GET", path)
        self.may_not(self.pastor, "not-found", "GET", path)

    def test_a_wedding_is_requested_scheduled_and_completed(self):
        request = {
            "church": self.church,
            "kind": "wedding",
            "for_whom": "Juan and Maria",
            "contact": "0917 123 4567",
        }
        self.may_not(sign_in.UNAUTHENTICATED, "token-missing", "POST", "/service_requests", request)
        self.may_not(self.liza, "forbidden", "POST", "/service_requests", {**request, "requester": self.ben.uid})
        planned = {**request, "officiant": self.pastor.uid}
        self.may_not(self.liza, "invalid-request", "POST", "/service_requests", planned, at="#/officiant")
        path = f"/service_requests/{self.may(self.liza, 'POST', '/service_requests', request)['id']}"
        for caller in (self.ben, self.other_pastor, self.other_admin):
            self.may_not(caller, "not-found", "GET", path)
        self.may(self.liza, "PATCH", path, {"wished_on": "2026-12-27"})
        self.may_not(self.pastor, "forbidden", "PATCH", path, {"for_whom": "Others"})
        plan = {"scheduled_at": "2099-12-27T02:00:00Z", "place": ADDRESS, "officiant": self.pastor.uid}
        for caller in (self.liza, self.founder):
            self.may_not(caller, "role-missing", "POST", path + "/schedule", plan)
        self.may_not(self.other_pastor, "not-found", "POST", path + "/schedule", plan)
        self.may_not(self.pastor, "incomplete", "POST", path + "/schedule", {"place": ADDRESS})
        self.may_not(self.pastor, "wrong-state", "POST", path + "/complete")
        self.may(self.pastor, "POST", path + "/schedule", plan)
        self.may_not(self.liza, "forbidden", "PATCH", path, {"wished_on": "2026-12-28"})
        self.may_not(self.pastor, "guard-failed", "POST", path + "/complete")
        self.may_not(self.pastor, "wrong-state", "POST", path + "/decline", {"reply": "No"})
        self.may(self.pastor, "POST", path + "/schedule", {**plan, "scheduled_at": "2026-01-01T02:00:00Z"})
        self.may_not(self.liza, "role-missing", "POST", path + "/complete")
        self.assertEqual(self.may(self.pastor, "POST", path + "/complete")["state"], "done")
        self.may_not(self.liza, "wrong-state", "POST", path + "/cancel")
        self.may_not(self.liza, "method-not-allowed", "DELETE", path)
        second = f"/service_requests/{self.may(self.ben, 'POST', '/service_requests', request)['id']}"
        self.may_not(self.liza, "not-found", "POST", second + "/cancel")
        self.may_not(self.pastor, "forbidden", "POST", second + "/cancel")
        self.may(self.ben, "POST", second + "/cancel")

    def test_a_donation_is_pledged_paid_and_receipted(self):
        gift = {"church": self.church, "fund": "building", "amount": {"amount": 500000}}
        self.may_not(
            self.liza, "invalid-request", "POST", "/donations", {**gift, "receipt": "AR-1"}, at="#/receipt"
        )
        small = {**gift, "amount": {"amount": 99}}
        self.may_not(self.liza, "invalid-request", "POST", "/donations", small, at="#/amount/amount")
        self.may_not(self.liza, "forbidden", "POST", "/donations", {**gift, "donor": self.ben.uid})
        path = f"/donations/{self.may(self.liza, 'POST', '/donations', gift)['id']}"
        # Pastors cannot read donations.
        for caller in (self.pastor, self.ben, self.other_admin):
            self.may_not(caller, "not-found", "GET", path)
        self.assertEqual(self.listed_ids(self.pastor, "/donations"), set())
        self.assertEqual(
            self.may(self.pastor, "GET", "/donations/aggregate?select=count")["items"], [{"count": 0}]
        )
        self.may(self.liza, "PATCH", path, {"amount": {"amount": 600000}})
        paid = {"method": "gcash", "received_on": "2026-11-22"}
        for caller in (self.liza, self.pastor):
            self.may_not(caller, "role-missing", "POST", path + "/pay", paid)
        self.may_not(self.other_admin, "not-found", "POST", path + "/pay", paid)
        self.may_not(
            self.founder, "incomplete", "POST", path + "/pay", {"method": "gcash"}, at="#/received_on"
        )
        self.may_not(self.founder, "wrong-state", "POST", path + "/issue_receipt", {"receipt": "AR-000123"})
        self.may(self.founder, "POST", path + "/pay", paid)
        self.may_not(self.liza, "forbidden", "PATCH", path, {"amount": {"amount": 100}})
        self.may_not(self.liza, "wrong-state", "POST", path + "/withdraw")
        done = self.may(self.founder, "POST", path + "/issue_receipt", {"receipt": "AR-000123"})
        self.assertEqual((done["state"], done["amount"]["amount"]), ("receipted", 600000))
        other = f"/donations/{self.may(self.ben, 'POST', '/donations', gift)['id']}"
        self.may(self.founder, "POST", other + "/pay", paid)
        used = {"receipt": "AR-000123"}
        self.may_not(self.founder, "already-exists", "POST", other + "/issue_receipt", used, at="#/receipt")

    def test_a_gathering_is_announced_and_attended(self):
        meeting = {"church": self.church, "title": "Anniversary", "begins_at": "2099-12-01T01:00:00Z"}
        self.may_not(self.liza, "role-missing", "POST", "/gatherings", meeting)
        self.may_not(self.other_pastor, "forbidden", "POST", "/gatherings", meeting)
        gathering = self.may(self.pastor, "POST", "/gatherings", meeting)["id"]
        path = f"/gatherings/{gathering}"
        here = {"gathering": gathering, "member": self.members[self.liza.uid]}
        self.may_not(self.liza, "not-found", "GET", path)
        self.may_not(self.liza, "invalid-request", "POST", "/attendance", here, at="#/gathering")
        self.may_not(self.liza, "role-missing", "POST", path + "/announce")
        self.may(self.pastor, "POST", path + "/announce")
        self.may(sign_in.UNAUTHENTICATED, "GET", path)
        self.may_not(self.pastor, "guard-failed", "POST", path + "/hold")
        self.may_not(self.ben, "invalid-request", "POST", "/attendance", here, at="#/member")
        came = self.may(self.liza, "POST", "/attendance", here)["id"]
        self.may_not(self.liza, "already-exists", "POST", "/attendance", here)
        self.may_not(self.ben, "not-found", "GET", f"/attendance/{came}")
        self.may_not(self.liza, "role-missing", "DELETE", f"/attendance/{came}")
        self.may_not(self.other_admin, "not-found", "DELETE", f"/attendance/{came}")
        self.assertEqual(self.may(self.pastor, "GET", path)["attended"], 1)
        self.may_not(self.founder, "forbidden", "DELETE", path)
        news = {"church": self.church, "title": "Come", "body": "All of you", "channels": ["email", "sms"]}
        self.may_not(self.liza, "role-missing", "POST", "/announcements", news)
        self.may_not(self.other_admin, "forbidden", "POST", "/announcements", news)
        by_pigeon = {**news, "channels": ["pigeon"]}
        self.may_not(self.pastor, "invalid-request", "POST", "/announcements", by_pigeon, at="#/channels/0")
        letter = f"/announcements/{self.may(self.pastor, 'POST', '/announcements', news)['id']}"
        self.may_not(self.liza, "not-found", "GET", letter)
        self.may_not(self.other_pastor, "not-found", "POST", letter + "/send")
        self.may(self.founder, "POST", letter + "/send")
        self.may_not(self.founder, "wrong-state", "POST", letter + "/send")
        self.may_not(self.pastor, "forbidden", "PATCH", letter, {"body": "None of you"})
        self.may(self.liza, "GET", letter)
        self.may_not(self.visitor, "not-found", "GET", letter)
        self.may(self.pastor, "POST", letter + "/withdraw")
        self.may_not(self.liza, "not-found", "GET", letter)


if __name__ == "__main__":
    harness.main()
