"""`erp-copilot proofs` and `erp-copilot bench`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from copilot.channels.cli import Command, say
from copilot.errors import SettingsError
from evals.bench.runner import PARTS, run_parts
from evals.proofs.approvals.trial import APPROVALS
from evals.proofs.captured.trial import CAPTURED_MODEL
from evals.proofs.disagreements.trial import DISAGREEMENTS
from evals.proofs.erasure.trial import ERASURE
from evals.proofs.history import HISTORY
from evals.proofs.lies.trial import LIES
from evals.proofs.model_faults.trial import MODEL_FAULTS
from evals.proofs.plans.trial import PLANS
from evals.proofs.policy_replay.trial import POLICY_REPLAY
from evals.proofs.published.trial import PUBLISHED
from evals.proofs.redaction_known.trial import REDACTION_KNOWN
from evals.proofs.redaction_wire.trial import REDACTION_WIRE
from evals.proofs.replay.trial import REPLAY
from evals.proofs.runner import run_suites
from evals.proofs.scope_by_actor import SCOPE_BY_ACTOR
from evals.proofs.scope_interleaved.trial import SCOPE_INTERLEAVED
from evals.proofs.scope_leaks.trial import SCOPE_LEAKS
from evals.proofs.suite import Setting, Suite
from evals.proofs.sync_faults.trial import SYNC_FAULTS
from evals.proofs.tokens.trial import TOKENS
from evals.proofs.variations.trial import VARIATIONS

SUITES: tuple[Suite, ...] = (
    SCOPE_BY_ACTOR,
    SCOPE_LEAKS,
    SYNC_FAULTS,
    HISTORY,
    DISAGREEMENTS,
    PLANS,
    PUBLISHED,
    VARIATIONS,
    TOKENS,
    POLICY_REPLAY,
    SCOPE_INTERLEAVED,
    REDACTION_KNOWN,
    REDACTION_WIRE,
    ERASURE,
    APPROVALS,
    MODEL_FAULTS,
    LIES,
    CAPTURED_MODEL,
    REPLAY,
)
"""Every proof suite."""
BUILD = Path("build")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def _proof_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="NAME", help=f"one suite: {', '.join(suite.name for suite in SUITES)}")
    parser.add_argument("--sample", action="store_true", help="a small part of each, for CI")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other cases")


async def _prove(options: argparse.Namespace) -> int:
    setting = Setting(seed=options.seed, sample=options.sample)
    return 0 if await run_suites(_chosen(SUITES, options.only), setting, BUILD, say) else 1


def _chosen(known: Sequence[_N], only: str | None) -> Sequence[_N]:
    found = [each for each in known if only is None or each.name == only]
    if not found:
        raise SettingsError(f"there is nothing called {only!r}; there is: {', '.join(each.name for each in known)}")
    return found


PROOFS = Command("run the proof suites", _proof_arguments, _prove)


def _bench_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="NAME", help=f"one part: {', '.join(part.name for part in PARTS)}")


async def _measure(options: argparse.Namespace) -> int:
    return 0 if await run_parts(_chosen(PARTS, options.only), BUILD, say) else 1


BENCH = Command("measure answers, audit and start-up", _bench_arguments, _measure)
