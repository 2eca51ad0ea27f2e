"""Personal data: found and taken out, or turned into pseudonyms. Knows only strings, numbers and mappings."""

from privacy.policy import BUILT_IN, Policy
from privacy.pseudonyms import Ring, pseudonym
from privacy.scrubber import Scrubbed, scrub, scrub_batch, scrub_many

__all__ = ["BUILT_IN", "Policy", "Ring", "Scrubbed", "pseudonym", "scrub", "scrub_batch", "scrub_many"]
