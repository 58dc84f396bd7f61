# SPDX-License-Identifier: Apache-2.0
"""Manifests for the tests: two apps in front of the test upstream."""

from pathlib import Path

# Out of reach of a test that is not about limits.
HIGH = "{ requests: 10000000, window: 1s, burst: 1000000 }"


def route(path: str, upstream: str, *, methods: str = "GET", **more: str) -> str:
    lines = [f"  - path: {path}", f"    methods: [{methods}]", f"    upstream: {upstream}"]
    return "\n".join(lines + [f"    {key}: {value}" for key, value in more.items()])


def campus(
    upstream: str, *, gone: str = "http://127.0.0.1:9", more_routes: str = "", body_bytes_max: str = "1MiB"
) -> str:
    """`portal` is the test upstream; `orders` the same, known to honour Idempotency-Key; `gone` nobody."""
    routes = [
        route("/portal/{rest...}", "portal", methods="GET, POST, PUT, DELETE", body_bytes_max=body_bytes_max),
        route("/registry/{rest...}", "portal", roles="[registrar, admin]"),
        route("/open/{rest...}", "portal", public="true"),
        route("/feed/{rest...}", "portal", scope="feed.read"),
        route("/orders/count", "orders", methods="POST", idempotency="accepted", timeout="2s"),
        route("/careless/careless", "portal", methods="POST", idempotency="accepted", timeout="2s"),
        route("/narrow/{rest...}", "portal", limit="{ requests: 5, window: 60s, burst: 5 }"),
        route("/gone/{rest...}", "gone", timeout="5s"),
    ]
    return f"""app: campus
title: Campus
project: campus-student-lifecycle
roles: [student, professor, registrar, admin]
limit: {HIGH}
tenant_limit: {HIGH}
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
    retries_max: 0
routes:
{chr(10).join(routes)}
{more_routes}"""


def teleo(upstream: str) -> str:
    return f"""app: teleo
title: Teleo
project: teleo-church-application
roles: [member, pastor]
upstreams:
  parish:
    url: {upstream}
routes:
{route("/parish/{rest...}", "parish")}
"""


def write(folder: Path, upstream: str, **more) -> Path:
    """Both manifests into `folder`; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "campus.yaml").write_text(campus(upstream, **more))
    (folder / "teleo.yaml").write_text(teleo(upstream))
    return folder
