"""What an administrator did before the demo begins: one customer is kept by order, one receiver is switched off.

Once more changes nothing: the same hold stands once, and a receiver that is known is not added again.
"""

from typing import Any

from cxhub.demo.doors import Web

KEPT, WHY = "C-1303", "Претензия 17/2026 по гарантии: хранить до решения суда"
RECEIVER = {
    "url": "https://crm.demo.example/cxhub",
    "description": "CRM: нарушенные обещания и стёртые карточки",
    "types": ["promise.broken", "customer.erased"],
    "enabled": False,  # There is nobody at this address.
}


def administer(web: Web, state: dict[str, Any]) -> None:
    key = state["admin_key"]
    for card in web.get(f"/api/v1/customers?crm_id={KEPT}", key)["results"]:
        web.post(f"/api/v1/customers/{card['id']}/hold", key, {"held": True, "reason": WHY})
    if not web.get("/api/v1/subscriptions", key)["results"]:
        web.post("/api/v1/subscriptions", key, RECEIVER)
