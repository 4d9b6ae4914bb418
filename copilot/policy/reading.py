"""Reads policy documents from YAML, and refuses what is not well formed with all its faults at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator, exceptions

from copilot.errors import PolicyError
from copilot.policy.documents import Allowance, Document, Exempt, PolicySet, Rule
from copilot.policy.layers import Place
from copilot.policy.sections import SECTIONS, Key
from copilot.policy.statements import bounds, statements, whole
from copilot.policy.yaml_form import read_plain

BASELINE = files("copilot.policy") / "baseline"
_SCHEMA = files("copilot.policy") / "schemas" / "policy.json"
_EXCEPTIONS: Any = exceptions  # its types are half unknown
_PURPOSES = frozenset({"erp", "wms", "commerce", "logistics", "files"})
_DAYS = frozenset({"promise_within_days", "pseudonyms_kept_days"})
_LISTED = frozenset({"access", "templates"})
Body = Mapping[str, Any]


@cache
def baseline() -> PolicySet:
    """The documents shipped with the project, valid with the embedded default."""
    return read_folder(BASELINE)


def read_folder(folder: Traversable | Path) -> PolicySet:
    """The policy of all YAML files of a folder. Raises PolicyError naming every fault of every file."""
    try:
        found = sorted((each for each in folder.iterdir() if each.name.endswith(".yaml")), key=lambda each: each.name)
        texts = {each.name: each.read_text() for each in found}
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"the policy in {str(folder)!r} can't be read; name a folder with YAML files") from error
    if not texts:
        raise PolicyError(f"there is no policy in {str(folder)!r}; name a folder with YAML files")
    return read_texts(texts)


def read_texts(texts: Mapping[str, str]) -> PolicySet:
    """The policy of several texts by the names of their files. Raises PolicyError naming every fault of each."""
    documents: list[Document] = []
    faults: list[str] = []
    for name, text in texts.items():
        try:
            documents.append(read_document(text, name))
        except PolicyError as error:
            faults.append(str(error))
    if faults:
        raise PolicyError("\n".join(faults))
    return PolicySet(documents=tuple(documents))


@lru_cache(maxsize=4096)  # versions of a policy have most of their documents in common
def read_document(text: str, file: str = "policy") -> Document:
    """One document. Raises PolicyError naming all its faults."""
    body = read_plain(text, file)
    faults = sorted(_schema_faults(body)) or sorted(_own_faults(body))
    if faults:
        raise PolicyError("\n".join(f"{file}: {fault}" for fault in faults))
    layer: str = body["layer"]
    rules = tuple(_rule(section, name, rule) for section in SECTIONS for name, rule in body.get(section, {}).items())
    named = {rule.name: rule for rule in rules}
    return Document(
        place=Place(layer, body.get(layer, "")),
        version=body["version"],
        rules=rules,
        allowances=tuple(_allowance(each, named) for each in body.get("may_loosen", ())),
        file=file,
    )


@cache
def policy_schema() -> Mapping[str, Any]:
    """The JSON Schema of a document."""
    return json.loads(_SCHEMA.read_text())


def _schema_faults(body: Body) -> Iterator[str]:
    validator: Any = Draft202012Validator(policy_schema())
    for error in validator.iter_errors(body):
        cause: Any = _EXCEPTIONS.best_match([error]) or error
        yield f"{'.'.join(map(str, cause.absolute_path)) or 'it'}: {cause.message[:300]}"


def _own_faults(body: Body) -> Iterator[str]:
    """What a schema can't say."""
    seen: dict[str, str] = {}
    for section in SECTIONS:
        for name, rule in body.get(section, {}).items():
            if seen.setdefault(name, section) != section:
                yield f"{section}.{name}: {seen[name]} has a rule of this name; a name is given once in a document"
            values = [rule]
            if "exception" in rule:
                values.append({**rule, **rule["exception"]})
                yield from _date_faults(f"{section}.{name}", rule["exception"]["until"])
            for each in values:
                yield from _value_faults(f"{section}.{name}", each)
    if not seen:
        yield f"it has no rule; its sections are {', '.join(SECTIONS)}"
    yield from _allowance_faults(body, seen)


def _date_faults(where: str, until: str) -> Iterator[str]:
    try:
        date.fromisoformat(until)
    except ValueError:
        yield f"{where}: {until!r} is no day"


def _value_faults(where: str, body: Body) -> Iterator[str]:
    most = body.get("most_days")
    if most is not None and most < body.get("least_days", 0):
        yield f"{where}: it is kept for at most {most} days, and for at least {body['least_days']}"
    for step in body.get("steps", ()):
        if step.get("to", step["from"] + 1) <= step["from"]:
            yield f"{where}: the step from {step['from']} ends at {step['to']}"
    if "setting" in body and not _is_value(body["setting"], body["value"]):
        yield f"{where}: {body['value']!r} is no value of {body['setting']}"


def _is_value(setting: str, value: Any) -> bool:
    if setting in _DAYS:
        return isinstance(value, int)
    if setting == "readings_of_models":
        return isinstance(value, str)
    return isinstance(value, list) and (setting == "roles_of_customers" or set(cast("list[str]", value)) <= _PURPOSES)


def _allowance_faults(body: Body, sections: Mapping[str, str]) -> Iterator[str]:
    seen: set[str] = set()
    for each in body.get("may_loosen", ()):
        name: str = each if isinstance(each, str) else each["rule"]
        if name in seen:
            yield f"may_loosen: {name!r} is named twice"
        seen.add(name)
        if name not in sections or isinstance(each, str):
            continue
        section = sections[name]
        schema = {"$ref": f"#/$defs/{section}_within", "$defs": policy_schema()["$defs"]}
        validator: Any = Draft202012Validator(schema)
        faults = [error.message[:300] for error in validator.iter_errors(each["within"])]
        faults = faults or [*_value_faults("within", {**body[section][name], **each["within"]})]
        yield from (f"may_loosen: {name}: {fault}" for fault in faults)


def _rule(section: str, name: str, body: Body) -> Rule:
    own = {key: value for key, value in body.items() if key != "exception"}
    return Rule(
        section=section,
        name=name,
        body=body,
        statements=statements(section, own),
        whole=whole(section, own),
        exempt=_exempt(section, own, body["exception"]) if "exception" in body else None,
    )


def _exempt(section: str, own: Body, body: Body) -> Exempt:
    values = {key: value for key, value in body.items() if key not in ("why", "until")}
    said: Mapping[Key, Any] | None = None
    if values and section in _LISTED:  # a list for a time stands alone; single entries change the rule's list
        kept = {key: value for key, value in own.items() if key == "role"}
        said = statements(section, {**kept, **values})
        if whole(section, {**kept, **values}) is None:
            said = {**statements(section, own), **said}
    elif values:
        said = statements(section, {**own, **values})
    return Exempt(why=body["why"].strip(), until=date.fromisoformat(body["until"]), statements=said)


def _allowance(each: Any, rules: Mapping[str, Rule]) -> Allowance:
    if isinstance(each, str):
        return Allowance(rule=each, bounds=None)
    name, rule = each["rule"], rules.get(each["rule"])
    within: Mapping[str, Any] = each["within"]
    own = {} if rule is None else {key: value for key, value in rule.body.items() if key != "exception"}
    said = {} if rule is None else bounds(rule.section, own, within)
    return Allowance(rule=name, bounds=said, within=within)
