from __future__ import annotations

import pytest

from bridge.broker.rate import Bucket


def test_burst_passes_then_the_rate_decides() -> None:
    bucket = Bucket(rate=50, burst=3, now=0)

    assert [bucket.take(0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(0) == pytest.approx(0.02)
    assert bucket.take(0.01) == pytest.approx(0.01)
    assert bucket.take(0.021) == 0


def test_burst_is_never_more_than_it_was() -> None:
    bucket = Bucket(rate=50, burst=3, now=0)

    assert [bucket.take(1000) > 0 for _ in range(4)] == [False, False, False, True]


def test_rate_of_zero_lets_everything_through() -> None:
    bucket = Bucket(rate=0, burst=1, now=0)

    assert not any(bucket.take(0) for _ in range(1000))
    assert not bucket.exhausted(1000)


def test_rate_below_one_a_second() -> None:
    bucket = Bucket(rate=0.5, burst=1, now=0)
    bucket.take(0)

    assert bucket.take(0) == pytest.approx(2)
    assert bucket.take(2) == 0


def flood(bucket: Bucket, start: float, seconds: float) -> float:
    """Send a hundred messages a second; return when the last one was sent."""
    now = start
    while now < start + seconds:
        now += 0.01
        bucket.take(now)
    return now


def test_flood_is_exhausted_after_ten_seconds() -> None:
    bucket = Bucket(rate=10, burst=1, now=0)

    assert not bucket.exhausted(flood(bucket, 0, 9.9))
    now = flood(bucket, 9.9, 0.4)
    while bucket.take(now) == 0:
        now += 0.01

    assert bucket.exhausted(now)


def test_pause_of_more_than_a_second_begins_anew() -> None:
    bucket = Bucket(rate=10, burst=1, now=0)
    now = flood(bucket, 0, 9)

    now = flood(bucket, now + 1.5, 2)

    assert not bucket.exhausted(now)


def test_message_that_passes_is_no_sign_of_exhaustion() -> None:
    bucket = Bucket(rate=10, burst=1, now=0)
    now = flood(bucket, 0, 12)

    assert bucket.take(now + 0.5) == 0
    assert not bucket.exhausted(now + 0.5)


def test_client_that_waits_as_told_is_never_exhausted() -> None:
    bucket = Bucket(rate=10, burst=1, now=0)
    now = 0.0
    while now < 60:
        wait = bucket.take(now)
        assert not (wait and bucket.exhausted(now))
        now += wait + 0.001
