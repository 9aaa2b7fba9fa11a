"""Who belongs together: components and partition against a union-find of their own, in any order of the links."""

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from customers.components import Component, components, partition

IDS = st.integers(1, 30)
PAIRS = st.lists(st.tuples(IDS, IDS).filter(lambda pair: pair[0] != pair[1]).map(lambda p: (min(p), max(p))))
Links = list[tuple[int, int]]


def groups(identities: Sequence[int], links: Links) -> set[frozenset[int]]:
    """The plainest way: whoever is named by a link takes the other's group."""
    group = {one: {one} for one in identities}
    for a, b in links:
        if group[a] is not group[b]:
            group[a] |= group[b]
            for one in group[b]:
                group[one] = group[a]
    return {frozenset(one) for one in group.values()}


def known(links: Links, more: Sequence[int] = ()) -> list[int]:
    return sorted({one for pair in links for one in pair} | set(more))


@given(PAIRS, st.lists(IDS))
def test_components_are_those_of_a_union_find(links: Links, more: list[int]) -> None:
    identities = known(links, more)
    found = components(identities, links)
    assert set(found) == groups(identities, links)
    assert len(found) == len(set(found)), "each once"
    assert [min(one) for one in found] == sorted(min(one) for one in found)
    assert sorted(one for component in found for one in component) == identities


@given(PAIRS, st.lists(IDS), st.randoms(use_true_random=False))
def test_links_commute(links: Links, more: list[int], chance: random.Random) -> None:
    identities = known(links, more)
    mixed = [(b, a) if chance.random() < 0.5 else (a, b) for a, b in links * 2]
    chance.shuffle(mixed)
    assert components(reversed(identities), mixed) == components(identities, links)


@given(PAIRS, st.data())
def test_a_link_parts_only_what_it_alone_connected(links: Links, data: st.DataObject) -> None:
    """Taking one away splits one component in two at most, and putting it back gives the same as before."""
    if not links:
        return
    identities = known(links)
    place = data.draw(st.integers(0, len(links) - 1))
    a, b = links[place]
    without = links[:place] + links[place + 1 :]
    before, after = set(components(identities, links)), set(components(identities, without))
    assert len(after) - len(before) in (0, 1)
    parted = {one for one in before if a in one}
    assert before - after <= parted, "nobody else notices"
    assert {x for one in after - before for x in one} in (set(), set(*parted))
    assert set(components(identities, [*without, (a, b)])) == before


@given(PAIRS, st.sets(IDS, max_size=10))
def test_the_oldest_founder_stands(links: Links, founding: set[int]) -> None:
    identities = known(links, sorted(founding))
    founders = {identity: 1000 - identity for identity in founding}  # the ids of customers need not follow
    parts = partition(identities, links, founders)
    assert {part.identities for part in parts} == groups(identities, links)
    for part in parts:
        assert part.customers == tuple(sorted(founders[one] for one in part.identities & founding))
    assert sorted(one for part in parts for one in part.customers) == sorted(founders.values())


def test_a_component_without_a_founder_names_no_customer() -> None:
    assert partition([1, 2, 3], [(2, 3)], {1: 7}) == [
        Component(frozenset({1}), (7,)),
        Component(frozenset({2, 3}), ()),
    ]


def test_a_long_chain_is_one() -> None:
    chain = [(one, one + 1) for one in range(1, 5_000)]
    assert len(components(range(1, 5_001), chain)) == len(components(range(1, 5_001), reversed(chain))) == 1
