"""What the README says of models: every example is one that is read, and means what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from copilot.domain.model_calls import Fallback
from copilot.models.configured import Configured, read_models

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PART = README.partition("\n## A model that helps\n")[2].partition("\n## ")[0]
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PART, re.DOTALL)


def read(example: str, folder: Path) -> Configured:
    file = folder / "models.yaml"
    file.write_text(example, encoding="utf-8")
    return read_models(file)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_read(example: str, tmp_path: Path) -> None:
    found = read(example, tmp_path)
    assert found.models
    assert found.tasks


def test_the_examples_are_of_every_service(tmp_path: Path) -> None:
    assert len(EXAMPLES) == 2
    house, outside = (read(each, tmp_path) for each in EXAMPLES)
    assert (house.models["house"].audience, house.tasks["plan"].within) == ("models", 8)
    assert {each.service for each in outside.models.values()} == {"openai", "azure"}
    assert {each.audience for each in outside.models.values()} == {"providers"}
    assert len(outside.budgets) == 3


@pytest.mark.parametrize("url", sorted(set(re.findall(r"http://127\.0\.0\.1:\d+/v1", PART))))
def test_an_address_of_a_house_model_fits_the_example(url: str, tmp_path: Path) -> None:
    example = re.sub(r"url: \S+", f"url: {url}", EXAMPLES[0])
    assert read(example, tmp_path).models["house"].url == url


def test_every_reason_of_a_fallback_is_named() -> None:
    assert all(f"`{each}`" in PART for each in get_args(Fallback))
