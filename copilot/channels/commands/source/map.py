"""`erp-copilot source map`: draft a mapping from a source's tables, check one, or print its JSON Schema."""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path
from typing import Protocol, cast

from connectors.base import Described
from connectors.errors import MappingError
from connectors.mapping.parse import parse_mapping
from connectors.mapping.spec import Complaint
from connectors.registry import KINDS, kind
from copilot.channels.cli import say
from copilot.channels.commands.source.action import Action
from copilot.channels.commands.source.add import answers_for
from copilot.errors import SettingsError
from copilot.ingest.drafting import draft
from copilot.ingest.mapping import complaints, field_types
from copilot.semantic.model import load_model
from copilot.wiring import Runtime

_NOTHING = "mapping: 1\nsystem: Draft\nentities: {region: {rows: [{key: ALL, code: ALL, name: Everything}]}}\n"


class _Mapped(Described, Protocol):
    async def aclose(self) -> None: ...


def _arguments(parser: argparse.ArgumentParser) -> None:
    mapped = [known.name for known in KINDS if any(setting.file for setting in known.settings)]
    parser.add_argument("kind", nargs="?", choices=mapped, help="the kind of source to draft a mapping for")
    parser.add_argument("--name", default="Source", help="what the source is called in answers")
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE", help="a setting of the source")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the draft goes; shown where left out")
    parser.add_argument("--check", type=Path, metavar="FILE", help="say all that is wrong with a mapping")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of a mapping, for an editor")


async def _run(runtime: Runtime, options: argparse.Namespace) -> int:
    if options.schema:
        print((files("connectors.mapping") / "schema.json").read_text())
        return 0
    if options.check is not None:
        return _check(options.check)
    if options.kind is None:
        raise SettingsError("name the kind of source to draft for, such as: erp-copilot source map sql --set url=…")
    text = await _drafted(runtime, options)
    if options.out is None:
        print(text, end="")
        return 0
    if options.out.exists():
        raise SettingsError(f"{str(options.out)!r} is there already; name another file")
    options.out.write_text(text)
    say(f"drafted {str(options.out)!r}; look at its TODOs, then: erp-copilot source map --check {options.out}")
    return 0


async def _drafted(runtime: Runtime, options: argparse.Namespace) -> str:
    model = load_model()
    answers = answers_for(kind(options.kind), options.name, [*options.set], mapping=_NOTHING)
    connector = cast("_Mapped", runtime.sources.connect(options.kind, answers))
    try:
        return draft(options.name, await connector.tables(), model)
    finally:
        await connector.aclose()


def _check(file: Path) -> int:
    try:
        found = tuple(complaints(parse_mapping(file.read_text()), load_model()))
    except MappingError as error:
        found = error.complaints
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the file {str(file)!r} can't be read: {error}") from error
    for each in found:
        print(_told(each))
    entities = len(field_types(load_model()))
    print(
        f"{file}: {len(found)} complaints" if found else f"{file}: fits the semantic model ({entities} entities known)"
    )
    return 1 if found else 0


def _told(complaint: Complaint) -> str:
    return f"{complaint.place}: {complaint.message}" if complaint.place else complaint.message


MAP = Action(
    name="map", help="draft a mapping from table and column names, or check one", arguments=_arguments, run=_run
)
