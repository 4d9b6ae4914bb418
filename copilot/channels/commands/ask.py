"""`erp-copilot ask`: one question, one answer, on the terminal."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import timedelta

from copilot.channels.cli import Command, Paced, say
from copilot.channels.marks import FALLBACKS
from copilot.domain.answer import Answer, Verdict
from copilot.domain.question import MAX_QUESTION, Question
from copilot.errors import SettingsError
from copilot.settings import read_settings
from copilot.wiring import Runtime, open_runtime

_OLD = timedelta(hours=4)
_ESCAPED = re.compile(r"\\([^\w\s])")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", help="the question, in quotes")
    parser.add_argument("--as", dest="subject", required=True, metavar="USER", help="who is asking, such as rep.us")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    parser.add_argument("--conversation", metavar="ID", help="go on with this conversation")


async def _run(options: argparse.Namespace) -> int:
    text = str(options.question).strip()
    if not text or len(text) > MAX_QUESTION:
        raise SettingsError(f"a question has 1 to {MAX_QUESTION} characters; this one has {len(text)}")
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        await _demo_ready(runtime)
        credential = await runtime.signed_in(options.subject)
        question = Question(text=text, channel="cli", conversation=options.conversation)
        answer = await runtime.ask(question, credential)
    _print(answer, as_json=options.json)
    return 0 if answer.verdict is not Verdict.DECLINED else 3


async def _demo_ready(runtime: Runtime) -> None:
    """Install the demo company where there is nothing yet, and let it live on when it stood still for hours."""
    if not runtime.settings.embedded:
        return
    synced = await runtime.sources.last_sync()
    if synced is None or runtime.clock() - synced > _OLD:
        from copilot.wiring.demo import bring_demo_to_today

        await bring_demo_to_today(runtime, Paced())


def plain(text: str) -> str:
    """The answer's markdown as plain text: no emphasis, no escapes."""
    return _ESCAPED.sub(r"\1", text.replace("**", ""))


def _print(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        json.dump(answer.to_json(), sys.stdout, indent=2, ensure_ascii=False)
        print()
        return
    print(plain(answer.answer))
    if answer.understood:
        print(f"Understood as: {answer.understood}.")
    for number, choice in enumerate(answer.choices, 1):
        print(f"  {number}. {choice.label}\n     ask: {choice.question}")
    for step in answer.next_steps:
        print(f"  → {step}")
    ages = [source.age_seconds for source in answer.sources if source.kind == "record"]
    oldest = f", oldest source {max(ages) // 60} min" if ages else ""
    without = f", without the model, {FALLBACKS[answer.fallback]}" if answer.fallback else ""
    reason = f": {answer.reason}" if answer.reason else ""
    say(f"[{answer.verdict}{reason}{oldest}{without}, {answer.elapsed_ms} ms]")


COMMAND = Command("answer one question", _arguments, _run)
