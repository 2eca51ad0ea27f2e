"""The terminal: draws the board, follows its size, and says what a key means."""

import contextlib
import curses
import os
from collections.abc import Mapping
from dataclasses import replace

from ingest.top import DIMENSIONS, SORTS
from ingest.top.ask import Asker, Snapshot
from ingest.top.board import Board, lines

_WAIT_MS = 200
"""For a key; as often the newest answer is looked for."""
_REDRAW = ord("l") & 0x1F
"""Ctrl-L, as everywhere: what another process wrote over the table goes."""
_SORT_KEYS = dict(zip("ne5790", SORTS, strict=True))
_PAGE = 10
_SCROLLS = {
    curses.KEY_UP: -1,
    curses.KEY_DOWN: 1,
    curses.KEY_PPAGE: -_PAGE,
    curses.KEY_NPAGE: _PAGE,
    curses.KEY_HOME: -(10**6),
}
_PAIR_BAD, _PAIR_SOFT = 1, 2


def show(asker: Asker, board: Board, environment: Mapping[str, str] = os.environ) -> None:
    """Shows what the asker is answered until the user quits.

    Raises:
        curses.error: this terminal cannot be drawn on.
    """
    # Where initscr does not know the terminal it ends the process; curses.wrapper turns colours on against NO_COLOR.
    curses.setupterm()
    window = curses.initscr()
    try:
        curses.noecho()
        curses.cbreak()
        window.keypad(True)
        window.timeout(_WAIT_MS)
        _loop(window, asker, board, _styles(colour=not environment.get("NO_COLOR")))
    finally:
        curses.endwin()


def _loop(window: "curses.window", asker: Asker, board: Board, styles: Mapping[str, int]) -> None:
    held = asker.newest
    while True:
        if not board.paused:
            held = asker.newest
        _follow_size()
        _draw(window, board, held, styles)
        key = window.getch()
        if key in (ord("q"), ord("Q")):
            return
        if key == _REDRAW:
            window.redrawwin()
        elif key == ord("g"):
            asked = asker.question
            following = DIMENSIONS[(DIMENSIONS.index(asked.by) + 1) % len(DIMENSIONS)]
            asker.change(replace(asked, by=following))
            board = replace(board, first=0, paused=False)
        else:
            board = after(board, key, held)


def after(board: Board, key: int, held: Snapshot) -> Board:
    """The board after a key; one that means nothing changes nothing, as does a new size of the window."""
    if key == ord("p"):
        return replace(board, paused=not board.paused)
    if key in _SCROLLS:
        return board.scrolled(len(held.groups.groups) if held.groups else 0, _SCROLLS[key])
    if 0 <= key < 128 and chr(key) in _SORT_KEYS:
        return replace(board, sort=_SORT_KEYS[chr(key)], first=0)
    return board


def _styles(*, colour: bool) -> Mapping[str, int]:
    styles = {"": curses.A_NORMAL, "head": curses.A_REVERSE, "bad": curses.A_BOLD, "soft": curses.A_DIM}
    with contextlib.suppress(curses.error):  # a terminal without a cursor to hide
        curses.curs_set(0)
    if colour and curses.has_colors():
        curses.start_color()
        curses.use_default_colors()
        curses.init_pair(_PAIR_BAD, curses.COLOR_RED, -1)
        curses.init_pair(_PAIR_SOFT, curses.COLOR_CYAN, -1)
        styles |= {"bad": curses.color_pair(_PAIR_BAD), "soft": curses.color_pair(_PAIR_SOFT)}
    return styles


def _follow_size() -> None:
    """The signal that tells of a new size may be lost to whoever else handles signals; so the terminal is asked."""
    columns, rows = os.get_terminal_size()
    if curses.is_term_resized(rows, columns):
        curses.resizeterm(rows, columns)


def _draw(window: "curses.window", board: Board, snapshot: Snapshot, styles: Mapping[str, int]) -> None:
    height, width = window.getmaxyx()
    window.erase()
    # The last cell of a window cannot be written without scrolling it.
    for place, line in enumerate(lines(board, snapshot, width - 1, height)):
        try:
            window.addstr(place, 0, line.text, styles[line.style])
        except curses.error:
            break  # the window became smaller meanwhile; the next turn draws it anew
    window.refresh()
