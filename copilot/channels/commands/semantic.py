"""`erp-copilot semantic`: check what the model and the languages are written in, list it, explain a measure."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

from copilot.channels.cli import Command, say
from copilot.errors import CopilotError
from copilot.semantic.check import check_semantics, semantic_documents
from copilot.semantic.documents import Document, read_schema
from copilot.semantic.kpis import load_kpis
from copilot.semantic.measures import load_measures
from copilot.semantic.model import load_model
from copilot.understanding.check import check_languages, language_documents, languages

_LISTS = ("measures", "entities", "words")
_WIDTH = 26


class UnknownNameError(CopilotError):
    """Nothing has this name; `erp-copilot semantic list` shows what there is."""

    code = "unknown_name"


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser(
        "check", help="name every fault of the files, with its line; exit status 1 if there is one"
    )
    check.add_argument("--schema", metavar="NAME", help="print a JSON Schema instead, such as kpis or things")
    check.add_argument("--language", metavar="FOLDER", action="append", default=[], help="check that language too")
    shown = actions.add_parser("list", help="list measures, entities or the words of a language")
    shown.add_argument("what", choices=_LISTS)
    shown.add_argument("--language", default="en", metavar="NAME", help="whose words (default: en), or a folder")
    explain = actions.add_parser("explain", help="what a measure is: formula, parameters, population, owner, version")
    explain.add_argument("measure")
    explain.add_argument("--region", default="", metavar="CODE", help="as it holds in a region, such as SG")


async def _run(options: argparse.Namespace) -> int:
    match options.action:
        case "check":
            return _schema(options.schema) if options.schema else _check(options.language)
        case "list":
            lines = {"measures": _measures, "entities": _entities, "words": lambda: _words(options.language)}
            return _printed(lines[options.what]())
        case _:
            return _printed(_explained(options.measure, options.region))


def _documents(others: Sequence[str] = ()) -> Iterator[Document]:
    yield from semantic_documents()
    for language in (*languages(), *others):
        yield from language_documents(language)


def _check(others: Sequence[str]) -> int:
    faults = [*check_semantics(semantic_documents())]
    if not faults:  # a language is held against a model that is right
        faults = [*check_languages(others)]
    _printed(map(str, faults))
    say(f"{len(faults)} faults" if faults else f"{len([*_documents(others)])} files, no fault")
    return 1 if faults else 0


def _schema(name: str) -> int:
    known = {f"{'' if 'language' not in d.file else 'language/'}{d.schema}": d for d in _documents()}
    document = known.get(name) or known.get(f"language/{name}")
    if document is None:
        raise UnknownNameError(f"there is no schema {name!r}; there is: {', '.join(sorted(known))}")
    print(json.dumps(read_schema(document.schemas, document.schema), indent=2, ensure_ascii=False))
    return 0


def _printed(lines: Iterator[str] | Any) -> int:
    for line in lines:
        print(line)
    return 0


def _measures() -> Iterator[str]:
    for name, kpi in sorted(load_kpis().items()):
        yield f"{name:<{_WIDTH}}{kpi.title} (of {kpi.entity}, {kpi.owner}, version {kpi.version}, {kpi.population})"
    for name, measure in sorted(load_measures().items()):
        if name not in load_kpis():
            yield f"{name:<{_WIDTH}}{measure.title} ({measure.owner}, version {measure.version}, {measure.population})"


def _entities() -> Iterator[str]:
    for name, entity in load_model().entities.items():
        yield f"{name:<{_WIDTH}}{entity.title} ({entity.record_class}): {', '.join(entity.fields)}"


def _words(language: str) -> Iterator[str]:
    for document in language_documents(language):
        for place, phrases in _phrases(document.body, ()):
            yield f"{document.schema + ':' + '.'.join(place):<{_WIDTH * 2}}{', '.join(map(str, phrases))}"


def _phrases(body: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Lists of words within a file, each with where it stands."""
    if isinstance(body, dict):
        for name, inner in body.items():  # pyright: ignore[reportUnknownVariableType]
            yield from _phrases(inner, (*place, str(name)))  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(body, list) and not any(isinstance(each, dict) for each in body):  # pyright: ignore[reportUnknownVariableType]
        yield place, body


def _explained(name: str, region: str) -> Iterator[str]:
    kpi, measure = load_kpis(region).get(name), load_measures().get(name)
    found = kpi or measure
    if found is None:
        raise UnknownNameError(f"there is no measure {name!r}; `erp-copilot semantic list measures` shows them")
    yield f"{found.title} ({name})"
    yield from _rows(
        formula=found.formula,
        population="computed over everything, by the worker" if found.population == "published" else "visible records",
        owner=found.owner,
        version=str(found.version),
    )
    if kpi:
        better = {"up": "more is better", "down": "less is better"}.get(kpi.direction or "", "neither is better")
        yield from _rows(of=kpi.entity, date=".".join(kpi.date or ()) or "none", direction=better)
        yield from _parameters(name, region)


def _parameters(name: str, region: str) -> Iterator[str]:
    body = next(d.body for d in semantic_documents() if d.schema == "kpis")[name]
    variants = body.get("variants", {})
    here = variants.get(region, {})
    if region and not here:
        yield from _rows(region=f"{region} has no variant of its own")
    for parameter, number in body.get("parameters", {}).items():
        others = [f"{code} {those[parameter]}" for code, those in variants.items() if parameter in those]
        varied = f" (variant of {region}; else {number})" if parameter in here else ""
        apart = f" (other: {', '.join(others)})" if others and not varied else ""
        yield from _rows(parameter=f"{parameter} = {here.get(parameter, number)}{varied}{apart}")


def _rows(**said: str) -> Iterator[str]:
    return (f"  {label:<12}{text}" for label, text in said.items())


COMMAND = Command("check, list and explain what measures and words mean", _arguments, _run)
