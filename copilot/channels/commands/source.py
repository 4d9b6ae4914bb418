"""`erp-copilot source add|check|sync|list`: the systems that the copy is made from."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Mapping

from connectors.base import SourceInfo
from connectors.registry import KINDS, Kind, Setting, kind
from copilot.channels.cli import Command, say
from copilot.errors import SettingsError
from copilot.ingest import SyncReport
from copilot.settings import read_settings
from copilot.store.secrets import variable
from copilot.wiring import Runtime, open_runtime
from copilot.wiring.sources import label_map_for


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="add a source; asks for what is not given")
    add.add_argument("kind", choices=[known.name for known in KINDS])
    add.add_argument("--name", help="what the source is called in answers")
    add.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE", help="a setting, instead of asking")
    for action, what in (("check", "reach a source and say what it offers"), ("sync", "bring the copy up to a source")):
        one = actions.add_parser(action, help=what)
        one.add_argument("name", nargs="?", help="one source; all where left out")
        if action == "sync":
            one.add_argument("--full", action="store_true", help="read everything again")
    actions.add_parser("list", help="the sources and how fresh they are")


async def _run(options: argparse.Namespace) -> int:
    async with open_runtime(read_settings(), progress=say, linger=True) as runtime:
        match options.action:
            case "add":
                return await _add(runtime, options)
            case "check":
                return await _check(runtime, options.name)
            case "sync":
                return await _sync(runtime, options.name, full=options.full)
            case _:
                return await _list(runtime)


async def _add(runtime: Runtime, options: argparse.Namespace) -> int:
    chosen = kind(options.kind)
    name = options.name or chosen.title.split()[0]
    answers = _answers(chosen, name, _given(options.set))
    connector = chosen.connect(answers)
    try:
        info = await connector.check()
    finally:
        await connector.aclose()
    kept = {s.name: answers[s.name] for s in chosen.settings if not s.secret and s.name in answers}
    await runtime.ingest.add_source(name, chosen.name, kept, label_map_for(info))
    for setting in chosen.settings:
        if setting.secret and runtime.secrets.get(name, setting.name) != answers[setting.name]:
            say(f"{setting.name} kept in {runtime.secrets.keep(name, setting.name, answers[setting.name])}")
    await runtime.sources.load()
    _print_info(name, info)
    print(f"added {name!r}; now: erp-copilot source sync {name!r}")
    return 0


def _given(pairs: list[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise SettingsError(f"{wrong[0]!r} is no SETTING=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


def _answers(chosen: Kind, name: str, given: Mapping[str, str]) -> dict[str, str]:
    """Settings given, else from the environment (secrets), else asked for."""
    answers = dict(given)
    for setting in chosen.settings:
        if setting.name not in answers:
            answers[setting.name] = _answer(setting, name)
    return {key: value for key, value in answers.items() if value}


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


async def _check(runtime: Runtime, name: str | None) -> int:
    for source in _chosen(runtime, name):
        _print_info(source, await runtime.sources.connector(source).check())
    return 0


async def _sync(runtime: Runtime, name: str | None, *, full: bool) -> int:
    for each in _chosen(runtime, name):
        source, connector = runtime.sources.source(each), runtime.sources.connector(each)
        _print_report(await runtime.ingest.sync(source, connector, full=full, progress=say))
    return 0


def _chosen(runtime: Runtime, name: str | None) -> list[str]:
    return [runtime.sources.source(name).name] if name else runtime.sources.names()


async def _list(runtime: Runtime) -> int:
    states = await runtime.sources.states()
    for state in states:
        print(f"{state.name:<20} {state.system:<10} {state.told(runtime.clock())}")
    if not states:
        print("no sources yet; add one: erp-copilot source add odoo")
    return 0


def _print_info(name: str, info: SourceInfo) -> None:
    print(f"{name}: {info.system} {info.version}")
    for label in info.labels:
        print(f"  {label.kind} {label.key}: {label.name}")
    for refused in info.unreadable:
        fields = f" ({', '.join(refused.fields)})" if refused.fields else ""
        print(f"  cannot read {refused.entity}{fields}: {refused.reason}")


def _print_report(report: SyncReport) -> None:
    print(f"{report.source}: {report.changed} changed, {report.removed} removed, {report.quarantined} set aside")
    for name, entity in report.entities.items():
        if entity.read or entity.removed or entity.skipped:
            skipped = f"  not readable: {entity.skipped}" if entity.skipped else ""
            print(
                f"  {name:<22} {entity.read:>8} read {entity.changed:>8} changed {entity.removed:>6} removed{skipped}"
            )


COMMAND = Command("add, check, sync and list sources", _arguments, _run)
