"""Steps 2 to 7 of the story, for one presentation, without IO: what a counter with no network does too.

Each function is one numbered step, raises its reason, and returns something the next step needs: the steps
cannot be taken in another order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self

from credentials import jws, key_binding, sd_jwt, sd_jwt_vc, status_list, x509
from credentials.errors import FormatError, StatusListInvalidError
from credentials.jwk import PublicKey
from credentials.key_binding import KeyBinding
from credentials.licence_type import LicenceType
from credentials.sd_jwt_vc import Licence, UnverifiedLicence
from credentials.status_list import Status, StatusListToken, StatusReference
from keys.errors import TrustListRefusedError
from keys.models import KeyPurpose
from keys.trust_list import TrustedIssuer, TrustList
from verifier.errors import RefusalError

ONLINE_STATUS_MAX_AGE = timedelta(minutes=15)
STEPS = ("claim", "obtain", "parse", "trust", "signature", "holder_binding", "dates", "status", "record")
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True, slots=True)
class Seen:
    """A licence with these disclosures that verified under a key before; trust, dates, binding and status did not."""

    unverified: UnverifiedLicence
    key: PublicKey
    licence: Licence


class Memory(jws.SignatureMemory, Protocol):
    """Remembers what verified: signatures by digest, the latest licences by their text."""

    def licence(self, presented: str, /) -> Seen | None:
        """Return what is known of an SD-JWT with its disclosures, all but the key binding."""

    def keep(self, presented: str, seen: Seen, /) -> None:
        """Remember a licence that verified."""


class StatusLists(Protocol):
    """Gives verified status lists."""

    def __call__(self, uri: str, issuer: TrustedIssuer, trust: TrustList, *, now: datetime) -> StatusListToken:
        """Return the list at `uri`, signed by `issuer`; raises a reason if it cannot be had or believed."""


@dataclass(slots=True)
class Checks:
    """What was checked, step by step, for the verdict."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def step(self, number: int, licence: str | None = None) -> Self:
        """Begin a step: `with checks.step(2): …`, and within it `checks.step(3)`.

        A step has passed when the next one begins or the block ends well; whatever refusal ends it goes on as
        `RefusalError`, and the last step that was begun has failed.
        """
        row = {"number": number, "step": STEPS[number], "outcome": PASSED}
        if licence:
            row["licence"] = licence
        self.rows.append(row)
        return self

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Note how it ended."""
        if isinstance(error, FormatError | TrustListRefusedError | RefusalError):
            self.rows[-1] |= {"outcome": FAILED, "reason": error.code}
        if isinstance(error, FormatError | TrustListRefusedError):
            raise RefusalError(error.code, getattr(error, "detail", "")) from error

    def skip_rest(self, why: str) -> None:
        """Note every step up to the record that was not reached as skipped."""
        reached = max((row["number"] for row in self.rows), default=-1)
        for number in range(reached + 1, len(STEPS) - 1):
            self.rows.append({"number": number, "step": STEPS[number], "outcome": SKIPPED, "reason": why})


@dataclass(frozen=True, slots=True)
class Checked:
    """A presentation for which every step passed; the only thing a green verdict is made of."""

    licence: Licence
    kind: LicenceType
    issuer: TrustedIssuer
    status_as_of: int
    text: str
    authority_key_ids: tuple[str, ...] = ()
    """Who certified the issuer's key, if it came by certificate (DCQL `aki`)."""

    @property
    def jwt_digest(self) -> str:
        """What names the licence in a receipt: the digest of the token that its issuer signed."""
        return sd_jwt.digest(self.text.partition("~")[0])

    @property
    def presentation_digest(self) -> str:
        """What names this very presentation."""
        return sd_jwt.presentation_digest(self.text)


Logged = Callable[[UnverifiedLicence, int], bool]
"""Whether a checkpoint of the log, signed before a second, holds this very licence: then no thief made it."""


