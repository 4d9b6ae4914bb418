"""Traces and metrics to a collector of OpenTelemetry, where one is set up; traces are masked before they leave."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from copilot.masking.logs import masked_line

_PATIENCE_MS = 2_000


@contextmanager
def traced(collector: str | None) -> Generator[None]:
    """Send the spans of this program to a collector (the address of its OTLP traces over HTTP) as long as this lasts.

    A collector that can't be reached costs nothing but its traces: they are sent beside the questions.
    """
    if collector is None:
        yield
        return
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from copilot.masking.traces import MaskedExporter

    provider = TracerProvider(resource=Resource({"service.name": "erp-copilot"}))
    exporter = OTLPSpanExporter(endpoint=collector, timeout=_PATIENCE_MS / 1000)
    provider.add_span_processor(BatchSpanProcessor(MaskedExporter(exporter, masked_line)))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.force_flush(_PATIENCE_MS)
        provider.shutdown()


@contextmanager
def measured(collector: str | None) -> Generator[None]:
    """Send the metrics of this program to a collector (the address of its OTLP metrics over HTTP) as long as this
    lasts, once a minute and at the end. They are counts and times with names of ours: nothing that anybody said."""
    if collector is None:
        yield
        return
    from opentelemetry import metrics
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource

    exporter = OTLPMetricExporter(endpoint=collector, timeout=_PATIENCE_MS / 1000)
    reader = PeriodicExportingMetricReader(exporter, export_timeout_millis=_PATIENCE_MS)
    provider = MeterProvider([reader], Resource({"service.name": "erp-copilot"}), shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    try:
        yield
    finally:
        provider.shutdown(_PATIENCE_MS)
