#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""EVNTgarde, from the first service of a vendor to the review of a booking, and the guests of an event."""

import datetime
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
import sign_in  # noqa: E402
from scenario import Scenario  # noqa: E402

ADDRESS = {"line": "Km 45", "barangay": "Postema", "city": "Tagaytay", "province": "Cavite"}
PRICE = {"amount": 15000000}


def in_days(days: float) -> str:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Evntgarde(Scenario):
    app = "evntgarde"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for role in ("customer", "organizer", "vendor"):
            setattr(cls, role, cls.new_user(role))
            setattr(cls, "other_" + role, cls.new_user(role, "other." + role))
        cls.admin = cls.new_user("admin")
        cls.payments = sign_in.create_api_key(cls.program, cls.app, "role:admin")
        cls.guest = sign_in.sign_up(cls.program, cls.app)  # Signed in anonymously.

    def list_service(self) -> dict:
        vendor = self.vendor
        service = {"title": "Lechon and native buffet", "category": "catering", "price": PRICE}
        self.may_not(self.customer, "role-missing", "POST", "/services", service)
        self.may_not(vendor, "forbidden", "POST", "/services", {**service, "vendor": self.other_vendor.uid})
        created = self.may(vendor, "POST", "/services", service)
        path = f"/services/{created['id']}"
        for caller in (sign_in.UNAUTHENTICATED, self.customer, self.other_vendor):
            self.may_not(caller, "not-found", "GET", path)
        self.may_not(self.other_vendor, "not-found", "POST", path + "/publish")
        self.may_not(self.customer, "role-missing", "POST", path + "/publish")
        self.may(vendor, "POST", path + "/publish")
        self.may_not(self.other_vendor, "forbidden", "POST", path + "/retire")
        self.may_not(self.other_vendor, "forbidden", "PATCH", path, {"price": {"amount": 1}})
        self.may_not(vendor, "forbidden", "DELETE", path)
        self.assertEqual(self.may(sign_in.UNAUTHENTICATED, "GET", path)["price"]["amount"], PRICE["amount"])
        return created

    def book(self, service: dict, caller: sign_in.Principal, **fields) -> str:
        booking = {"service": service["id"], "wanted_at": in_days(-1), "contact": "0917 123 4567", **fields}
        made = self.may(caller, "POST", "/bookings", booking)
        self.assertEqual((made["state"], made["customer"]), ("requested", caller.uid))
        return f"/bookings/{made['id']}"

    def test_a_booking_is_accepted_paid_confirmed_completed_and_reviewed(self):
        service = self.list_service()
        vendor, customer, admin = self.vendor, self.customer, self.admin
        booking = {"service": service["id"], "wanted_at": in_days(-1), "contact": "0917 123 4567"}
        self.may_not(sign_in.UNAUTHENTICATED, "token-missing", "POST", "/bookings", booking)
        self.may_not(vendor, "role-missing", "POST", "/bookings", booking)
        cheap = {**booking, "price": {"amount": 1}}
        self.may_not(customer, "invalid-request", "POST", "/bookings", cheap, at="#/price")
        self.may_not(
            customer, "forbidden", "POST", "/bookings", {**booking, "customer": self.other_customer.uid}
        )
        path = self.book(service, customer)
        for caller in (self.other_customer, self.organizer, self.other_vendor):
            self.may_not(caller, "not-found", "GET", path)
        self.may(customer, "PATCH", path, {"guests": 120})
        self.may_not(vendor, "role-missing", "PATCH", path, {"guests": 10})
        offer = {"price": PRICE, "deposit": {"amount": 5000000}}
        self.may_not(customer, "role-missing", "POST", path + "/accept", offer)
        self.may_not(self.other_vendor, "not-found", "POST", path + "/accept", offer)
        self.may_not(vendor, "incomplete", "POST", path + "/accept", {"price": PRICE}, at="#/deposit")
        too_much = {**offer, "deposit": {"amount": 15000001}}
        self.may_not(vendor, "guard-failed", "POST", path + "/accept", too_much)
        accepted = self.may(vendor, "POST", path + "/accept", offer)
        self.assertEqual(accepted["due"], {"amount": 10000000, "currency": "PHP"})
        self.may_not(customer, "forbidden", "PATCH", path, {"guests": 500})
        for caller in (customer, vendor):
            self.may_not(caller, "role-missing", "POST", path + "/pay_deposit", {"payment": "pay_1"})
        self.may_not(vendor, "wrong-state", "POST", path + "/confirm")
        self.may_not(self.payments, "incomplete", "POST", path + "/pay_deposit", at="#/payment")
        self.may(self.payments, "POST", path + "/pay_deposit", {"payment": "pay_8f3KqWc1"})
        self.may_not(customer, "wrong-state", "POST", path + "/cancel", {"cancel_reason": "Too dear"})
        self.may_not(customer, "role-missing", "POST", path + "/confirm")
        self.may(vendor, "POST", path + "/confirm")
        self.may_not(admin, "role-missing", "POST", path + "/complete")
        self.may_not(customer, "wrong-state", "POST", path + "/review")
        self.may(vendor, "POST", path + "/complete")
        self.review(service, path)

    def review(self, service: dict, path: str) -> None:
        review = {"booking": path.rpartition("/")[2], "service": service["id"], "stars": 5}
        self.may_not(self.customer, "incomplete", "POST", path + "/review", at="#/stars")
        self.may_not(self.vendor, "role-missing", "POST", "/reviews", review)
        self.may_not(
            self.customer, "invalid-request", "POST", "/reviews", {**review, "stars": 6}, at="#/stars"
        )
        self.may_not(self.other_customer, "invalid-request", "POST", "/reviews", review, at="#/booking")
        made = self.may(self.customer, "POST", "/reviews", review)
        self.may_not(self.customer, "already-exists", "POST", "/reviews", {**review, "stars": 1})
        one = f"/reviews/{made['id']}"
        self.may_not(self.vendor, "invalid-request", "PATCH", one, {"stars": 1}, at="#/stars")
        self.may_not(self.other_vendor, "forbidden", "PATCH", one, {"reply": "Come to us"})
        self.may_not(self.customer, "invalid-request", "PATCH", one, {"reply": "Mine"}, at="#/reply")
        self.may_not(self.vendor, "role-missing", "DELETE", one)
        self.assertEqual(self.may(self.vendor, "PATCH", one, {"reply": "Salamat po"})["reply"], "Salamat po")
        self.may_not(self.other_customer, "not-found", "POST", path + "/review")
        self.assertEqual(self.may(self.customer, "POST", path + "/review")["state"], "reviewed")
        rated = self.may(sign_in.UNAUTHENTICATED, "GET", f"/services/{service['id']}")
        self.assertEqual((rated["rating"], rated["booked"] >= 1), ("5.00", True))

    def test_a_booking_is_declined_cancelled_or_refunded(self):
        service = self.list_service()
        declined = self.book(service, self.customer)
        self.may_not(self.vendor, "incomplete", "POST", declined + "/decline", at="#/reply")
        self.may_not(self.customer, "role-missing", "POST", declined + "/decline", {"reply": "No"})
        self.may(self.vendor, "POST", declined + "/decline", {"reply": "We are booked"})
        self.may_not(self.customer, "wrong-state", "POST", declined + "/cancel", {"cancel_reason": "Late"})
        cancelled = self.book(service, self.customer)
        reason = {"cancel_reason": "The date moved"}
        self.may_not(self.other_customer, "not-found", "POST", cancelled + "/cancel", reason)
        self.may_not(self.customer, "incomplete", "POST", cancelled + "/cancel")
        self.may(self.customer, "POST", cancelled + "/cancel", reason)
        future = self.book(service, self.organizer, wanted_at=in_days(30))
        offer = {"price": PRICE, "deposit": {"amount": 5000000}}
        self.may(self.vendor, "POST", future + "/accept", offer)
        self.may(self.admin, "POST", future + "/pay_deposit", {"payment": "pay_2"})
        self.may(self.vendor, "POST", future + "/confirm")
        self.may_not(self.vendor, "guard-failed", "POST", future + "/complete")
        refund = {**reason, "refunded": {"amount": 5000001}}
        self.may_not(self.organizer, "role-missing", "POST", future + "/refund", refund)
        self.may_not(self.vendor, "role-missing", "POST", future + "/refund", refund)
        self.may_not(self.admin, "guard-failed", "POST", future + "/refund", refund)
        done = self.may(self.admin, "POST", future + "/refund", {**refund, "refunded": {"amount": 5000000}})
        self.assertEqual(done["state"], "cancelled")

    def test_an_event_is_planned_published_and_visited(self):
        organizer, customer = self.organizer, self.customer
        place = {"name": "Hardin", "kind": "garden", "address": ADDRESS, "capacity": 200}
        venue = self.may(self.vendor, "POST", "/venues", place)["id"]
        party = {"title": "Andrea at 18", "kind": "debut", "begins_at": in_days(30), "customer": customer.uid}
        self.may_not(customer, "role-missing", "POST", "/events", party)
        hidden = {**party, "venue": venue}
        self.may_not(organizer, "invalid-request", "POST", "/events", hidden, at="#/venue")
        event = self.may(organizer, "POST", "/events", party)["id"]
        path = f"/events/{event}"
        for caller in (sign_in.UNAUTHENTICATED, self.other_organizer, self.other_customer, self.vendor):
            self.may_not(caller, "not-found", "GET", path)
        self.may_not(customer, "role-missing", "PATCH", path, {"seats": 5})
        self.may_not(organizer, "incomplete", "POST", path + "/publish", at="#/venue")
        self.may(self.vendor, "POST", f"/venues/{venue}/publish")
        self.may(organizer, "PATCH", path, {"venue": venue, "ends_at": in_days(29)})
        self.may_not(organizer, "guard-failed", "POST", path + "/publish")
        self.may(organizer, "PATCH", path, {"ends_at": in_days(31)})
        self.may_not(self.other_organizer, "not-found", "POST", path + "/publish")
        self.may(organizer, "POST", path + "/publish")
        self.may(sign_in.UNAUTHENTICATED, "GET", path)
        self.may_not(organizer, "guard-failed", "POST", path + "/complete")
        self.may_not(self.other_organizer, "forbidden", "POST", path + "/cancel")
        self.invite(event)
        self.budget(event)
        self.may(organizer, "POST", path + "/cancel")
        self.may_not(organizer, "wrong-state", "POST", path + "/publish")
        self.may_not(sign_in.UNAUTHENTICATED, "not-found", "GET", path)

    def invite(self, event: str) -> None:
        organizer, guest = self.organizer, self.guest
        tita = {"event": event, "name": "Tita Baby Reyes", "code": "K7M2QX4D", "party": 2}
        self.may_not(guest, "role-missing", "POST", "/guests", tita)
        self.may_not(self.other_organizer, "forbidden", "POST", "/guests", tita)
        self.may_not(organizer, "invalid-request", "POST", "/guests", {**tita, "code": "short"}, at="#/code")
        invited = self.may(organizer, "POST", "/guests", tita)["id"]
        path = f"/guests/{invited}"
        self.may_not(organizer, "already-exists", "POST", "/guests", tita)
        self.may_not(self.other_organizer, "not-found", "GET", path)
        self.may_not(self.vendor, "role-missing", "GET", path)
        self.may_not(self.customer, "role-missing", "POST", path + "/expect")
        self.assertIn(invited, self.listed_ids(self.customer, f"/guests?event={event}"))
        reply = {"event": event, "code": "K7M2QX4D", "answer": "coming", "party": 2}
        self.may_not(sign_in.UNAUTHENTICATED, "token-missing", "POST", "/rsvps", reply)
        self.may_not(guest, "forbidden", "POST", "/rsvps", {**reply, "user": organizer.uid})
        rsvp = self.may(guest, "POST", "/rsvps", reply)["id"]
        self.may_not(guest, "already-exists", "POST", "/rsvps", reply)
        self.may_not(self.customer, "not-found", "GET", f"/rsvps/{rsvp}")
        self.may_not(organizer, "forbidden", "PATCH", f"/rsvps/{rsvp}", {"answer": "maybe"})
        self.may_not(guest, "method-not-allowed", "DELETE", f"/rsvps/{rsvp}")
        self.may(guest, "PATCH", f"/rsvps/{rsvp}", {"answer": "maybe"})
        self.assertEqual(self.listed_ids(organizer, f"/rsvps?event={event}"), {rsvp})
        self.may(organizer, "POST", path + "/expect", {"party": 3})
        self.may_not(organizer, "wrong-state", "POST", path + "/expect")
        self.may(organizer, "POST", path + "/arrive")

    def budget(self, event: str) -> None:
        line = {"event": event, "item": "Catering", "planned": {"amount": 100}, "spent": {"amount": 150}}
        self.may_not(self.customer, "role-missing", "POST", "/budget_lines", line)
        self.may_not(self.other_organizer, "forbidden", "POST", "/budget_lines", line)
        self.may_not(self.vendor, "role-missing", "GET", "/budget_lines")
        made = self.may(self.organizer, "POST", "/budget_lines", line)
        self.assertEqual(made["left"]["amount"], -50)
        self.assertEqual(self.listed_ids(self.customer, "/budget_lines"), {made["id"]})
        self.assertEqual(self.listed_ids(self.other_customer, "/budget_lines"), set())


if __name__ == "__main__":
    harness.main()
