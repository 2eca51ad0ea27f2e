"""Which rule did what to a text: for developers who want to know why it became what it is."""

from collections.abc import Sequence

from privacy.policy import BUILT_IN, Policy, Replace, mark_only
from privacy.scrubber import Step, steps_of

__all__ = ["Step", "explain"]


def explain(kind: str, key: str, text: str, policy: Policy = BUILT_IN, replace: Replace = mark_only) -> Sequence[Step]:
    """Every replacement made while the text is scrubbed, in the order made; never raises for what the text holds.

    What an encoding hid comes with its `depth`, before the run that held it.
    """
    return steps_of(kind, key, text, policy, replace)