def nothing_logged(_unverified: UnverifiedLicence, _before: int) -> bool:
    """Answer for whoever cannot ask the log, as a counter without a network: nothing of a compromised key passes."""
    return False


HolderBinding = Callable[[UnverifiedLicence, Licence], None]
"""Step 5: raises unless the holder bound this presentation to this verifier, nonce and minute."""


def check(
    text: str,
    *,
    trust: Callable[[], TrustList],
    types: Mapping[str, LicenceType],
    binding: HolderBinding,
    statuses: StatusLists,
    status_max_age: Callable[[LicenceType], timedelta],
    checks: Checks,
    now: datetime,
    memory: Memory | None = None,
    logged: Logged = nothing_logged,
) -> Checked:
    """Take one presentation through steps 2 to 7; raises `RefusalError` at the first that fails."""
    # 2. Parse, believing nothing (RFC 8725; RFC 9901 section 4).
    presented = text.rpartition("~")[0]
    seen = memory.licence(presented) if memory is not None else None
    with checks.step(2):
        unverified = sd_jwt_vc.parse_again(seen.unverified, text) if seen else sd_jwt_vc.parse_licence(text)
        kind = types.get(unverified.vct)
        name = kind.key if kind else None
        # 3. Is this agency trusted for this type, at the time it says it signed? Nothing is fetched.
        checks.step(3, name)
        trusted = trust()
        trusted.check_current(now=now)
        issuer, key, authorities = trusted_key(unverified, trusted, now=now, logged=logged)
        if kind is None:
            raise RefusalError("type_not_authorised")
        # 4. Signature and disclosures (RFC 9901 section 7.1).
        checks.step(4, name)
        if seen is not None and seen.key.jwk == key.jwk:
            licence = seen.licence
        else:
            licence = sd_jwt_vc.verify_licence(unverified, key, memory, kind.rules)
            if memory is not None:
                memory.keep(presented, Seen(unverified, key, licence))
        # 5. Holder binding (RFC 9901 section 7.3): this verifier, this nonce, this minute.
        checks.step(5, name)
        binding(unverified, licence)
        # 6. The licence's own dates.
        checks.step(6, name)
        sd_jwt_vc.check_dates(licence, now=now)
        # 7. Status, from a signed list that is fresh enough (Token Status List section 8.3).
        checks.step(7, name)
        listed = statuses(licence.status.uri, issuer, trusted, now=now)
        as_of = check_status(licence.status, listed, status_max_age(kind), now)
    return Checked(licence, kind, issuer, as_of, text, authorities)


def trusted_key(
    unverified: UnverifiedLicence, trust: TrustList, *, now: datetime, logged: Logged = nothing_logged
) -> tuple[TrustedIssuer, PublicKey, tuple[str, ...]]:
    """Return the agency, the key the trust list has for it, and who certified it; look-up is scoped by issuer.

    A compromised key is returned for a licence alone that the log held before the key was.
    """
    issuer = trust.issuers.get(unverified.issuer)
    if issuer is None:
        raise RefusalError("untrusted_agency")
    signed_at = jws.required_date(unverified.claimed, "iat")
    if not issuer.may_sign(unverified.vct, at=signed_at):
        raise RefusalError("type_not_authorised")
    found = signing_key(
        unverified.token, issuer, trust, KeyPurpose.LICENCE, at=signed_at, now=now,
        before=lambda second: logged(unverified, second),
    )  # fmt: skip
    return issuer, *found


