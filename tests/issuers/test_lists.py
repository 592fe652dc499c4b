"""Status lists as the world sees them: signed, growing, never going back; and what agencies publish of themselves."""

import posixpath
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from sqlmodel import select

from app import catalogue
from credentials import jws
from credentials.status_list import Status
from issuers.models import LicenceRow, StatusListRow
from tests.foreign import PRE_AUTHORIZED, ForeignWallet
from tests.issuers.city import status_of, statuses, univ
from tests.issuers.claims_of_types import SENT
from tests.records.tables import findings
from tests.world import World

BASE = "http://127.0.0.1:8080"


def test_token_says_what_the_draft_asks(world: World) -> None:
    """The token has the list's own address as sub, two bits an entry, and times in order."""
    world.issue()
    made = world.anybody.get("/issuers/police/status/1")
    assert made.headers["content-type"] == "application/statuslist+jwt"
    assert made.headers["access-control-allow-origin"] == "*"
    assert "max-age=60" in made.headers["cache-control"]
    claims = jws.parse(made.body, jws.STATUS_LIST).unverified_payload()
    second = int(world.now.timestamp())
    assert {name: claims[name] for name in ("iss", "sub", "iat", "exp", "ttl")} == {
        "iss": f"{BASE}/issuers/police",
        "sub": f"{BASE}/issuers/police/status/1",
        "iat": second,
        "exp": second + 24 * 3600,
        "ttl": 60,
    }
    assert claims["status_list"]["bits"] == 2
    token = statuses(world)
    assert len(token.list.data) == 2**17 * 2 // 8
    said = [token.list.read(index) for index in range(2**17)]
    assert set(said) == {Status.VALID, Status.REVOKED}
    assert 56 <= said.count(Status.REVOKED) <= 64, "decoys, and nothing else"


def test_unknown_lists_are_404(world: World) -> None:
    """Lists that were never opened, of agencies that are or are not there, do not exist."""
    world.issue()
    for path in ("police/status/2", "police/status/0", "police/status/-1", "nobody/status/1", "police/status/x"):
        made = world.anybody.get(f"/issuers/{path}")
        assert (made.status, made["code"]) == (404, "not_found"), path


def test_version_grows_with_every_change(world: World) -> None:
    """Every change of status makes the list's version greater, and is in the very next list."""
    permits = [world.issue() for _ in range(3)]
    versions = [statuses(world).version]
    for verb, permit, cause, expected in [
        ("suspend", permits[0], "endorsement_lapsed", [2, 0, 0]),
        ("revoke", permits[1], "fraud", [2, 1, 0]),
        ("reinstate", permits[0], None, [0, 1, 0]),
        ("revoke", permits[2], "fraud", [0, 1, 1]),
    ]:
        assert world.change(verb, permit, cause).status == 200
        assert [status_of(world, one) for one in permits] == expected
        versions.append(statuses(world).version)
    assert versions == sorted(set(versions))
    assert findings(world) == []


def test_iat_never_decreases(world: World) -> None:
    """A clock that goes back an hour leaves the list's iat where it was, and the change is in the list all the same."""
    permit = world.issue()
    before = statuses(world)
    world.wait(-3600)
    world.change("revoke", permit, "fraud")
    after = statuses(world)
    assert status_of(world, permit) == 1
    assert after.issued_at == before.issued_at
    assert after.version > before.version
    world.wait(7200)
    assert statuses(world).issued_at == before.issued_at + 3600


def test_old_list_is_signed_anew(world: World) -> None:
    """An unchanged list is served as it is for five minutes, and signed anew after that."""
    world.issue()
    first = statuses(world)
    world.wait(299)
    assert statuses(world) == first
    world.wait(1)
    second = statuses(world)
    assert second.issued_at == first.issued_at + 300
    assert second.version == first.version
    world.wait(30 * 24 * 3600)
    assert statuses(world).expires_at == int((world.now + timedelta(hours=24)).timestamp())


def test_indices_are_unique_and_not_in_order(world: World) -> None:
    """Licences get places all over the list, so that neither number nor order of issue shows."""
    for _ in range(24):
        world.issue()
    with world.house.database.read() as session:
        rows = session.exec(select(LicenceRow).order_by(LicenceRow.created_at)).all()
    places = [row.status_index for row in rows]
    serials = [row.serial for row in rows]
    assert len(set(places)) == len(set(serials)) == 24
    assert all(0 <= place < 2**17 for place in places)
    assert max(places) - min(places) > 2**16  # missed by chance once in 10^6
    gaps = {later - earlier for earlier, later in zip(sorted(places), sorted(places)[1:], strict=False)}
    assert len(gaps) > 12
    assert all(row.signing_input and f'"idx":{row.status_index}' in _payload(row) for row in rows)


