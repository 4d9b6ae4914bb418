"""Ways by files of the program, by the data folder, the clock, the command line and the web.

Whoever replaces a shipped file and its hash in `approvals.toml` at once has installed another program: that is as much
as replacing the code that reads them, and no way of this list.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import shutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import redirect_stderr, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import prompts
from copilot.channels.commands.prompts import COMMAND
from copilot.channels.commands.prompts.reading import read_template
from copilot.channels.web.app import create_app
from copilot.errors import CopilotError
from copilot.wiring.prompt_changes import Wish, bring_into_force, draft_change, draft_text, submit
from evals.company import NOW
from evals.proofs.approvals.database import Way, forging
from evals.proofs.approvals.scene import MARK, UNTIL, Scene
from prompts.errors import TemplateError
from prompts.shipped import CLAIMS, SUFFIXES, shipped, shipped_prompts

Edit = Callable[[Path, Path, bytes], None]
"""The folder, the file of the template in it, and a text that nobody may run."""


class WayFoundError(AssertionError):
    """A way was open that is judged by itself rather than by what is said afterwards."""


def on_disk(edit: Edit) -> Way:
    """A copy of the shipped folder is edited; then it is loaded as a program that starts does."""

    async def way(scene: Scene, ident: str) -> None:
        folder = scene.home.parent / f"{scene.home.name}-shipped"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(Path(prompts.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
        edit(folder, folder / f"{ident}{SUFFIXES[ident.partition('/')[0]]}", scene.evil(ident, 1))
        with suppress(TemplateError):
            loaded = [*shipped(CLAIMS, folder).values()]
            _require_clean(any(MARK.encode() in each.text for each in loaded), "a claim template")
        with suppress(TemplateError):
            found, _ = shipped_prompts(folder)
            _require_clean(any(MARK.encode() in each.text for each in found.values()), "a prompt")

    return way


def _require_clean(marked: bool, what: str) -> None:  # noqa: FBT001 -- what was found out
    if marked:
        raise WayFoundError(f"{what} that was edited on the disk is loaded")


def _replaced(_: Path, file: Path, text: bytes) -> None:
    file.write_bytes(text)


def _self_approved(folder: Path, file: Path, text: bytes) -> None:
    _hashed(folder, file, text)
    approvals = folder / "approvals.toml"
    approvals.write_text(approvals.read_text().replace("copilot maintainers", " Copilot  Authors"))


def _nobody(folder: Path, file: Path, text: bytes) -> None:
    _hashed(folder, file, text)
    approvals = folder / "approvals.toml"
    approvals.write_text(approvals.read_text().replace('approver = "copilot maintainers"\n', ""))


def _hashed(folder: Path, file: Path, text: bytes) -> None:
    approvals = folder / "approvals.toml"
    was = hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_bytes(text)
    approvals.write_text(approvals.read_text().replace(was, hashlib.sha256(text).hexdigest()))


def _added(_: Path, file: Path, text: bytes) -> None:
    file.with_name(f"another{file.suffix}").write_bytes(text)


def _linked(folder: Path, file: Path, text: bytes) -> None:
    (folder / "elsewhere").write_bytes(text)
    file.unlink()
    file.symlink_to(folder / "elsewhere")


def _linked_folder(folder: Path, file: Path, text: bytes) -> None:
    beside = folder.parent / f"{folder.name}-linked"
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(file.parent, beside)
    (beside / file.name).write_bytes(text)
    shutil.rmtree(file.parent)
    file.parent.symlink_to(beside)


def _named_twice(folder: Path, file: Path, text: bytes) -> None:
    file.write_bytes(text)
    name, sha = f"{file.parent.name}/{file.name}", hashlib.sha256(text).hexdigest()
    with (folder / "approvals.toml").open("a") as out:
        out.write(f'\n[[approval]]\nfile = "{name}"\nsha256 = "{sha}"\nauthor = "one"\napprover = "two"\n')


def _path_trick(folder: Path, file: Path, text: bytes) -> None:
    (folder / "elsewhere.yaml").write_bytes(text)
    (folder / "elsewhere.md").write_bytes(text)
    sha = hashlib.sha256(text).hexdigest()
    with (folder / "approvals.toml").open("a") as out:
        for name in (f"{file.parent.name}/../elsewhere{file.suffix}", str(folder / f"elsewhere{file.suffix}")):
            out.write(f'\n[[approval]]\nfile = "{name}"\nsha256 = "{sha}"\nauthor = "one"\napprover = "two"\n')


async def clock_forward(scene: Scene, ident: str) -> None:
    """An approval has ended."""
    await scene.approved(ident, scene.evil(ident), until=NOW.date().isoformat())
    scene.now = NOW + timedelta(days=1)


async def clock_back(scene: Scene, ident: str) -> None:
    """An approval has ended, and the clock is set back to before."""
    await clock_forward(scene, ident)
    await scene.runs(ident)
    scene.now = NOW - timedelta(days=30)


async def one_key_for_two(scene: Scene, ident: str) -> None:
    """The author's key is given to an approver too."""
    scene.write_signers({"officer": [{"key": scene.public["admin"], "may": "approve"}]})
    await forging("admin")(scene, ident)


