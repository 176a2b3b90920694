"""The wall clock that is handed around."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.clock import SystemClock, clock_from
from crawler.errors import ConfigError

NOON = datetime(2025, 7, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize("setting", [None, ""])
def test_no_setting_is_the_machines_clock(setting: str | None) -> None:
    """Without a setting it is the machine's time, in UTC."""
    clock = clock_from(setting)
    assert isinstance(clock, SystemClock)
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["2025-07-15T12:00:00Z", "2025-07-15T20:00:00+08:00"])
def test_set_clock_starts_there_and_ticks(text: str) -> None:
    """A set clock starts at its time, in UTC, and goes on from there."""
    clock = clock_from(text)
    first, second = clock.now(), clock.now()
    assert NOON <= first < second < NOON + timedelta(minutes=5)
    assert first.utcoffset() == timedelta(0)


def test_frozen_clock_stands() -> None:
    """A frozen clock shows its time for ever."""
    clock = clock_from("2025-07-15T20:00:00+08:00;frozen")
    assert clock.now() == clock.now() == NOON
    assert clock.now().utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "setting",
    [
        "yesterday",
        "2025-07-15T12:00:00",
        "2025-07-15",
        "2025-07-15T12:00:00Z;slow",
        ";frozen",
    ],
)
def test_what_is_no_instant_is_refused(setting: str) -> None:
    """A time without offset, or a mode that is none, is an error that shows it."""
    with pytest.raises(ConfigError, match="PORTALKEEP_CLOCK") as caught:
        clock_from(setting)
    assert repr(setting) in str(caught.value)
