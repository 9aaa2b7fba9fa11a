"""On the card: what the customer answered to surveys and said for others to hear, the latest, each with its line."""

from typing import Any

from customers.console import meanings, words
from customers.console.lines import moment
from customers.experience import feedbacklists, scorelists


def feelings(scores: list[dict[str, Any]], said: list[dict[str, Any]]) -> dict[str, Any]:
    """From the rows of folds: whoever asks has seen to it that they are fresh."""
    answers = [scorelists.shown(*row.values()) for row in scores]
    spoken = [feedbacklists.shown(*row.values()) for row in said]
    return {
        "scores": [
            {
                **one,
                "given_at": moment(one["given_at"]),
                "metric_name": words.METRICS.get(one["metric"], one["metric"]),
                "why_not": meanings.WHY_NOT.get(one["why"] or "", ""),
                "came_back": meanings.FOLLOW_UPS.get((one["follow_up"] or {}).get("state") or "", ""),
            }
            for one in answers
        ],
        "feedback": [
            {
                **one,
                "at": moment(one["at"]),
                "kind_name": meanings.FEEDBACK_KINDS[one["kind"]],
                "state_name": meanings.FEEDBACK_STATES[one["state"]],
                "sentiment_name": meanings.SENTIMENTS.get(str(one["sentiment"]), ""),
            }
            for one in spoken
        ],
    }
