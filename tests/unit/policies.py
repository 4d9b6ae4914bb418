"""Policies of a few lines for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent

from copilot.policy.documents import PolicySet
from copilot.policy.reading import read_texts

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TOP = """
    access:
      planner_reads: {role: planner, classes: [item, stock, item_cost]}
      buyer_reads: {role: buyer, classes: [item, purchasing]}
      admin_reads: {role: administrator, classes: []}
      officer_reads: {role: governance_officer, classes: []}
    fresh_for:
      fresh_default: {classes: ["*"], hours: 24}
      fresh_stock: {classes: [stock], hours: 4}
    autonomy:
      acts: {actions: [buy, pay], autonomy: recommend}
    duties:
      policy_changes: {change: policy, author: [administrator], approve: [governance_officer]}
"""
"""A clean enterprise document without its head."""


def document(place: str, *sections: str, version: str = "v1") -> str:
    """The text of a document; `place` is "enterprise" or such as "region SG". A section later given takes the place of
    an earlier one of the same name."""
    layer, _, code = place.partition(" ")
    head = f"policy: 1\nversion: {version}\nlayer: {layer}\n" + (f"{layer}: {code}\n" if code else "")
    blocks: dict[str, str] = {}
    for text in sections:
        for block in _blocks(dedent(text)):
            blocks[block.partition(":")[0]] = block
    return head + "".join(blocks.values())


def _blocks(text: str) -> list[str]:
    found: list[str] = []
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            found.append("")
        if line.strip():
            found[-1] += f"{line}\n"
    return found


def policy(*documents: str) -> PolicySet:
    """The policy of several texts."""
    return read_texts({f"{number}.yaml": text for number, text in enumerate(documents)})
