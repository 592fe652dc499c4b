"""Traces: sent only where the settings say, and bared of everything that a path, a query or a header may hold."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from app import tracing
from app.main import create_app
from app.setting_values import SettingsError
from tests.world import BASE_URL, World

SECRET = "s3cret-of-a-query"


class _Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.server.kept.append((self.path, body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def _collecting() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector on loopback: its address, and what it was sent."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Collector) as server:
        server.kept = []  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", server.kept  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


def _spans(kept: list[tuple[str, bytes]]) -> list[Any]:
    assert {path for path, _ in kept} == {"/v1/traces"}
    requests = [ExportTraceServiceRequest.FromString(body) for _, body in kept]
    return [span for one in requests for by in one.resource_spans for of in by.scope_spans for span in of.spans]


def test_no_secret_leaves(world: World) -> None:
    """Of a story with codes in paths, queries and headers the collector learns routes, answers and times alone."""
    licence_id = world.issue()
    shown = world.show(licences=[{"licence_id": licence_id, "claims": []}])
    offer = world.agency("police").post("/issuers/police/offers", {"licence_id": licence_id, "qr": "none"})
    token = str(world.holder().token)
    with _collecting() as (endpoint, kept):
        app = create_app(world.build(telemetry_endpoint=endpoint), now=lambda: world.now)
        with TestClient(app, BASE_URL, raise_server_exceptions=False) as http:
            bearer = {"Authorization": f"Bearer {token}", "Cookie": f"session={SECRET}", "User-Agent": SECRET}
            http.get(f"/wallet/licences/{licence_id}", headers=bearer)
            http.get(f"/wallet/sign-in/callback?code={SECRET}&state={SECRET}", headers={"tracestate": f"x={SECRET}"})
            http.get(f"/nowhere/{SECRET}?{SECRET}={SECRET}")
            http.request(SECRET, "/healthz")
            http.get(offer["credential_offer_uri"])
            counter = {"Authorization": f"Bearer {world.counter().token}"}
            asked = {"scanned": shown["url"], "service_item": "school_transfer"}
            assert http.post("/verifier/verifications", json=asked, headers=counter).status_code == 200
            http.post("/wallet/sign-in", json={"link": SECRET})
            http.get("/metrics")
            http.get("/readyz")
        app._telemetry["tracer_provider"].shutdown()  # type: ignore[union-attr]
        spans = _spans(kept)
    names = {span.name for span in spans}
    assert {"GET /wallet/licences/{licence_id}", "POST /verifier/verifications"} <= names
    assert not any("/metrics" in name or "/readyz" in name for name in names)
    assert {one.key for span in spans for one in span.attributes} <= tracing.LEAVES
    assert not any(span.events or span.links or span.status.message for span in spans)
    sent = b"".join(body for _, body in kept)
    code = shown["url"].partition("#")[2]
    assert code
    for secret in (SECRET, token, code, licence_id, str(world.counter().token), "127.0.0.1:8080"):
        assert secret.encode() not in sent


def test_off_by_default(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the setting no trace is made, whatever the environment says to FastAPI."""
    with _collecting() as (endpoint, kept):
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        with TestClient(create_app(world.house, now=lambda: world.now), BASE_URL) as http:
            assert http.get("/problems").status_code == 200
        assert kept == []


def test_without_the_extra(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address to send to, and nothing installed that could: the start says what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match=r"requirements-telemetry\.txt"):
        create_app(world.build(telemetry_endpoint="http://127.0.0.1:4318"), now=lambda: world.now)
