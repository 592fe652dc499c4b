"""What a second verifier reads of the trust list, and what the list is."""

from pathlib import Path

from credentials import jws
from keys.models import VERIFIED, KeyState
from tests.world import World

PAGE = (Path(__file__).parents[2] / "openapi/verifying.md").read_text("utf-8")


def test_the_page_names_what_the_list_has(world: World) -> None:
    """Every claim of the list, of its agencies, keys and rights, each state and purpose of a key, and its type."""
    world.issue()
    listed = jws.parse(world.anybody.get("/keys/trust-list").body, jws.TRUST_LIST).unverified_payload()
    (agency,) = [one for one in listed["agencies"] if one["agency"] == "police"]
    named = {*listed, *agency, *agency["keys"][0], *agency["types"][0], *KeyState, *VERIFIED}
    assert [one for one in named if f"`{one}`" not in PAGE and f"`{one}[]`" not in PAGE] == []
    assert f"`{jws.TRUST_LIST.typ}`" in PAGE
    for path in ("/keys/operator", "/keys/trust-list", f"/.well-known/jwt-vc-issuer/issuers/{agency['agency']}"):
        assert world.anybody.get(path).status == 200