def test_new_list_is_opened_when_one_is_full(world: World) -> None:
    """A list of four places takes four licences at most; the fifth opens the next list, and both say the truth."""
    world.agency("police")
    with world.house.database.write() as session:
        session.add(StatusListRow(list_id="police/1", agency="police", kind="", number=1, size=4, bits=2, decoys=[]))
    permits = [world.issue() for _ in range(9)]
    rows = [world.house.issuer.read("police", one) for one in permits]
    places = {(row.status_list_id, row.status_index) for row in rows}
    assert len(places) == 9
    assert {row.status_list_id for row in rows} == {"police/1", "police/2"}
    assert {index for list_id, index in places if list_id == "police/1"} <= {0, 1, 2, 3}
    numbers = [int(row.status_list_id.split("/")[1]) for row in rows]
    assert numbers == sorted(numbers)
    for permit in (permits[0], permits[-1]):
        assert world.change("revoke", permit, "fraud").status == 200
    assert [status_of(world, one) for one in permits] == [1] + [0] * 7 + [1]
    assert f"{BASE}/issuers/police/status/2" in world.bundle()["status_lists"]
    assert findings(world) == []


def test_agencies_have_lists_of_their_own(world: World) -> None:
    """No two agencies share a list."""
    permit, certificate = world.issue(), world.issue_certificate()
    assert world.house.issuer.read("police", permit).status_list_id == "police/1"
    assert world.house.issuer.read("school1", certificate).status_list_id == "school1/1"


def test_issuer_metadata_has_the_public_licence_keys(world: World) -> None:
    """An agency's metadata names it and its licence keys, next ones too, without any private member."""
    univ(world)
    world.issue()
    world.operator.post("/admin/keys/rotate", {"owner": "police", "purpose": "licence"})
    made = world.anybody.get("/.well-known/jwt-vc-issuer/issuers/police")
    assert (made.status, made["issuer"]) == (200, f"{BASE}/issuers/police")
    rows = {row.kid: row for row in world.house.vault.key_rows("police")}
    found = {one["kid"]: one for one in made["jwks"]["keys"]}
    assert found.keys() == {kid for kid, row in rows.items() if row.purpose == "licence"}
    assert sorted(rows[kid].state for kid in found) == ["active", "next", "retired"]
    for one in found.values():
        assert one.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert (one["kty"], one["crv"], one["use"], one["alg"]) == ("EC", "P-256", "sig", "ES256")
    assert world.anybody.get("/.well-known/jwt-vc-issuer/issuers/nobody").status == 404


def test_type_metadata_is_public(world: World) -> None:
    """Every type's vct leads to its metadata: claims with labels in two languages, what is selective, the causes."""
    for key, kind in catalogue.licence_types().items():
        made = world.anybody.get(f"/issuers/types/{key}")
        assert (made.status, made["vct"], made["licence_type"]) == (200, f"{BASE}/issuers/types/{key}", key)
        assert {one["locale"]: one["name"] for one in made["display"]} == {
            "zh-CN": kind.names["zh"], "en": kind.names["en"],
        }  # fmt: skip
        claims = {one["path"][0]: one for one in made["claims"]}
        assert claims.keys() == kind.claims.keys() >= SENT[key].claims.keys()
        assert {name: one["sd"] for name, one in claims.items()} == {
            name: "never" if one.always else "always" for name, one in kind.claims.items()
        }
        assert {one["code"] for one in made["causes"]} == kind.causes.keys()
    unknown = world.anybody.get("/issuers/types/fishing_licence")
    assert (unknown.status, unknown["code"]) == (404, "unknown_licence_type")


def _payload(row: LicenceRow) -> str:
    return jws.parse(f"{row.signing_input}.{row.signature}", jws.LICENCE).payload_bytes.decode()


