"""Statements keep their shape and lose their values."""

import pytest

from privacy import scrub
from privacy.sql import strip_embedded


@pytest.mark.parametrize(
    ("statement", "scrubbed"),
    [
        ("SELECT * FROM t WHERE mail = 'a@b.c'", "SELECT * FROM t WHERE mail = '{value}'"),
        (
            "INSERT INTO t (a, b) VALUES ('O''Hara', 7, -1.5)",
            "INSERT INTO t (a, b) VALUES ('{value}', {value}, {value})",
        ),
        ('SELECT "a"."b" FROM t WHERE c = "Jane Doe"', 'SELECT "a"."b" FROM t WHERE c = "{value}"'),
        ('SELECT * FROM t WHERE c LIKE "%jane%" OR d IN ("jane", 5)',
         'SELECT * FROM t WHERE c LIKE "{value}" OR d IN ("{value}", {value})'),
        ("SELECT $tag$it's jane$tag$, 'x'", "SELECT '{value}', '{value}'"),
        ("SELECT q'[O'Hara]', N'jane', X'4A4B', E'it\\'s'", "SELECT '{value}', N'{value}', X'{value}', E'{value}'"),
        ("SELECT 12 /* jane */ -- doe", "SELECT {value}    "),
        ("SELECT 'C:\\' OR name = 'jane'", "SELECT '{value}'"),
        ("SELECT 'unfinished", "SELECT '{value}'"),
        (
            "SELECT a FROM t WHERE d > DATE '2024-01-02' AND e < now() - INTERVAL '3 days' AND f = '{}'::jsonb",
            "SELECT a FROM t WHERE d > DATE '{value}' AND e < now() - INTERVAL '{value}' AND f = '{value}'::jsonb",
        ),
        ("AUTH hunter2", "AUTH {value}"),
        ("SET session:12 jane EX 60", "SET session:12 {value} EX 60"),
        ("HSET user:1 email jane", "HSET user:1 email {value}"),
        ('{"find":"users","filter":{"nick":"jane","age":{"$gt":30}}}',
         '{"find":"users","filter":{"nick":"{name}","age":{"$gt":30}}}'),
        ('db.users.find({"nick":"jane", "state":"ill"})', 'db.users.find({"nick":"{name}", "state":"{value}"})'),
    ],
)  # fmt: skip
def test_literals_and_comments_go(statement: str, scrubbed: str) -> None:
    assert scrub("sql", "", statement) == scrubbed
    assert scrub("attribute", "db.query.text", statement) == scrubbed
    assert scrub("sql", "", scrubbed) == scrubbed


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT col1 FROM t2 WHERE a = $1 AND b = ? AND c = :name AND d = @p1 AND e = %s",
        'SELECT "u"."id" FROM "users" "u" JOIN "o" ON "u"."id" = "o"."user_id" LIMIT 10 OFFSET 20',
        "CREATE TABLE t (a varchar(255), b numeric(10,2), c boolean DEFAULT TRUE)",
        "SET search_path TO shop",
        "GET cart:items",
        "SELECT 1",
    ],
)
def test_names_parameters_and_types_stay(statement: str) -> None:
    assert scrub("sql", "", statement) is statement


@pytest.mark.parametrize(
    ("message", "stripped"),
    [
        (
            "failed: INSERT INTO users (name, n) VALUES ('jane', 'O''Hara', 42) [retry 2/5]",
            "failed: INSERT INTO users (name, n) VALUES ('{value}', '{value}', {value}) [retry 2/5]",
        ),
        (
            "update users set token = 'abc' where id = 123456 (took 52 ms, code 23000)",
            "update users set token = '{value}' where id = {value} (took 52 ms, code 23000)",
        ),
        ('SELECT * FROM users WHERE name = "jane" AND "u"."id" = 5',
         'SELECT * FROM users WHERE name = "{value}" AND "u"."id" = 5'),
        ("SELECT * FROM t WHERE a = 'x' failed: can't connect",
         "SELECT * FROM t WHERE a = '{value}' failed: can't connect"),
        ('{"sql":"SELECT a FROM t WHERE b = \'x\'","n":5}', '{"sql":"SELECT a FROM t WHERE b = \'{value}\'","n":5}'),
        ("DETAIL: Key (email, n)=(jane doe, 5) already exists.", "DETAIL: Key (email, n)=({value}) already exists."),
        ("Duplicate entry 'jane' for key 'users.name'", "Duplicate entry '{value}' for key 'users.name'"),
    ],
)  # fmt: skip
def test_a_statement_inside_a_message_loses_its_values_and_the_message_nothing(message: str, stripped: str) -> None:
    assert strip_embedded(message) == stripped
    assert strip_embedded(stripped) == stripped


@pytest.mark.parametrize(
    "message",
    [
        "can't update the cart from the select box (it's empty)",
        'please select one item from "Summer Sale"',
        "Update 'Settings' (v2) set to 'on'",
        "insert coin",
    ],
)
def test_prose_that_uses_the_words_of_sql_stays(message: str) -> None:
    assert strip_embedded(message) is message


def test_behind_the_last_literal_that_is_read_nothing_is_passed_on() -> None:
    statement = "INSERT INTO t VALUES " + ", ".join(["('jane', 77)"] * 500)
    scrubbed = scrub("sql", "", statement)
    assert scrubbed.startswith("INSERT INTO t VALUES ('{value}', {value}), (")
    assert "jane" not in scrubbed
    assert "77" not in scrubbed
    assert scrub("sql", "", scrubbed) == scrubbed
