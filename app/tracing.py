"""Traces by FastAPI's own switch (`telemetry=`), where `LICENCE_TELEMETRY_ENDPOINT` says where they go; else none.

FastAPI puts a request's path and query into its spans. Both hold secrets here: a code of the identity platform, the
address of an offer or of a class list's link. So what leaves is an allow-list, made anew of every span.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastapi.telemetry import TelemetryConfig

from app.limits import PROBES
from app.setting_values import SettingsError
from app.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

LEAVES = frozenset(
    {
        "code.function.name",
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "url.scheme",
    }
)
"""What a span may say. No path, no query, no host, no address, no header, no exception's text."""
OFF: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""Said plainly: FastAPI's own environment variables would send paths and queries as they are."""


def telemetry(settings: Settings, version: str) -> TelemetryConfig:
    """Return FastAPI's configuration; raises `SettingsError` if there is somewhere to send to and nothing to do it."""
    if settings.telemetry_endpoint is None:
        return OFF
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
    except ImportError as error:
        raise SettingsError(
            "LICENCE_TELEMETRY_ENDPOINT 需安装附加组件 · "
            "needs the extra `telemetry`: pip install -r requirements-telemetry.txt"
        ) from error
    return through(OTLPSpanExporter(endpoint=f"{settings.telemetry_endpoint}/v1/traces"), version)


def through(exporter: "SpanExporter", version: str) -> TelemetryConfig:
    """Return the configuration that sends bared spans to an exporter, by batches. Probes and scrapes make none."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - likewise
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - likewise

    resource = Resource.create({"service.name": "licence-wallet", "service.version": version})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(_bare(exporter)))
    return OFF | {
        "tracing": True,
        "tracer_provider": provider,
        "exclude": lambda scope: scope.get("path") in PROBES,
    }


def _bare(exporter: "SpanExporter") -> "SpanExporter":
    from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult  # noqa: PLC0415 - likewise

    def bared(span: ReadableSpan) -> ReadableSpan:
        """Return a span without events, links and words, and with the attributes that may leave."""
        return ReadableSpan(
            name=span.name, context=span.get_span_context(), parent=span.parent, resource=span.resource,
            attributes={name: value for name, value in (span.attributes or {}).items() if name in LEAVES},
            kind=span.kind, status=type(span.status)(span.status.status_code), start_time=span.start_time,
            end_time=span.end_time, instrumentation_scope=span.instrumentation_scope,
        )  # fmt: skip

    class Bare(SpanExporter):
        """Hands spans on, bared."""

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return exporter.export([bared(one) for one in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return Bare()
