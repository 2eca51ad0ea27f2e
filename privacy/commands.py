"""Statements of stores that do not speak SQL: commands of Redis, filters of MongoDB, without the values they carry."""

import re
from functools import partial

from privacy import keys, marks, objects, shapes, vocabulary
from privacy.policy import Replace

_KEPT_ARGUMENTS = {
    **dict.fromkeys(vocabulary.words_of("auth hello echo eval evalsha config script"), 0),
    **dict.fromkeys(
        vocabulary.words_of(
            "set setnx getset append lpush rpush lpushx rpushx sadd srem sismember zrem zscore zrank publish "
            "pfadd setbit hset hmset hsetnx hget hdel hmget hexists lrem linsert setrange getdel smove spop zincrby "
            "zadd geoadd xadd restore"
        ),
        1,
    ),
    **dict.fromkeys(vocabulary.words_of("setex psetex lset"), 2),
    **dict.fromkeys(
        vocabulary.words_of(
            "get del unlink exists expire ttl incr decr hgetall lrange smembers zrange mget type persist"
        ),
        99,
    ),
}
"""Command of Redis → how many of its arguments are names and numbers; what follows is data. Any other carries none."""
_FIELDS = frozenset({"hset", "hmset", "hsetnx", "hget", "hdel", "hmget", "hexists"})
"""Commands whose second argument names a field."""
_ARGUMENT = re.compile(r"\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|\S+")
_KEY = re.compile(r"\b([A-Za-z_]\w*+):([^\s:{}]++)")
_SQL_SET = re.compile(
    r"(?i)set\s+(?:(?:session|global|local|names|search_path|transaction|role)\s|@|[\w.]+\s*(?:=|to\b))"
)
_DOCUMENT = re.compile(r"\s*(?:[{\[]|db\.[\w.]+\()")

_COMMANDS = vocabulary.words_of(
    "find insert update delete aggregate count distinct findandmodify createindexes collection collname ns $db q "
    "sort from as lookup $lookup localfield foreignfield getmore comment lsid readpreference mode hint key name "
    "$readpreference index _index type _type method operation cursor level w"
)
"""Members of a document whose strings are names of the database's own."""


def is_command(statement: str) -> bool:
    """Whether a statement is a command of Redis or a document of MongoDB, and so no SQL."""
    if _DOCUMENT.match(statement):
        return True
    word, _, rest = statement.partition(" ")
    asked_of_a_site = rest.startswith(("/", "http"))  # GET /cart
    return bool(rest) and word.lower() in _KEPT_ARGUMENTS and not asked_of_a_site and not _SQL_SET.match(statement)


def strip_command(statement: str, replace: Replace) -> str:
    """`SET session:12 jane` → `SET session:12 {value}`; `{"find": "users", "filter": {"nick": {value}}}`."""
    if _DOCUMENT.match(statement):
        return objects.strip_members(statement, replace, _judge_document)
    return "\n".join([_strip_line(line, replace) for line in statement.split("\n")])


def _judge_document(name: str, value: str) -> str | None:
    mark = keys.judge(name, value)
    if mark is not None or shapes.is_plain(value):
        return mark
    last = name.rpartition(".")[2].lower()
    is_number = value.replace(".", "").replace("-", "").isdigit() and len(value) < 5
    return None if last in _COMMANDS or value[:1] == "$" or is_number else marks.VALUE


def _strip_line(line: str, replace: Replace) -> str:
    arguments = list(_ARGUMENT.finditer(line))
    if not arguments:
        return line
    command = arguments[0].group().lower()
    kept = _KEPT_ARGUMENTS.get(command)
    if kept is None:
        return line
    line = _KEY.sub(partial(_strip_key, replace), line)
    arguments = list(_ARGUMENT.finditer(line))
    first = 1 + kept + (command in _FIELDS)
    return (
        _ARGUMENT.sub(partial(_mark_from, arguments[first].start(), replace), line) if len(arguments) > first else line
    )


def _strip_key(replace: Replace, found: re.Match[str]) -> str:
    name, value = found.groups()
    mark = keys.judge(name, value) if shapes.drawn(value) else None
    return found.group() if mark is None else f"{name}:{replace(mark, value)}"


def _mark_from(first: int, replace: Replace, found: re.Match[str]) -> str:
    argument = found.group()
    if found.start() < first or marks.is_mark(argument) or (argument.isdigit() and len(argument) < 5):
        return argument
    return (
        argument if argument.upper() in {"EX", "PX", "NX", "XX", "KEEPTTL", "GET"} else replace(marks.VALUE, argument)
    )
