"""Nothing personal leaves with a trace: spans are masked on their way out, whoever made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import AttributeValue

Mask = Callable[[str], str]
Attributes = Mapping[str, AttributeValue] | None


class MaskedExporter(SpanExporter):
    """Hands spans on to another exporter, each text in them masked: names, attributes, events and what went wrong."""

    def __init__(self, inner: SpanExporter, mask: Mask) -> None:
        self._inner = inner
        self._mask = mask

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the masked spans; none of them where one can't be masked."""
        try:
            masked = [masked_span(span, self._mask) for span in spans]
        except Exception:  # noqa: BLE001 -- whatever it is, the span may hold something personal
            return SpanExportResult.FAILURE
        return self._inner.export(masked)

    def shutdown(self) -> None:
        """Close the other exporter."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Have the other exporter send what it holds."""
        return self._inner.force_flush(timeout_millis)


def masked_span(span: ReadableSpan, mask: Mask) -> ReadableSpan:
    """The span with each text in it masked."""
    return ReadableSpan(
        name=mask(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span.attributes, mask),
        events=[Event(mask(event.name), _attributes(event.attributes, mask), event.timestamp) for event in span.events],
        links=[Link(link.context, _attributes(link.attributes, mask)) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code, mask(span.status.description) if span.status.description else None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _attributes(attributes: Attributes, mask: Mask) -> dict[str, AttributeValue]:
    return {mask(name): _value(value, mask) for name, value in (attributes or {}).items()}


def _value(value: AttributeValue, mask: Mask) -> AttributeValue:
    """Numbers stay: what is personal among them is told by its form only as a text, and none is set by us."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Sequence):
        return tuple(mask(each) if isinstance(each, str) else each for each in value)
    return value
