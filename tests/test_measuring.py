"""The formulas of the scores, each against numbers that were reckoned by hand."""

from math import isclose

import pytest

from customers.experience.measuring import Estimate, ccr, mean, nps, scale, share, student, why_not


def near(found: Estimate | None, value: float, low: float, high: float, n: int) -> bool:
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    pairs = ((found.value, value), (found.low, low), (found.high, high))
    return found.n == n and all(isclose(one, other, abs_tol=0.01) for one, other in pairs)


def test_nps_of_ten_answers() -> None:
    """10 9 9 8 7 7 6 3 10 9: five promoters, two detractors, so 50 % - 20 % = 30.

    Adjusted: p = 5.75/13 = 0.442308, d = 2.75/13 = 0.211538, p - d = 0.230769,
    variance 0.653846 - 0.053254 = 0.600592, error sqrt(0.600592/13) = 0.214940, times 1.959964 = 0.421274.
    """
    assert near(nps(5, 2, 10), 30, -19.05, 65.20, 10)


def test_nps_where_all_agree_is_no_certainty() -> None:
    """Three promoters: 100; p = 3.75/6 = 0.625, d = 0.125, variance 0.75 - 0.25 = 0.5, error sqrt(0.5/6) = 0.288675."""
    assert near(nps(3, 0, 3), 100, -6.58, 100, 3)


def test_csat_of_twenty_answers() -> None:
    """15 of 20 answered 4 or 5: 75 %. Wilson: z^2 = 3.841459, middle (0.75 + 0.096036)/1.192073 = 0.709719,
    half 1.959964/1.192073 x sqrt(0.009375 + 0.002401) = 0.178420."""
    assert near(share(15, 20), 75, 53.13, 88.81, 20)


def test_ces_of_five_answers() -> None:
    """7 6 5 6 4: mean 28/5 = 5.6; squares 162, so s^2 = (162 - 156.8)/4 = 1.3, error sqrt(1.3/5) = 0.509902,
    t(4) = 2.7764, half 1.415692; the upper end is cut at 7."""
    assert near(mean(28, 162, 5, (1, 7)), 5.6, 4.18, 7, 5)


def test_a_mean_of_one_has_no_interval() -> None:
    assert mean(4, 16, 1, (1, 5)) == Estimate(4, 1)


def test_churn_of_a_quarter() -> None:
    """8 of 200 customers lost: 4 %. Wilson: middle (0.04 + 0.009604)/1.019207 = 0.048669,
    half 1.959964/1.019207 x sqrt(0.000192 + 0.00002401) = 0.028265."""
    assert near(ccr(8, 200), 4, 2.04, 7.69, 200)


def test_nothing_of_nothing() -> None:
    assert nps(0, 0, 0) is None
    assert share(0, 0) is None
    assert mean(0, 0, 0, (1, 5)) is None
    assert ccr(0, 0) is None


@pytest.mark.parametrize(("degrees", "table"), [(1, 12.7062), (30, 2.0423), (31, 2.0395), (60, 2.0003), (1000, 1.9623)])
def test_quantiles_of_student(degrees: int, table: float) -> None:
    assert isclose(student(degrees), table, abs_tol=0.00006)


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "why"),
    [
        ("nps", 0, None, None, ""),
        ("nps", 0, 1, None, "range"),
        ("nps", 10, 1, 10, ""),
        ("nps", 11, 0, 10, "range"),
        ("nps", 4, 1, 5, "scale"),
        ("nps", 8.5, None, None, "fraction"),
        ("csat", 5, None, 5, ""),
        ("csat", 0, None, None, "range"),
        ("csat", 80, 0, 100, "scale"),
        ("ces", 7, None, None, ""),
        ("ces", 8, 1, 7, "range"),
        ("stars", 4.5, None, None, ""),
        ("stars", 9, 1, 10, "scale"),
    ],
)
def test_what_counts(metric: str, value: float, low: float | None, high: float | None, why: str) -> None:
    assert why_not(metric, value, scale(metric, low, high)) == why
