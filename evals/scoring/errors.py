"""What can be wrong with a case."""

from __future__ import annotations


class CaseError(Exception):
    """A case can't be used as it is written."""

    code = "eval_case"
