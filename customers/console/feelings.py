"""On the card: what the customer answered to surveys and said for others to hear, the latest, each with its line."""

from typing import Any

from customers.console import meanings, words
from customers.experience import feedbacklists, scorelists
from customers.sql import Cursor

SCORES, FEEDBACK = 5, 4


def feelings(sql: Cursor, customer: int) -> dict[str, Any]:
    """Rows of folds: whoever asks has seen to it that they are fresh."""
    scores = scorelists.listed(sql, scorelists.Asked(customer=customer), limit=SCORES)
    said = feedbacklists.listed(sql, feedbacklists.Asked(customer=customer), limit=FEEDBACK)
    return {
        "scores": [
            {
                **one,
                "metric_name": words.METRICS.get(one["metric"], one["metric"]),
                "why_not": meanings.WHY_NOT.get(one["why"] or "", ""),
                "came_back": meanings.FOLLOW_UPS.get((one["follow_up"] or {}).get("state") or "", ""),
            }
            for one in scores.rows
        ],
        "feedback": [
            {
                **one,
                "kind_name": meanings.FEEDBACK_KINDS[one["kind"]],
                "state_name": meanings.FEEDBACK_STATES[one["state"]],
                "sentiment_name": meanings.SENTIMENTS.get(str(one["sentiment"]), ""),
            }
            for one in said.rows
        ],
    }
