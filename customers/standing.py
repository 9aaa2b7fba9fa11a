"""Which customer stands for an id: the one it was merged into, or whoever its hidden caller turned out to be."""

from typing import Final

from customers.homes import table

# A hidden caller is a customer of his own until a later part of the call names him; the call then hangs on his handle,
# and there is nothing behind the old id but that call. Where it lives is asked anew each time: it may be assigned,
# corrected by a replay, or parted again.
NAMED_LATER: Final = f"""
    (SELECT owner.customer_id FROM customers_identity f
       JOIN {table()} line ON line.id = CASE f.kind WHEN 'anonymous' THEN f.value::uuid END
       JOIN customers_identity owner ON owner.id = line.identity_id
      WHERE f.id = c.founder_id AND owner.id <> f.id
        AND NOT EXISTS (SELECT 1 FROM customers_identity o WHERE o.customer_id = c.id AND o.id <> f.id))
"""
STANDS_FOR: Final = f"coalesce(c.merged_into_id, {NAMED_LATER}, c.id)"
"""The id of the customer that stands for `c`, a row of customers_customer."""
