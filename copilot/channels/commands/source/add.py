"""`erp-copilot source add` and `check`: reach a source, say what it is, and keep how to reach it."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from connectors.base import SourceInfo
from connectors.registry import KINDS, Kind, Setting, kind
from copilot.channels.cli import say
from copilot.channels.commands.source.action import Action, chosen, one_or_all
from copilot.errors import SettingsError
from copilot.ingest import Source
from copilot.policy.policy import PURPOSES
from copilot.semantic.model import HINTS
from copilot.store.secrets import variable
from copilot.wiring import Runtime
from copilot.wiring.sources import label_map_for


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=[known.name for known in KINDS])
    parser.add_argument("--name", help="what the source is called in answers")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SETTING=VALUE", help="a setting, instead of asking"
    )
    parser.add_argument(
        "--purpose", choices=tuple(PURPOSES), help="what the source is for; policy says whose figure counts"
    )
    parser.add_argument("--every", type=int, metavar="MINUTES", help="how often it is synced")
    parser.add_argument(
        "--identity",
        action="append",
        default=[],
        metavar="ENTITY=RULE,…",
        help="by what its records are known as ours, such as item=gtin,number,part_number",
    )
    parser.add_argument(
        "--label", action="append", default=[], metavar="LABEL:KEY=CODE", help="our region, site or channel for a hint"
    )


async def _add(runtime: Runtime, options: argparse.Namespace) -> int:
    new = kind(options.kind)
    name = options.name or new.title.split()[0]
    answers = _answers(new, name, _given(options.set))
    connector = runtime.sources.connect(new.name, answers)
    try:
        info = await connector.check()
    finally:
        await connector.aclose()
    kept: dict[str, object] = {s.name: answers[s.name] for s in new.settings if not s.secret and s.name in answers}
    if options.identity:
        kept["identity"] = _rules(options.identity)
    labels = _with_labels(label_map_for(info), options.label)
    before = {source.name: source for source in await runtime.ingest.sources()}.get(name)
    await runtime.ingest.add_source(
        name, new.name, kept, labels, purpose=options.purpose or new.purpose, every_minutes=options.every
    )
    for setting in new.settings:
        secret = answers.get(setting.name) if setting.secret else None
        if secret and runtime.secrets.get(name, setting.name) != secret:
            say(f"{setting.name} kept in {runtime.secrets.keep(name, setting.name, secret)}")
    await runtime.sources.load()
    _print_info(name, info)
    print(told(before, runtime.sources.source(name)))
    return 0


def told(before: Source | None, now: Source) -> str:
    """What adding a source did, where one of this name may have been there before."""
    sync = f"erp-copilot source sync {now.name!r}"
    if before is None:
        return f"added {now.name!r}; now: {sync}"
    anew = _differences(before, now)
    beside = [
        name
        for name, differs in (
            ("what it is for", before.purpose != now.purpose),
            ("how often it is synced", before.every_minutes != now.every_minutes),
        )
        if differs
    ]
    if anew:
        return f"changed {now.name!r}: {', '.join([*anew, *beside])}; the next sync reads it anew: {sync}"
    if beside:
        return f"changed {now.name!r}: {', '.join(beside)}; what was read stays"
    return f"{now.name!r} was there just like this; nothing changed, and the next sync goes on from the last"


def _differences(before: Source, now: Source) -> list[str]:
    """What differs that changes the meaning of its records, without the values: an address may be nobody's business."""
    settings = sorted(
        name for name in {*before.settings, *now.settings} if _differs(before.settings, now.settings, name)
    )
    labels = sorted(
        name for name in {*before.label_map, *now.label_map} if _differs(before.label_map, now.label_map, name)
    )
    kinds = [f"its kind, which was {before.system!r}"] if before.system != now.system else []
    return [*kinds, *(f"the setting {name!r}" for name in settings), *(f"the labels for {name!r}" for name in labels)]


def _differs(before: Mapping[str, object], now: Mapping[str, object], name: str) -> bool:
    return (name in before) != (name in now) or before.get(name) != now.get(name)


def _with_labels(proposed: dict[str, dict[str, str]], given: list[str]) -> dict[str, dict[str, str]]:
    for each in given:
        label, _, pair = each.partition(":")
        key, equals, code = pair.partition("=")
        if label not in HINTS or not equals:
            raise SettingsError(f"{each!r} is no LABEL:KEY=CODE, where LABEL is one of {', '.join(HINTS)}")
        proposed.setdefault(label, {})[key] = code
    return proposed


def _rules(pairs: list[str]) -> dict[str, str]:
    rules = _given(pairs)
    if len(rules) < len(pairs):
        raise SettingsError(f"--identity names an entity twice; give all its rules at once: {' '.join(pairs)!r}")
    return rules


def _given(pairs: list[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise SettingsError(f"{wrong[0]!r} is no SETTING=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


def answers_for(new: Kind, name: str, pairs: list[str], *, mapping: str) -> dict[str, str]:
    """The settings of a source whose mapping is yet to be made. Raises SettingsError for what is missing."""
    given = {key: value for key, value in _given(pairs).items() if key != "mapping"}
    others = replace(new, settings=tuple(setting for setting in new.settings if not setting.file))
    return _answers(others, name, given) | {"mapping": mapping}


def _answers(new: Kind, name: str, given: Mapping[str, str]) -> dict[str, str]:
    """Settings given, else from the environment (secrets), else asked for."""
    answers = dict(given)
    for setting in new.settings:
        if setting.name not in answers:
            answers[setting.name] = _answer(setting, name)
    for setting in new.settings:
        if setting.file and setting.name in answers:
            answers[setting.name] = _text_of(answers[setting.name])
    return {key: value for key, value in answers.items() if value}


def _text_of(path: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the file {path!r} can't be read: {error}") from error


def _answer(setting: Setting, name: str) -> str:
    if setting.secret:
        held = os.environ.get(variable(name, setting.name))
        if held:
            return held
    if not sys.stdin.isatty():
        if setting.default is None:
            hint = f"set {variable(name, setting.name)}" if setting.secret else f"give --set {setting.name}=…"
            raise SettingsError(f"the setting {setting.name!r} is missing: {hint}")
        return setting.default
    prompt = f"{setting.prompt}{f' [{setting.default}]' if setting.default else ''}: "
    return (getpass.getpass(prompt) if setting.secret else input(prompt)) or setting.default or ""


async def _check(runtime: Runtime, options: argparse.Namespace) -> int:
    for source in chosen(runtime, options.name):
        _print_info(source, await runtime.sources.connector(source).check())
    return 0


def _print_info(name: str, info: SourceInfo) -> None:
    print(f"{name}: {info.system} {info.version}")
    for label in info.labels:
        print(f"  {label.kind} {label.key}: {label.name}")
    for refused in info.unreadable:
        fields = f" ({', '.join(refused.fields)})" if refused.fields else ""
        print(f"  cannot read {refused.entity}{fields}: {refused.reason}")
    for note in info.notes:
        print(f"  {note}")


ADD = Action(name="add", help="add a source; asks for what is not given", arguments=_arguments, run=_add)
CHECK = Action(name="check", help="reach a source and say what it offers", arguments=one_or_all, run=_check)
