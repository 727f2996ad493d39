from sidecar.catalog.listings import FRESH_S, MAX_LISTS, Listings
from sidecar.schema.models import ModelInfo

ONE, TWO = (ModelInfo(id=id_, provider="p") for id_ in ("one", "two"))


def test_a_list_is_remembered_for_a_while_and_replaced_by_a_later_one() -> None:
    listings = Listings()
    assert listings.find("p", "here", 0) is None
    listings.remember("p", "here", [ONE], 0)
    assert listings.find("p", "here", FRESH_S - 1) == {"one": ONE}
    assert listings.find("p", "here", FRESH_S) is None
    listings.remember("p", "here", [TWO], FRESH_S)
    assert listings.find("p", "here", FRESH_S) == {"two": TWO}


def test_another_address_has_another_list() -> None:
    listings = Listings()
    listings.remember("p", "here", [ONE], 0)
    assert listings.find("p", "there", 0) is None


def test_the_oldest_list_makes_room() -> None:
    listings = Listings()
    for number in range(MAX_LISTS + 1):
        listings.remember(f"p{number}", "here", [ONE], 0)
    assert listings.find("p0", "here", 0) is None
    assert listings.find(f"p{MAX_LISTS}", "here", 0) == {"one": ONE}
