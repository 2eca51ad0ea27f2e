"""Statements keep their shape and lose their values."""

import pytest

from privacy import scrub


@pytest.mark.parametrize(
    ("statement", "scrubbed"),
    [
        ("SELECT * FROM t WHERE mail = 'a@b.c'", "SELECT * FROM t WHERE mail = '{value}'"),
        (
            "INSERT INTO t (a, b) VALUES ('O''Hara', 7, -1.5)",
            "INSERT INTO t (a, b) VALUES ('{value}', {value}, {value})",
        ),
        ('SELECT "a"."b" FROM t WHERE c = "Jane Doe"', 'SELECT "a"."b" FROM t WHERE c = \'{value}\''),
        ("SELECT $tag$it's jane$tag$, 'x'", "SELECT '{value}', '{value}'"),
        ("SELECT 1 /* jane */ -- doe", "SELECT {value}    "),
        ("SELECT 'C:\\' OR name = 'jane'", "SELECT '{value}'"),
        ("SELECT 'unfinished", "SELECT '{value}'"),
    ],
)
def test_literals_and_comments_go(statement: str, scrubbed: str) -> None:
    assert scrub("sql", "", statement) == scrubbed
    assert scrub("attribute", "db.query.text", statement) == scrubbed


def test_parameters_and_numbered_columns_stay() -> None:
    statement = "SELECT col1 FROM t2 WHERE a = $1 AND b = ? AND c = :name"
    assert scrub("sql", "", statement) is statement
