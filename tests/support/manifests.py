# SPDX-License-Identifier: Apache-2.0
"""Manifests of two apps whose routes lead to the test upstream, and of an app with collections."""

from pathlib import Path

UNLIMITED = "{ requests: 10000000, window: 1s, burst: 1000000 }"  # A limit that no test reaches.
CLINIC = f"""integreat: 1
app: clinic
title: Clinic
project: clinic-of-the-tests
roles: [patient, nurse, admin]
limit: {UNLIMITED}
tenant_limit: {UNLIMITED}
collections:
  doctors:
    title: Doctor
    summary: A doctor whom patients can visit.
    fields:
      name: {{type: text, required: true}}
      fee: {{type: money, default: 50000}}
    access:
      read: [{{public: true}}]
      create: [{{roles: [admin]}}]
      delete: [{{roles: [admin]}}]
  visits:
    title: Visit
    summary: A visit of a patient to a doctor.
    fields:
      patient: {{type: user, default: caller, indexed: true}}
      doctor: {{type: reference, to: doctors, required: true}}
      day: {{type: date, required: true}}
      phone: {{type: phone, personal: true}}
      temperature: {{type: decimal, precision: 4, scale: 1}}
      notes: {{type: text, max_length: 500}}
      tags: {{type: list, of: text}}
    subject: patient
    search: [notes]
    sort: [-created_at]
    states: {{initial: requested, names: [requested, agreed]}}
    transitions:
      agree: {{from: [requested], to: agreed, allow: [{{roles: [nurse]}}], requires: [phone]}}
    access:
      read: [{{roles: [nurse, admin]}}, {{roles: [patient], owner: created_by}}]
      create: [{{roles: [nurse]}}, {{roles: [patient], fields: [doctor, day, phone, notes, tags]}}]
      update: [{{roles: [nurse]}}]
"""


def route(path: str, upstream: str, *, methods: str = "GET", **settings: str) -> str:
    lines = [f"  - path: {path}", f"    methods: [{methods}]", f"    upstream: {upstream}"]
    return "\n".join(lines + [f"    {key}: {value}" for key, value in settings.items()])


def campus(
    upstream: str, *, gone: str = "http://127.0.0.1:9", extra_routes: str = "", max_body_bytes: str = "1MiB"
) -> str:
    """Returns a manifest with the upstreams `portal` (the test upstream), `orders` (the same, declared to honour
    Idempotency-Key) and `gone` (no server listens at its default URL)."""
    routes = [
        route("/portal/{rest...}", "portal", methods="GET, POST, PUT, DELETE", max_body_bytes=max_body_bytes),
        route("/registry/{rest...}", "portal", roles="[registrar, admin]"),
        route("/open/{rest...}", "portal", public="true"),
        route("/feed/{rest...}", "portal", scope="feed.read"),
        route("/orders/count", "orders", methods="POST", idempotency="accepted", timeout="2s"),
        route("/careless/careless", "portal", methods="POST", idempotency="accepted", timeout="2s"),
        route("/narrow/{rest...}", "portal", limit="{ requests: 5, window: 60s, burst: 5 }"),
        route("/gone/{rest...}", "gone", timeout="5s"),
    ]
    return f"""integreat: 1
app: campus
title: Campus
project: campus-student-lifecycle
roles: [student, professor, registrar, admin]
limit: {UNLIMITED}
tenant_limit: {UNLIMITED}
upstreams:
  portal:
    url: {upstream}
  orders:
    url: {upstream}
    idempotent: true
  gone:
    url: {gone}
    breaker_failures: 3
    breaker_open: 2s
    max_retries: 0
routes:
{chr(10).join(routes)}
{extra_routes}"""


def teleo(upstream: str) -> str:
    return f"""integreat: 1
app: teleo
title: Teleo
project: teleo-church-application
roles: [member, pastor]
upstreams:
  parish:
    url: {upstream}
routes:
{route("/parish/{rest...}", "parish")}
"""


def write_manifests(folder: Path, upstream: str, **options) -> Path:
    """Writes both manifests into `folder` and returns it; `options` are those of campus()."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "campus.yaml").write_text(campus(upstream, **options))
    (folder / "teleo.yaml").write_text(teleo(upstream))
    return folder
