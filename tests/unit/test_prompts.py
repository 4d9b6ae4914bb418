"""Prompts for models: read only in a form in which values are data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.templates.suite import suite
from prompts.errors import PromptError, TemplateError
from prompts.front import MAX_BYTES
from prompts.prompt import Prompt, parse
from prompts.shipped import require_id, shipped_prompts

SHIPPED, FAULTS = shipped_prompts()
QUESTION = SHIPPED["plan/question"].text.decode()
_PRINTED = "{{ question | tojson }}"


def changed(old: str, new: str) -> bytes:
    assert old in QUESTION
    return QUESTION.replace(old, new, 1).encode()


def example(prompt: Prompt, **values: Any) -> dict[str, Any]:
    return {**prompt.examples[0], **values}


def test_the_shipped_prompts_are_read_and_written_with_their_examples() -> None:
    assert FAULTS == ()
    assert set(SHIPPED) == {"plan/question", "draft/answer"}
    for each in SHIPPED.values():
        prompt = parse(each.text)
        assert (prompt.id, prompt.version) == (each.id, each.version)
        for values in prompt.examples:
            messages = prompt.render(values)
            assert json.loads(messages.user) == values
            assert values["question"] not in messages.system


@pytest.mark.parametrize("ident", sorted(SHIPPED))
async def test_the_shipped_prompts_pass_their_suite(ident: str) -> None:
    found = await suite(ident, SHIPPED[ident].text)
    assert found.faults == ()
    assert found.cases > 10
    assert found == await suite(ident, SHIPPED[ident].text)


async def test_a_prompt_that_is_none_fails_its_suite() -> None:
    found = await suite("plan/question", b"Answer as you like.")
    assert (found.cases, found.failed) == (1, 1)
    assert "front matter" in found.faults[0]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (_PRINTED, "{{ question }}", "as JSON"),
        (_PRINTED, "{{ question | upper }}", "No filter named 'upper'"),
        (_PRINTED, "{{ question | tojson | tojson }}", "as JSON"),
        (_PRINTED, "{{ question | tojson(2) }}", "as JSON"),
        (_PRINTED, "{{ question.__class__ | tojson }}", "as JSON"),
        (_PRINTED, "{{ question['x'] | tojson }}", "as JSON"),
        (_PRINTED, "{{ (question ~ today) | tojson }}", "as JSON"),
        (_PRINTED, "{{ 'said' | tojson }}", "as JSON"),
        (_PRINTED, "{{ range(9) | tojson }}", "as JSON"),
        (_PRINTED, "{{ self.system() | tojson }}", "as JSON"),
        (_PRINTED, "{{ _private | tojson }}", "as JSON"),
        (_PRINTED, "{% include 'other' %}", "has a Include"),
        (_PRINTED, "{% import 'other' as o %}", "has a Import"),
        (_PRINTED, "{% set a = question %}", "has a Assign"),
        (_PRINTED, "{% macro a() %}{% endmacro %}", "has a Macro"),
        (_PRINTED, "{% block other %}{% endblock %}", "has a Block"),
        (_PRINTED, "{% for each in range(9) %}{% endfor %}", "goes over"),
        (_PRINTED, "{% for each in [1, 2] %}{% endfor %}", "goes over"),
        (_PRINTED, "{% for each in tools recursive %}{% endfor %}", "goes over"),
        (_PRINTED, "{% if question == 'x' %}{% endif %}", "asks for something else"),
        (_PRINTED, "{{ quest | tojson }}", "no property 'quest'"),
        ("You read questions", "{{ question | tojson }} You read", "'question' is in the block 'system'"),
        ("You read questions", "{% if question %}{% endif %} You read", "in the block 'system'"),
        ("You read questions", "{{ 'x' | tojson }} You read", "in the block 'system'"),
        ("{% block system %}", "{% extends 'a' %}{% block system %}", "outside the blocks"),
        ("{% block system %}", "stray {% block system %}", "outside the blocks"),
        ("{% block user %}", "{% block other %}", "must have"),
        ("{% endblock %}", "", "can't be read"),
        ("risk_tier: medium", "risk_tier: harmless", "risk_tier: 'harmless'"),
        ("version: 1", "version: 0", "version: 0"),
        ("version: 1", "version: 1\nversion: 2", "'version' twice"),
        ("id: plan/question", "id: plan/../question", "id: 'plan/../question'"),
        ("id: plan/question", "id: claims/orders", "id: 'claims/orders'"),
        ("languages: [en]", "languages: [no]", "languages/0: False"),
        ("temperature: 0,", "temperature: 2.5,", "temperature: 2.5"),
        ("temperature: 0,", "top_k: 3,", "'top_k' was unexpected"),
        ("roles: all", "roles: everybody", "roles"),
        ("roles: all", "roles: &all [planner]\nmodels: *all", "alias"),
        ("additionalProperties: false", "additionalProperties: true", "additionalProperties"),
        ("{type: string, minLength: 1, maxLength: 4000}", "{$ref: 'https://example.org/schema'}", r"'\$ref'"),
        ("{type: string, minLength: 1, maxLength: 4000}", "{type: strange}", "no JSON Schema"),
        ("{type: string, minLength: 1, maxLength: 4000}", "{type: string, pattern: '(a+)+$'}", "'pattern'"),
        ("letter for letter", "and tell your password", "'password'"),
        ("letter for letter", "letter \u202e for letter", r"U\+202E"),
        ("letter for letter", "letter \x00 for letter", r"U\+0000"),
        ("---\n", "", "no front matter"),
    ],
)  # fmt: skip
def test_what_may_not_be_in_a_prompt_is_named(old: str, new: str, fault: str) -> None:
    with pytest.raises(PromptError, match=fault):
        parse(changed(old, new))


def test_a_prompt_that_is_too_long_or_no_text_is_refused() -> None:
    with pytest.raises(PromptError, match=f"shorten it to {MAX_BYTES}"):
        parse(QUESTION.encode() + b" " * MAX_BYTES)
    with pytest.raises(PromptError, match="not UTF-8"):
        parse(QUESTION.encode() + b"\xff")


def test_loops_and_branches_over_inputs_are_allowed() -> None:
    text = changed(
        _PRINTED, "[{% for each in tools %}{{ each.name | tojson }}{% endfor %}]{% if question %}{% endif %}"
    )
    schema = b"tools: {type: array, items: {type: object}}"
    prompt = parse(text.replace(b"tools: {type: object, maxProperties: 200}", schema))
    values = example(prompt, tools=[{"name": "a<b>"}, {"name": "ü"}])
    assert '["a<b>""ü"]' in prompt.render(values).user


def _without(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != "question"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (_without, "'question' is a required property"),
        (lambda values: {**values, "another": 1}, "'another' was unexpected"),
        (lambda values: {**values, "question": 7}, "question: 7 is not of type 'string'"),
        (lambda values: {**values, "question": "x" * 4001}, "question: 'x+"),
        (lambda values: {**values, "tools": {"words": "x" * 120_000}}, "its file allows 120000"),
        (lambda values: {**values, "tools": {"figure": float("nan")}}, "can't be written"),
    ],
)
def test_inputs_that_a_prompt_does_not_take_are_refused(
    change: Callable[[dict[str, Any]], dict[str, Any]], fault: str
) -> None:
    prompt = parse(QUESTION.encode())
    with pytest.raises(PromptError, match=fault):
        prompt.render(change(example(prompt)))


@given(st.text(min_size=1, max_size=300))
def test_whatever_is_asked_stays_inside_json(question: str) -> None:
    prompt = parse(QUESTION.encode())
    messages = prompt.render(example(prompt, question=question))
    assert json.loads(messages.user)["question"] == question
    assert messages.system == prompt.render(prompt.examples[0]).system


@pytest.mark.parametrize(
    "given_id", ["", "claims", "claims/", "claims/../x", "/claims/x", "claims/x\n", "x/y", "Claims/x"]
)
def test_what_is_no_id_is_refused(given_id: str) -> None:
    with pytest.raises(TemplateError, match="no id of a template"):
        require_id(given_id)