def _asked(world: World, **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return world.http.request("GET", "/issuers/police/status/1", headers=names)


def test_what_a_reader_accepts(world: World) -> None:
    """The list comes as its own type to whoever takes it, and as nothing else (section 8.1)."""
    world.issue()
    for accept in (
        "application/statuslist+jwt", "*/*", "application/*", "text/html, application/statuslist+jwt;q=0.1",
        "application/statuslist+cwt, */*;q=0.5", "Application/StatusList+JWT",
    ):  # fmt: skip
        assert _asked(world, accept=accept).headers["content-type"] == "application/statuslist+jwt", accept
    for accept in ("application/statuslist+cwt", "text/html", "*/*;q=0", "application/statuslist+jwt;q=0, */*", "x"):
        answer = _asked(world, accept=accept)
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable"), accept


def test_a_list_is_compressed_for_who_takes_it(world: World) -> None:
    """gzip where it is accepted, the same bytes inside; `Vary` says what the answer hangs on."""
    world.issue()
    plain, packed = _asked(world, accept_encoding="identity"), _asked(world, accept_encoding="br, gzip;q=0.8")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert "content-encoding" not in _asked(world, accept_encoding="gzip;q=0").headers
    assert {one.strip() for one in packed.headers["vary"].split(",")} == {"Accept", "Accept-Encoding"}


def test_who_has_the_list_is_told_so(world: World) -> None:
    """Its tag is answered 304 with no body, in the encoding that it names alone, until the list changes (RFC 9110)."""
    licence = world.issue()
    plain, packed = _asked(world, accept_encoding="identity"), _asked(world, accept_encoding="gzip")
    assert plain.headers["etag"] != packed.headers["etag"]
    for tag in (plain.headers["etag"], f'"other", W/{plain.headers["etag"]}', "*"):
        same = _asked(world, accept_encoding="identity", if_none_match=tag)
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", plain.headers["etag"]), tag
        assert same.headers["cache-control"] == plain.headers["cache-control"]
    assert _asked(world, accept_encoding="gzip", if_none_match=plain.headers["etag"]).status_code == 200
    world.change("revoke", licence, "moved_away")
    fresh = _asked(world, accept_encoding="identity", if_none_match=plain.headers["etag"])
    assert (fresh.status_code, fresh.headers["etag"] != plain.headers["etag"]) == (200, True)


def test_history_is_not_kept(world: World) -> None:
    """A list of the past is 501 (section 8.4)."""
    world.issue()
    answer = world.anybody.get("/issuers/police/status/1?time=1")
    assert (answer.status, answer["code"]) == (501, "history_not_kept")


def test_lists_are_named_for_prefetch(world: World) -> None:
    """The aggregation names every list, each list names it, and so does the metadata (section 9)."""
    world.issue()
    offer = world.agency("police").post("/issuers/police/offers", {"licence_id": world.issue(), "qr": "none"})
    wallet = ForeignWallet(world)
    wallet.redeem(wallet.grants(offer.body)[PRE_AUTHORIZED]["pre-authorized_code"])
    assert wallet.take().status == 200
    answer = world.anybody.get("/issuers/police/status")
    assert answer.body == {"status_lists": [f"{BASE}/issuers/police/status/{name}" for name in ("1", "x1")]}
    assert answer.headers["access-control-allow-origin"] == "*"
    for uri in answer["status_lists"]:
        token = world.anybody.get(uri.removeprefix(BASE)).body
        payload = jws.parse(token, jws.STATUS_LIST).unverified_payload()
        assert payload["sub"] == uri
        assert payload["status_list"]["aggregation_uri"] == f"{BASE}/issuers/police/status"
    for name in ("openid-credential-issuer", "oauth-authorization-server"):
        told = world.anybody.get(f"/.well-known/{name}/issuers/police")
        assert told["status_list_aggregation_endpoint"] == f"{BASE}/issuers/police/status"
    assert world.anybody.get("/issuers/nobody/status").status == 404


def test_a_list_s_address_survives_a_proxy(world: World) -> None:
    """Nothing in it needs escaping, it has no query, and normalising it (RFC 3986 section 6) changes nothing."""
    world.issue()
    uri = jws.parse(_asked(world).text, jws.STATUS_LIST).unverified_payload()["sub"]
    parts = urlsplit(uri)
    assert quote(parts.path) == parts.path == posixpath.normpath(parts.path)
    assert (parts.query, parts.fragment, parts.netloc) == ("", "", parts.netloc.lower())


def test_decoys_are_nobodys(world: World) -> None:
    """A list's decoys say revoked from its first publication to its last, and no licence is given their place."""
    permits = [world.issue() for _ in range(12)]
    with world.house.database.read() as session:
        decoys = set(session.get(StatusListRow, "police/1").decoys)
    assert 56 <= len(decoys) <= 64
    taken = {world.house.issuer.read("police", one).status_index for one in permits}
    assert not taken & decoys
    world.change("revoke", permits[0], "fraud")
    published = statuses(world).list
    assert all(published.read(index) == Status.REVOKED for index in decoys)
    assert findings(world) == []
