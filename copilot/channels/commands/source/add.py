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
        "--identity", action="append", default=[], metavar="ENTITY=FIELD", help="by what its records are known as ours"
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
        kept["identity"] = _given(options.identity)
    labels = _with_labels(label_map_for(info), options.label)
    await runtime.ingest.add_source(
        name, new.name, kept, labels, purpose=options.purpose or new.purpose, every_minutes=options.every
    )
    for setting in new.settings:
        secret = answers.get(setting.name) if setting.secret else None
        if secret and runtime.secrets.get(name, setting.name) != secret:
            say(f"{setting.name} kept in {runtime.secrets.keep(name, setting.name, secret)}")
    await runtime.sources.load()
    _print_info(name, info)
    print(f"added {name!r}; now: erp-copilot source sync {name!r}")
    return 0


def _with_labels(proposed: dict[str, dict[str, str]], given: list[str]) -> dict[str, dict[str, str]]:
    for each in given:
        label, _, pair = each.partition(":")
        key, equals, code = pair.partition("=")
        if label not in HINTS or not equals:
            raise SettingsError(f"{each!r} is no LABEL:KEY=CODE, where LABEL is one of {', '.join(HINTS)}")
        proposed.setdefault(label, {})[key] = code
    return proposed


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


ADD = Action(name="add", help="add a source; asks for what is not given", arguments=_arguments, run=_add)
CHECK = Action(name="check", help="reach a source and say what it offers", arguments=one_or_all, run=_check)
