"""The formulas of the scores: what an answer counts for, and numbers of many answers with n and a 95 % interval.

| score | formula | interval |
|---|---|---|
| NPS | share of promoters - share of detractors, -100 to 100 | adjusted Wald |
| CSAT | share of 4 and 5 of 1 to 5, and the mean | Wilson for the share, t for the mean |
| CES | mean of 1 to 7 | t |
| stars | mean of 1 to 5 | t |
| CCR | lost in a period / customers at its start x 100 | Wilson |

Nothing here asks the database: sums come in, numbers go out.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

Metric = Literal["nps", "csat", "ces", "stars"]
METRICS: Final[tuple[Metric, ...]] = ("nps", "csat", "ces", "stars")
SCALES: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "nps": ((0, 10), (1, 10)),
    "csat": ((1, 5),),
    "ces": ((1, 7),),
    "stars": ((1, 5),),
}
"""The scales that a formula is made for, the usual one first. Answers on others are shown and not counted."""

PROMOTERS, DETRACTORS, CONTENT = 9, 6, 4
"""From which answer on somebody promotes or is content, and up to which he detracts."""

Z: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
STUDENT: Final = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)
"""The same of Student's t for 1 to 30 degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of n answers, and between what it lies in 95 of 100 such samples; no interval of too few answers."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None


def scale(metric: str, low: float | None, high: float | None) -> tuple[float, float]:
    """The ends of a scale; what was not said is as usual."""
    usual = SCALES[metric][0]
    return usual[0] if low is None else low, usual[1] if high is None else high


def why_not(metric: str, value: float, ends: tuple[float, float]) -> str:
    """Why an answer is not counted: `scale`, `range`, `fraction`; nothing if it is.

    The questions of NPS, CSAT and CES are answered by whole numbers; stars have halves.
    """
    if ends not in SCALES[metric]:
        return "scale"
    if not ends[0] <= value <= ends[1]:
        return "range"
    return "fraction" if metric != "stars" and value != int(value) else ""


def nps(promoters: int, detractors: int, n: int) -> Estimate | None:
    """Net promoter score: (promoters - detractors) / n x 100; promoters answer 9 or 10, detractors 6 or less.

    F. F. Reichheld, "The One Number You Need to Grow", Harvard Business Review 81(12), 2003, pp. 46-54. On the
    variant from 1 to 10 the same answers promote and detract; it has no 0, so the two are never added up.

    The interval is the adjusted Wald: three answers are added, 3/4 promoters, 3/4 detractors, 3/2 neither; then
    p - d +- z sqrt((p + d - (p - d)^2) / n). B. Rocks, "Interval Estimation for the Net Promoter Score", The American
    Statistician 70(4), 2016, pp. 365-372. It stays honest where all say the same, which the variance alone does not.
    """
    if n < 1:
        return None
    more = n + 3
    p, d = (promoters + 0.75) / more, (detractors + 0.75) / more
    half = Z * sqrt((p + d - (p - d) ** 2) / more)
    return Estimate(
        (promoters - detractors) / n * 100, n, max(-100.0, (p - d - half) * 100), min(100.0, (p - d + half) * 100)
    )


def share(count: int, n: int) -> Estimate | None:
    """A share in per cent, with the score interval of E. B. Wilson, "Probable Inference, the Law of Succession, and
    Statistical Inference", Journal of the American Statistical Association 22, 1927, pp. 209-212.

    CSAT is the share of 4 and 5 of 1 to 5 ("top two boxes"), as it is usually reported; N. T. Bendle et al.,
    "Marketing Metrics", 4th ed., Pearson 2020, chapter 2, describe the question and the practice.
    """
    if n < 1:
        return None
    p, square = count / n, Z * Z
    middle = (p + square / (2 * n)) / (1 + square / n)
    half = Z / (1 + square / n) * sqrt(p * (1 - p) / n + square / (4 * n * n))
    return Estimate(p * 100, n, max(0.0, middle - half) * 100, min(1.0, middle + half) * 100)


def mean(total: float, squares: float, n: int, ends: tuple[float, float]) -> Estimate | None:
    """A mean within its scale, with Student's interval: m +- t(n - 1) s / sqrt(n), cut at the ends of the scale.

    CES is the mean of the agreement from 1 to 7 that it was easy: the question of M. Dixon, N. Toman and R. DeLisi,
    "The Effortless Experience", Portfolio 2013; the idea, with another scale, is of M. Dixon, K. Freeman and N. Toman,
    "Stop Trying to Delight Your Customers", Harvard Business Review 88(7/8), 2010, pp. 116-122. The interval is of
    "Student" (W. S. Gosset), "The Probable Error of a Mean", Biometrika 6(1), 1908, pp. 1-25.
    """
    if n < 1:
        return None
    value = total / n
    if n < 2:
        return Estimate(value, n)
    half = student(n - 1) * sqrt(max(0.0, squares - n * value * value) / (n - 1) / n)
    return Estimate(value, n, max(ends[0], value - half), min(ends[1], value + half))


def student(degrees: int) -> float:
    """The 97.5 % quantile of t; from 31 degrees on by the expansion of Abramowitz and Stegun, 26.7.5."""
    if degrees <= len(STUDENT):
        return STUDENT[degrees - 1]
    third = (Z**3 + Z) / 4
    fifth = (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96
    seventh = (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384
    return Z + third / degrees + fifth / degrees**2 + seventh / degrees**3


def ccr(lost: int, at_start: int) -> Estimate | None:
    """Customer churn rate: customers lost in a period / customers at its start x 100, those who came later left out.

    F. F. Reichheld and W. E. Sasser, "Zero Defections: Quality Comes to Services", Harvard Business Review 68(5),
    1990, pp. 105-111, who count defections so. What "lost" means is the company's to say (`Meaning.lost_after_days`,
    or a system that says `lost`). The interval is Wilson's, as of any share.
    """
    return share(lost, at_start)
