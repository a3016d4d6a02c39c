"""Cursors of the event log: sets of transactions, not places in a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import InvalidCursor
from rushes.domain.feed_cursor import LONGEST, FeedCursor

XIDS = range(1, 13)
EVENTS = range(1, 4)
Events = set[tuple[int, int]]


@st.composite
def cursors(draw: st.DrawFn, *, partly: bool = True) -> FeedCursor:
    last = draw(st.integers(1, XIDS.stop))
    still = draw(st.sets(st.integers(1, last - 1))) if last > 1 else set()
    return FeedCursor(last, {xid: draw(st.integers(0, 2)) if partly else 0 for xid in still})


def read(cursor: FeedCursor) -> Events:
    """What it has read of a log where every transaction has three events."""
    return {
        (xid, event)
        for xid in XIDS
        for event in EVENTS
        if xid < cursor.next and (xid not in cursor.open or event <= cursor.open[xid])
    }


@given(cursors())
def test_there_and_back(cursor: FeedCursor) -> None:
    assert FeedCursor.parse(str(cursor)) == cursor


@given(cursors(), cursors())
def test_the_sum_of_two_is_what_one_of_them_has_read(one: FeedCursor, other: FeedCursor) -> None:
    assert read(one.plus(other)) == read(one) | read(other)
    assert read(other.plus(one)) == read(one) | read(other)


@given(cursors(), st.sets(st.sampled_from(XIDS)))
def test_it_covers_what_is_read_to_the_end(cursor: FeedCursor, xids: set[int]) -> None:
    assert cursor.covers(xids) == ({(xid, 3) for xid in xids} <= read(cursor))


@given(cursors(), cursors(partly=False), st.data())
def test_part_of_a_page_is_read_in_its_order(
    begin: FeedCursor, seen: FeedCursor, data: st.DataObject
) -> None:
    """`end` is a later snapshot: it sees all that `begin` has read."""
    end = FeedCursor(
        max(begin.next, seen.next),
        {xid: 0 for xid in seen.open if xid >= begin.next or begin.open.get(xid) == 0},
    )
    page = sorted(read(end) - read(begin))
    if not page:
        return
    last = data.draw(st.sampled_from(page))
    assert read(begin.until(end, *last)) == read(begin) | {event for event in page if event <= last}


def test_a_snapshot_is_a_cursor() -> None:
    assert FeedCursor.of_snapshot("7:12:7,9") == FeedCursor(12, {7: 0, 9: 0})
    assert FeedCursor.of_snapshot("12:12:") == FeedCursor(12)
    assert str(FeedCursor(12, {9: 0, 7: 3})) == "12:7.3,9"


def test_a_text_fits_into_a_header_however_many_are_open() -> None:
    start = 10**10
    many = FeedCursor(start + 5000, {start + 10 * n: 0 for n in range(300)})
    assert len(str(many)) <= LONGEST
    assert FeedCursor.parse(str(many)) == many
    more = FeedCursor(start + 50000, {start + 10 * n: 0 for n in range(1000)})
    assert str(more) == f"{start}:", "it is told again from the first open one on"


@pytest.mark.parametrize(
    "text",
    ["", ":", "1", "1-", "1-0", ":1", "a:b", "1:2,", "1:,2", "1:2.", "1:2.3.4", "1:2.0", "1:2.1000000000000000000", "1: 2", " 1:2", "1:2 ", "1.5:2", "-1:2", "01:",
     "1:2\n", "10000000000000000000:", "1:10000000000000000000", "１:２", "1:2\0", "9" * 1000],
)  # fmt: skip
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(InvalidCursor):
        FeedCursor.parse(text)
