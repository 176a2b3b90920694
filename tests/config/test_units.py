from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from crawler.config.units import Duration, Size

SECONDS = TypeAdapter(Duration)
BYTES = TypeAdapter(Size)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        *[("2s", 2), ("250ms", 0.25), ("1h30m", 5400), ("7d", 604_800)],
        *[("1 w", 604_800), ("3", 3), ("0.5", 0.5), (4, 4), ("1.5 m", 90)],
    ],
)
def test_duration_is_seconds(written: object, seconds: float) -> None:
    """A duration is read as people write it."""
    assert SECONDS.validate_python(written) == seconds


@pytest.mark.parametrize(
    ("written", "size"),
    [
        *[("512KB", 512_000), ("1GiB", 2**30), ("20 MB", 20_000_000)],
        *[("7", 7), (9, 9), ("1.5kb", 1500)],
    ],
)
def test_size_is_bytes(written: object, size: int) -> None:
    """A size is read as people write it."""
    assert BYTES.validate_python(written) == size


@pytest.mark.parametrize("wrong", ["", " ", "s", "2x", "2s!", "-1s", -1, True, None])
def test_wrong_units_are_refused(wrong: object) -> None:
    """What is no duration and no size is refused, true and false too."""
    for kind in (SECONDS, BYTES):
        with pytest.raises(ValidationError):
            kind.validate_python(wrong)


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_parts_of_a_duration_add_up(
    days: int, hours: int, mins: int, secs: int
) -> None:
    """A duration in parts is their sum."""
    total = ((days * 24 + hours) * 60 + mins) * 60 + secs
    assert SECONDS.validate_python(f"{days}d{hours}h{mins}m{secs}s") == total