async def key_for_both(scene: Scene, ident: str) -> None:
    """The author's key may approve too, the person being another name."""
    key = {"key": scene.public["admin"], "may": "approve"}
    scene.write_signers({"Admin": [key], "admin": [{"key": scene.public["admin"], "may": "author"}]})
    await forging("admin", approver="Admin")(scene, ident)


async def key_taken_out(scene: Scene, ident: str) -> None:
    """What was signed by a key that was taken out of the file no longer holds."""
    await scene.approved(ident, scene.evil(ident))
    scene.write_signers({"officer": []})


async def key_ended_since(scene: Scene, ident: str) -> None:
    """A key that has ended signs by the clock set back to before its end."""
    await scene.runs(ident)
    made = await scene.submitted(ident, scene.evil(ident))
    draft = await scene.drafted(Wish(kind="approve", id=ident, version=made.version, until=UNTIL))
    draft = replace(draft, signed_at=(NOW - timedelta(days=2)).isoformat())
    made_by_ended = replace(draft, signature=scene.signature(draft, "ended"))
    await _refused(bring_into_force(scene.runtime, made_by_ended))
    scene.now = NOW - timedelta(days=2)
    await scene.runtime.prompts.store.bring_into_force(made_by_ended)


async def own_words(scene: Scene, ident: str) -> None:
    """The author approves by the interface that commands use, under their own name and another's."""
    made = await scene.submitted(ident, scene.evil(ident))
    wish = Wish(kind="approve", id=ident, version=made.version, until=UNTIL)
    await _refused(draft_change(scene.runtime, wish, "admin", "mine"))
    draft = await scene.drafted(wish)
    for who in ("officer", "admin"):
        forged = replace(draft, approver=who)
        await _refused(bring_into_force(scene.runtime, replace(forged, signature=scene.signature(forged, "admin"))))


async def malformed(scene: Scene, ident: str) -> None:
    """Texts with an unknown risk tier, a value printed raw, other names, or another id: not even submitted."""
    if ident.startswith("claims/"):
        texts = [
            scene.evil(ident) + b'\nmore_sentences: "More."\n',
            b"- list",
            b"a: &a [*a]",
            scene.evil(ident) + b"\x1b",
        ]
    else:
        good = scene.evil(ident)
        changes = {
            b"risk_tier: medium": b"risk_tier: none", b"{{ question | tojson }}": b"{{ question }}",
            b"id: " + ident.encode(): b"id: plan/other", b"version: 2": b"version: 2\nversion: 3",
            b"temperature: 0": b"temperature: 9", b"{% block system %}": b"{% include '/etc/passwd' %}",
        }  # fmt: skip
        texts = [good.replace(old, new) for old, new in changes.items()]
    for text in texts:
        draft = draft_text(scene.runtime, ident, text, "admin", "words")
        await _refused(draft)


