"""The small demo company of the tests; it is the one that the proofs run on."""

from evals.company import (
    EPOCH,
    NOW,
    TEMPLATE,
    Company,
    ask,
    made_company,
    running,
    scratch_folder,
    silent,
)

__all__ = ["EPOCH", "NOW", "TEMPLATE", "Company", "ask", "made_company", "running", "scratch_folder", "silent"]