def signing_key(
    token: jws.Unverified,
    issuer: TrustedIssuer,
    trust: TrustList,
    purpose: KeyPurpose,
    *,
    at: int,
    now: datetime,
    before: Callable[[int], bool] = lambda _second: False,
) -> tuple[PublicKey, tuple[str, ...]]:
    """Return the key that a token of `issuer` names by `kid` or carries in `x5c` (HAIP section 6.1.1).

    A certificate carries a key, it does not vouch for more than the trust list: the leaf names this issuer, and
    its key is one that the list has for the purpose, in use at second `at`. `before` says whether the token was there
    before a second: the one at which its key was compromised.
    """
    x5c = token.header.get("x5c")
    if x5c is None:
        return purposed_key(issuer, token.kid, purpose, at=at, as_of=trust.issued_at, before=before), ()
    certified = x509.verify_chain(x509.parse_chain(x5c), trust.anchors, at=now)
    if issuer.issuer not in certified.uris:
        raise RefusalError("certificate_refused")
    listed = next((kid for kid, one in issuer.keys.items() if one.key.thumbprint == certified.key.thumbprint), None)
    key = purposed_key(issuer, listed, purpose, at=at, as_of=trust.issued_at, before=before)
    return key, certified.authority_key_ids


def purposed_key(
    issuer: TrustedIssuer, kid: str | None, purpose: KeyPurpose, *, at: int, as_of: int, before: Callable[[int], bool]
) -> PublicKey:
    """Return an agency's key for one purpose, in use at second `at`; any other raises its reason.

    Of a key that was the next one when the list was signed (`as_of`), and used since, an older list cannot say more.
    """
    found = issuer.keys.get(kid or "")
    if found is None or found.purpose != purpose:
        raise RefusalError("key_unknown")
    if found.compromised and (found.compromised_from is None or not before(found.compromised_from)):
        raise RefusalError("key_compromised")
    if found.first is None and at >= as_of:
        raise RefusalError("trust_list_refused", "the list is older than this key's use: get a new one")
    if not found.signed_at(at):
        raise RefusalError("key_unknown")
    return found.key


def check_status(reference: StatusReference, token: StatusListToken, max_age: timedelta, now: datetime) -> int:
    """Return the second the status is as of, if it is valid and fresh enough; else raise the reason."""
    value = token.list.read(reference.index)
    if value == Status.REVOKED:
        raise RefusalError("revoked")
    if value == Status.SUSPENDED:
        raise RefusalError("suspended")
    if value != Status.VALID:
        raise RefusalError("status_unknown_value")
    if now.timestamp() - token.issued_at > max_age.total_seconds():
        raise RefusalError("status_stale", at=datetime.fromtimestamp(token.issued_at, UTC).isoformat())
    token.check_current(now=now)
    return token.issued_at


def read_status_list(text: str, uri: str, issuer: TrustedIssuer, trust: TrustList, *, now: datetime) -> StatusListToken:
    """Return the verified list of `text`: signed by `issuer` with a key for lists, about `uri`."""
    try:
        unverified = jws.parse(text, jws.STATUS_LIST)
        claimed = unverified.unverified_payload()
        issued_at = jws.required_date(claimed, "iat")
        key, _ = signing_key(unverified, issuer, trust, KeyPurpose.STATUS_LIST, at=issued_at, now=now)
        if claimed.get("iss", issuer.issuer) != issuer.issuer:
            raise StatusListInvalidError("another agency's list")
        return status_list.read_token(jws.verify(unverified, key), uri=uri)
    except (FormatError, RefusalError) as error:
        raise StatusListInvalidError(error.code) from error


def online_binding(audience: str, nonce: str, now: datetime, made: list[KeyBinding] | None = None) -> HolderBinding:
    """Return step 5 for a presentation made for `audience` and `nonce`; verified bindings are added to `made`."""

    def bound(unverified: UnverifiedLicence, licence: Licence) -> None:
        one = key_binding.check(unverified.parts, licence.holder_key, audience=audience, nonce=nonce, now=now)
        if made is not None:
            made.append(one)

    return bound


def offline_binding(now: datetime) -> HolderBinding:
    """Return step 5 for an offline pass: not bound to this counter."""

    def bound(unverified: UnverifiedLicence, licence: Licence) -> None:
        key_binding.check_offline(unverified.parts, licence.holder_key, now=now)

    return bound
