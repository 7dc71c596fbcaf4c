"""The 72 hours: elapsed, exact to the second, and never met without a start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk.assessment.clocks import clock, deadline
from otrack_risk.errors import ParameterError

AWARE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = AWARE + timedelta(days=30)


@pytest.mark.parametrize(
    ("elapsed", "state"),
    [
        (timedelta(0), "met"),
        (timedelta(hours=71, minutes=59, seconds=59), "met"),
        (timedelta(hours=72), "met"),
        (timedelta(hours=72, seconds=1), "late"),
        (timedelta(days=30), "late"),
    ],
)
def test_a_notification_is_in_time_up_to_the_last_second(elapsed, state):
    assert deadline(AWARE, 72, AWARE + elapsed, LATER) == (AWARE + timedelta(hours=72), state)


@pytest.mark.parametrize(("elapsed", "state"), [(timedelta(hours=72), "due"), (timedelta(hours=72, seconds=1), "late")])
def test_without_a_notification_it_is_due_up_to_the_last_second(elapsed, state):
    assert deadline(AWARE, 72, None, AWARE + elapsed)[1] == state


def test_without_a_start_it_is_unknown_and_never_met():
    assert deadline(None, 72, AWARE, LATER) == (None, "unknown")


def test_a_time_without_a_zone_is_refused():
    for times in ((AWARE.replace(tzinfo=None), None, LATER), (AWARE, None, LATER.replace(tzinfo=None))):
        with pytest.raises(ParameterError, match="without its zone"):
            deadline(times[0], 72, times[1], times[2])


# Clocks in the United Kingdom went forward on 29 March 2026 at 01:00 UTC. From Friday 27 March 17:00 GMT, 72 hours
# end on Monday 30 March at 18:00 by the wall (17:00 UTC); adding three calendar days would say 17:00 by the wall.
def test_72_hours_across_the_change_to_summer_time_are_elapsed_hours():
    london = ZoneInfo("Europe/London")
    aware = datetime(2026, 3, 27, 17, 0, tzinfo=london)
    due, state = deadline(aware, 72, datetime(2026, 3, 30, 17, 59, tzinfo=london), LATER)
    assert due == datetime(2026, 3, 30, 17, 0, tzinfo=UTC) == datetime(2026, 3, 30, 18, 0, tzinfo=london)
    assert due != datetime(2026, 3, 30, 17, 0, tzinfo=london)
    assert state == "met"


# They went back on 25 October 2026 at 01:00 UTC: 72 hours from Friday 17:00 BST (16:00 UTC) end Monday 16:00 GMT.
def test_72_hours_across_the_change_to_winter_time_are_elapsed_hours():
    london = ZoneInfo("Europe/London")
    aware = datetime(2026, 10, 23, 17, 0, tzinfo=london)
    due, state = deadline(aware, 72, datetime(2026, 10, 26, 16, 30, tzinfo=london), aware + timedelta(days=30))
    assert due == datetime(2026, 10, 26, 16, 0, tzinfo=london)
    assert state == "late"  # half an hour, though by the wall less than three days have passed


# Friday 16:00 to Monday 16:00, over a weekend.
def test_a_weekend_counts():
    friday = datetime(2026, 3, 6, 16, tzinfo=UTC)
    due, _ = deadline(friday, 72, None, friday)
    assert (friday.weekday(), due.weekday(), due.hour) == (4, 0, 16)


def test_the_clock_of_a_scenario_without_awareness_says_so(story):
    watch = clock(story(timeline={"detected_at": AWARE}))
    assert watch.state == "unknown"
    assert "cannot be counted" in watch.sentence()
    record = watch.record()
    assert (record["due_at"], record["hours_left"], record["reason"]) == (
        None,
        None,
        "the moment of becoming aware is not known",
    )


def test_the_sentence_says_how_much_is_left(story):
    watch = clock(story(as_of=AWARE + timedelta(hours=20, minutes=30), timeline={"aware_at": AWARE}))
    assert watch.sentence() == (
        "The 72 hours from Monday 2026-03-02 09:00 UTC end on Thursday 2026-03-05 09:00 UTC: 51 h 30 min left on "
        "Tuesday 2026-03-03 05:30 UTC. Nights, weekends and holidays count."
    )
    assert watch.record()["hours_left"] == 51.5


def test_the_sentence_says_when_it_ran_out(story):
    watch = clock(story(as_of=AWARE + timedelta(hours=73), timeline={"aware_at": AWARE}))
    assert watch.state == "late"
    assert "ran out on Thursday 2026-03-05 09:00 UTC, and no notification is recorded" in watch.sentence()
    assert watch.record()["hours_left"] == -1


@pytest.mark.parametrize(
    ("hours", "words"), [(70, "2 h before the 72 hours ran out"), (75, "3 h after the 72 hours from")]
)
def test_the_sentence_says_by_how_much_a_notification_was_early_or_late(story, hours, words):
    told = {"aware_at": AWARE, "authority_notified_at": AWARE + timedelta(hours=hours)}
    assert words in clock(story(timeline=told)).sentence()


def test_assumed_times_are_said_to_be_assumed(story):
    timeline = {"aware_at": AWARE, "status": "assumed", "because": "for an exercise"}
    watch = clock(story(timeline=timeline))
    assert "The times are assumed: for an exercise." in watch.sentence()
    assert watch.record()["times"] == "assumed"


def test_events_stand_in_order_with_the_end_of_the_hours_among_them(story):
    timeline = {
        "detected_at": AWARE - timedelta(hours=6),
        "aware_at": AWARE,
        "contained_at": AWARE + timedelta(hours=2),
    }
    rows = clock(story(timeline=timeline)).table()
    assert rows["event"].to_list()[:5] == ["Detected", "Controller aware", "Contained", "72 hours end", "As of"]
    assert rows["hours_since_aware"].to_list()[:4] == [-6, 0, 2, 72]
    assert rows["time"].to_list()[5:] == [None] * 5


@given(
    st.integers(0, 500_000),
    st.sampled_from([timedelta(hours=h) for h in (-11, -5, 0, 1, 14)]),
    st.sampled_from([timedelta(hours=h) for h in (-11, -5, 0, 1, 14)]),
)
def test_the_zone_in_which_a_time_is_written_changes_nothing(seconds, here, there):
    told = AWARE + timedelta(seconds=seconds)
    _, state = deadline(AWARE.astimezone(timezone(here)), 72, told.astimezone(timezone(there)), LATER)
    assert state == ("met" if seconds <= 72 * 3600 else "late")
