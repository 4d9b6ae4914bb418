"""Where the words of a question may belong: the records asked for, and what those refer to."""

from __future__ import annotations

from collections.abc import Iterator

from copilot.domain.query import AnyOf, Compare, Condition, Linked, Path, Relate
from copilot.semantic.model import load_model
from copilot.understanding.compose.reader import Target
from copilot.understanding.compose.tokens import Token
from copilot.understanding.vocabulary import CodeWord, DateWord, NumberWord, Segment


def under(condition: Condition, prefix: Path) -> Condition:
    """A condition on a record, said of what a path leads to."""
    if not prefix:
        return condition
    match condition:
        case Compare(path, how, value):
            return Compare((*prefix, *path), how, value)
        case Relate(path, how, other, days):
            return Relate((*prefix, *path), how, (*prefix, *other), days)
        case Linked(entity, by, where, none, at):
            return Linked(entity, by, where, none, (*prefix, *at))
        case AnyOf(conditions):
            return AnyOf(tuple(under(each, prefix) for each in conditions))


def places(target: Target) -> Iterator[tuple[str, Path]]:
    """Whose words may restrict the target: the records meant, the rows themselves, and what those refer to."""
    if target.subject:
        yield target.subject_entity, target.subject
    yield target.entity, ()
    for spec in load_model()[target.entity].refs():
        if (spec.name,) != target.subject:
            yield str(spec.to), (spec.name,)


def segment_of(token: Token, target: Target) -> tuple[Segment, Path] | None:
    """The named part that a token says of the target, with where it stands."""
    for entity, path in places(target):
        for word in token.all_of(Segment):
            if word.entity == entity:
                return word, path
    return None


def code_of(token: Token, target: Target) -> tuple[CodeWord, Path] | None:
    """The code that a token says of the target, with where it stands."""
    for entity, path in places(target):
        for word in token.all_of(CodeWord):
            if word.entity == entity:
                return word, path
    return None


def date_path(token: Token, target: Target) -> Path | None:
    """The date of the target that a token names."""
    dated = target.kpi.date if target.kpi else None
    if dated and len(dated) > 1 and any(word.path[-1] == dated[-1] for word in token.all_of(DateWord)):
        return dated
    for entity, prefix in places(target):
        for word in token.all_of(DateWord):
            if word.entity == entity:
                return (*prefix, *word.path)
    return None


def number_path(token: Token, target: Target) -> Path | None:
    """The figure of the target that a token names."""
    for entity, prefix in places(target):
        for word in token.all_of(NumberWord):
            if word.entity == entity:
                return (*prefix, *word.path)
    return None
