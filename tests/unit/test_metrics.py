"""Metrics of models, as a collector of OpenTelemetry gets them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from copilot.errors import SettingsError
from copilot.settings import read_settings

PROGRAM = """
import sys
from copilot.domain.model_calls import Attempt
from copilot.models.measured import count_fallback, measure
from copilot.wiring.telemetry import measured

with measured(sys.argv[1]):
    measure("plan", Attempt(model="house", came="said", elapsed_ms=700, tokens=(90, 10)), "closed")
    measure("plan", Attempt(model="house", came="slow", elapsed_ms=8000), "open")
    measure("plan", Attempt(model="house", came="resting"), "open")
    count_fallback("slow")
    count_fallback(None)
"""
"""In a process of its own: a program has one provider of metrics, and keeps it."""


@contextmanager
def collector() -> Generator[tuple[str, list[bytes]]]:
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as its base calls it
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/metrics", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def points(received: list[bytes]) -> dict[tuple[str, str], float]:
    """Metric and its attributes -> sum, last value or, of times, their sum."""
    found: dict[tuple[str, str], float] = {}
    for body in received:
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    kind = metric.WhichOneof("data") or ""
                    for point in getattr(metric, kind).data_points:
                        about = ",".join(sorted(f"{a.key}={a.value.string_value}" for a in point.attributes))
                        value = point.sum if kind == "histogram" else (point.as_int or point.as_double)
                        found[metric.name, about] = value
    return found


def test_a_collector_gets_what_became_of_models() -> None:
    with collector() as (address, received):
        root = str(Path(__file__).parents[2])
        environment = {**os.environ, "PYTHONPATH": root}
        subprocess.run([sys.executable, "-c", PROGRAM, address], env=environment, cwd=root, check=True, timeout=60)
    found = points(received)
    about = "model=house,outcome={},task=plan"
    assert {name: found["copilot.model.requests", about.format(name)] for name in ("said", "slow", "resting")} == {
        "said": 1, "slow": 1, "resting": 1,
    }  # fmt: skip
    assert found["copilot.model.duration", about.format("said")] == pytest.approx(0.7)
    assert ("copilot.model.duration", about.format("resting")) not in found
    assert found["copilot.model.tokens", "direction=input,model=house,task=plan"] == 90
    assert found["copilot.model.tokens", "direction=output,model=house,task=plan"] == 10
    assert found["copilot.model.breaker", "model=house"] == 2
    assert found["copilot.fallbacks", "reason=slow"] == 1


@pytest.mark.parametrize("name", ["COPILOT_TRACES", "COPILOT_METRICS"])
def test_a_collector_is_named_by_its_whole_address(name: str) -> None:
    settings = read_settings({name: "http://localhost:4318/v1/x"})
    assert "http://localhost:4318/v1/x" in (settings.traces, settings.metrics)
    with pytest.raises(SettingsError, match=name):
        read_settings({name: "localhost:4318"})