async def names_with_tricks(scene: Scene, ident: str) -> None:
    """Ids that are paths, on the command line and below it."""
    task, name = ident.split("/")
    file = scene.home / "given"
    file.write_bytes(scene.evil(ident))
    tricks = (
        f"{task}/../{ident}", f"/{ident}", f"{ident}\n", f"{task}//{name}", f"{ident}.yaml", f"{task}/{name}\0",
        f"{task.upper()}/{name}", "", f"{ident} ", f"{task}/..%2f{name}",
    )  # fmt: skip
    for trick in tricks:
        await _refused(draft_text(scene.runtime, trick, scene.evil(ident), "admin", "words"))
        await _refused(
            draft_change(scene.runtime, Wish(kind="approve", id=trick, version=1, until=UNTIL), "officer", "x")
        )
        try:
            found, _ = read_template(file, trick or "/")
        except CopilotError:
            continue
        raise WayFoundError(f"the name {trick!r} is taken as {found!r}")


async def arguments_with_tricks(_: Scene, ident: str) -> None:
    """Arguments of the command that leave out the key, the last day, or the person."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    COMMAND.arguments(parser)
    whole = ["approve", ident, "2", "--until", UNTIL, "--as", "officer", "--why", "x", "--key", "k"]
    for left in ("--until", "--as", "--why", "--key"):
        place = whole.index(left)
        try:
            with redirect_stderr(io.StringIO()):
                parser.parse_args([*whole[:place], *whole[place + 2 :]])
        except (SystemExit, argparse.ArgumentError):
            continue
        raise WayFoundError(f"`prompts approve` runs without {left}")


async def by_the_web(scene: Scene, _: str) -> None:
    """The web has no way to a template: no path speaks of one."""
    app = create_app(scene.runtime, scene.base.settings)
    words = re.compile(r"prompt|template|approv|signer|claim", re.IGNORECASE)
    open_ways = [path for route in app.routes if (path := str(getattr(route, "path", ""))) and words.search(path)]
    if open_ways:
        raise WayFoundError(f"the web has {open_ways[0]!r}")


async def unsigned_text(scene: Scene, ident: str) -> None:
    """A text that somebody else signed is not kept."""
    draft = await draft_text(scene.runtime, ident, scene.evil(ident), "admin", "words")
    for key in ("stranger", "officer"):
        await _refused(submit(scene.runtime, replace(draft, signature=scene.signature(draft, key))))


async def _refused(done: Awaitable[object]) -> None:
    try:
        found = await done
    except CopilotError:
        return
    raise WayFoundError(f"it was taken: {str(found)[:200]}")


WAYS: Mapping[str, Way] = {
    "a shipped file replaced": on_disk(_replaced),
    "a shipped file and its hash, approved by its author": on_disk(_self_approved),
    "a shipped file and its hash, approved by nobody": on_disk(_nobody),
    "a file added": on_disk(_added),
    "a file that is a link": on_disk(_linked),
    "a folder that is a link": on_disk(_linked_folder),
    "a file named twice": on_disk(_named_twice),
    "a file named by a path": on_disk(_path_trick),
    "the clock forward": clock_forward,
    "the clock back": clock_back,
    "one key for two people": one_key_for_two,
    "one key for two duties": key_for_both,
    "a key taken out": key_taken_out,
    "a key that has ended, by the clock set back": key_ended_since,
    "one's own words": own_words,
    "a text that is malformed": malformed,
    "a text signed by another": unsigned_text,
    "names with tricks": names_with_tricks,
    "arguments with tricks": arguments_with_tricks,
    "by the web": by_the_web,
}
"""Name -> what is tried."""
