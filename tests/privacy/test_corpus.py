"""The bounds that the scrubber is held to, on the packed corpus and on a generated one."""

from collections.abc import Sequence

import pytest

from privacy import scrub, scrub_many
from tests.privacy.corpus import DEVELOPMENT, SEED, generate
from tests.privacy.score import Line, Score, load, report, score

RECALL = 0.98
KEPT = 0.99
DAMAGED = 0.01
CORPORA = {"development": lambda: load(DEVELOPMENT), "generated": lambda: generate(SEED)}


@pytest.fixture(scope="module", params=CORPORA)
def lines(request: pytest.FixtureRequest) -> Sequence[Line]:
    """One corpus after the other."""
    return CORPORA[request.param]()


@pytest.fixture(scope="module")
def outputs(lines: Sequence[Line]) -> Sequence[str]:
    """What the scrubber makes of the corpus in one batch."""
    return scrubbed(lines)


@pytest.fixture(scope="module")
def scored(lines: Sequence[Line], outputs: Sequence[str]) -> Score:
    """The figures."""
    return score(lines, outputs)


def scrubbed(lines: Sequence[Line]) -> Sequence[str]:
    """The corpus in one batch."""
    return scrub_many([line.kind for line in lines], [line.key for line in lines], [line.text for line in lines])


def test_personal_values_are_removed(scored: Score) -> None:
    assert scored.recall >= RECALL, report(scored)


def test_what_must_survive_survives(scored: Score) -> None:
    assert scored.kept >= KEPT, report(scored)


def test_texts_without_personal_data_stay_whole(scored: Score) -> None:
    assert scored.damaged <= DAMAGED, report(scored)


def test_next_to_nothing_of_a_removed_value_can_still_be_read(scored: Score) -> None:
    assert len(scored.partial) <= 0.005 * sum(total for _, total in scored.by_type.values()), report(scored)


def test_no_class_is_left_out(scored: Score) -> None:
    weak = {name: of for name, of in scored.by_type.items() if of[1] >= 20 and of[0] < 0.9 * of[1]}
    assert not weak, report(scored)


def test_the_batch_gives_what_its_texts_give_alone(lines: Sequence[Line], outputs: Sequence[str]) -> None:
    rows = slice(None, None, 7)
    assert [scrub(line.kind, line.key, line.text) for line in lines[rows]] == list(outputs[rows])


def test_scrubbing_the_output_again_changes_nothing(lines: Sequence[Line], outputs: Sequence[str]) -> None:
    again = scrubbed([line._replace(text=output) for line, output in zip(lines, outputs, strict=True)])
    assert again == list(outputs)


# The corpora and the scorer themselves.


def test_every_labelled_value_can_be_read_before_and_counts_as_leaked_when_nothing_is_done(
    lines: Sequence[Line],
) -> None:
    untouched = score(lines, [line.text for line in lines])
    assert (untouched.recall, untouched.kept, untouched.damaged) == (0, 1, 0)


def test_dropping_everything_removes_all_and_keeps_nothing(lines: Sequence[Line]) -> None:
    dropped = score(lines, [""] * len(lines))
    assert (dropped.recall, dropped.kept, dropped.damaged) == (1, 0, 1)


def test_re_spacing_numbers_is_no_removal(lines: Sequence[Line]) -> None:
    spaced = [line.text.translate({ord(" "): ".", ord("-"): "."}) for line in lines]
    numbers = score(lines, spaced).by_type
    assert numbers["card"][0] == 0
    assert numbers["ssn"][0] == 0


def test_the_generated_corpus_is_wide_and_a_third_of_it_is_clean() -> None:
    lines = generate(SEED)
    assert len(lines) >= 2500
    assert len({line.family for line in lines}) >= 140
    assert len({label.type for line in lines for label in line.personal}) >= 25
    assert 0.25 <= sum(not line.personal for line in lines) / len(lines) <= 0.45


def test_a_seed_gives_the_same_lines_and_another_seed_others() -> None:
    assert generate(SEED, draws=1) == generate(SEED, draws=1)
    assert {line.text for line in generate(7, draws=1)} != {line.text for line in generate(SEED, draws=1)}
