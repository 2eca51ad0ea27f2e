"""Personal data: found and taken out, or turned into pseudonyms. Knows only strings, numbers and mappings."""

from privacy.pseudonyms import pseudonym
from privacy.scrubber import Scrubbed, scrub, scrub_batch, scrub_many

__all__ = ["Scrubbed", "pseudonym", "scrub", "scrub_batch", "scrub_many"]
