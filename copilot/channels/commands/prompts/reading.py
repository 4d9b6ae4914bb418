"""Reads a template from a file, and knows which one it is."""

from __future__ import annotations

from pathlib import Path

from copilot.errors import UnapprovedTemplateError
from prompts.errors import TemplateError
from prompts.front import MAX_BYTES
from prompts.prompt import parse
from prompts.shipped import CLAIMS, require_id

_CLAIMS_SUFFIX = ".yaml"


def read_template(file: Path, ident: str | None) -> tuple[str, bytes]:
    """The id and the text of a template. Raises UnapprovedTemplateError for a file that is none."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnapprovedTemplateError(f"{str(file)!r} can't be read: {error.strerror}; name another file") from error
    if len(text) > MAX_BYTES:
        raise UnapprovedTemplateError(f"{str(file)!r} has more than {MAX_BYTES} bytes; shorten it")
    try:
        return require_id(ident or _named(file, text)), text
    except TemplateError as error:
        raise UnapprovedTemplateError(f"{str(file)!r}: {error}") from error


def _named(file: Path, text: bytes) -> str:
    """Claims are called as their file is, prompts as their front matter says."""
    return f"{CLAIMS}/{file.stem}" if file.suffix == _CLAIMS_SUFFIX else parse(text).id
