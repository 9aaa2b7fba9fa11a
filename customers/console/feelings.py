"""On the card: what the customer answered to surveys and said for others to hear, the latest, each with its line."""

from typing import Any

from customers.console import meanings, words
from customers.console.lines import moment


def feelings(answers: list[dict[str, Any]], spoken: list[dict[str, Any]]) -> dict[str, Any]:
    """From `scorelists.LATEST_OF` and `feedbacklists.FIRST_OF`: whoever asks has seen to it that they are fresh."""
    return {
        "scores": [
            {
                **one,
                "given_at": moment(one["given_at"]),
                "metric_name": words.METRICS.get(one["metric"], one["metric"]),
                "why_not": meanings.WHY_NOT.get(one["why"], ""),
                "came_back": meanings.FOLLOW_UPS.get(one["follow_up"] or "", ""),
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
