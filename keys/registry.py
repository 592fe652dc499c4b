"""The trust registry: the operator admits agencies, gives and takes rights, and publishes the trust list."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from credentials import jws
from credentials.jwk import PublicKey, import_public
from keys import store, trust_list
from keys.errors import CustodyError, NoSigningKeyError
from keys.models import Authorisation, KeyPurpose, KeyState, TrustedAgency
from keys.trust_list import OPERATOR
from keys.vault import STREAM, Vault
from records import audit
from records.database import Database


class TrustRegistry:
    """Who may sign what. The list is signed when it is asked for and something changed, or it grew old."""

    def __init__(self, *, database: Database, vault: Vault, base_url: str) -> None:
        self._database = database
        self._vault = vault
        self._base_url = base_url

    def admit(
        self,
        session: Session,
        agency: str,
        name: Mapping[str, str],
        rights: Mapping[str, datetime | None],
        *,
        actor: str,
        now: datetime,
    ) -> None:
        """Vouch for `agency` in an open transaction: name (zh, en), types (`vct` → until, None for open) from `now`."""
        session.merge(TrustedAgency(agency=agency, name=dict(name)))
        session.flush()
        for vct, until in rights.items():
            right = session.get(Authorisation, (agency, vct))
            if right is None:
                session.add(Authorisation(agency=agency, vct=vct, valid_from=now, valid_until=until))
            else:
                right.valid_until = until  # given again: what was signed under it before stays good
        store.raise_trust_version(session)
        audit.record(
            session, stream=STREAM, actor=actor, act="trust.admitted", subject=agency, now=now,
            detail={"types": sorted(rights)},
        )  # fmt: skip

    def grant(
        self, agency: str, vct: str, *, since: datetime, until: datetime | None, actor: str, now: datetime
    ) -> bool:
        """Give an agency a right from when to when, or change its end; False if there is no such agency.

        A right that was given before keeps its beginning: what was signed under it stays good.
        """
        with self._database.write() as session:
            if session.get(TrustedAgency, agency) is None:
                return False
            right = session.get(Authorisation, (agency, vct))
            if right is None:
                session.add(Authorisation(agency=agency, vct=vct, valid_from=since, valid_until=until))
            else:
                right.valid_from, right.valid_until = min(right.valid_from, since), until
            session.flush()
            store.raise_trust_version(session)
            audit.record(
                session, stream=STREAM, actor=actor, act="trust.admitted", subject=agency, now=now,
                detail={"types": [vct], "from": since.isoformat(), "until": until.isoformat() if until else None},
            )  # fmt: skip
        return True

    def withdraw(self, agency: str, vct: str, *, actor: str, now: datetime) -> bool:
        """End an agency's right to sign `vct` as of `now`; False if it had none."""
        with self._database.write() as session:
            right = session.get(Authorisation, (agency, vct))
            if right is None:
                return False
            right.valid_until = now
            store.raise_trust_version(session)
            audit.record(
                session, stream=STREAM, actor=actor, act="trust.withdrawn", subject=agency, now=now, detail={"vct": vct}
            )
        return True

    def may_sign(self, agency: str, vct: str, *, now: datetime) -> bool:
        """Whether the operator lets `agency` sign licences of `vct` at `now`."""
        return self.signs_since(agency, vct, now=now) is not None

    def signs_since(self, agency: str, vct: str, *, now: datetime) -> datetime | None:
        """Return since when `agency` may sign licences of `vct`, None if it may not at `now`."""
        with self._database.read() as session:
            right = session.get(Authorisation, (agency, vct))
        return right.valid_from if right is not None and _in_force(right, now) else None

    def has_right(self, agency: str, vct: str, *, now: datetime) -> bool:
        """Whether an agency has a right that is not over, begun or not."""
        with self._database.read() as session:
            right = session.get(Authorisation, (agency, vct))
        return right is not None and (right.valid_until is None or now < right.valid_until)

    def signed_by(self, agency: str, *, now: datetime) -> set[str]:
        """Return all `vct` that an agency may sign licences of at `now`."""
        with self._database.read() as session:
            rights = store.authorisations(session, agency)
        return {one.vct for one in rights if _in_force(one, now)}

    def address(self) -> str | None:
        """Return the public address that the last trust list, and every licence, names; None of a new city."""
        with self._database.read() as session:
            stored = store.trust_publication(session)
        if stored is None or not stored.token:
            return None
        return jws.required_text(jws.parse(stored.token, jws.TRUST_LIST).unverified_payload(), "iss")

    def operator_keys(self) -> dict[str, PublicKey]:
        """Return the operator's public keys by kid: what a verifier must be given out of band."""
        rows = self._vault.key_rows(OPERATOR, KeyPurpose.TRUST_LIST)
        return {row.kid: import_public(row.jwk) for row in rows if row.state != KeyState.COMPROMISED}

    def token(self, *, now: datetime) -> str:
        """Return the signed trust list, signing it first if it changed or is older than an hour.

        If no key can sign, an unchanged list is given out to its `exp`; a change that waits raises `CustodyError`.
        """
        second = int(now.timestamp())
        with self._database.read() as session:
            stored = store.trust_publication(session)
        if (
            stored is not None
            and stored.version == stored.published_version
            and stored.issued_at + trust_list.REFRESH_SECONDS > second
        ):
            return stored.token
        try:
            return self._publish(second)
        except CustodyError:
            if stored is None or stored.version != stored.published_version:
                raise
            return stored.token

    def _publish(self, second: int) -> str:
        key = self._vault.active(OPERATOR, KeyPurpose.TRUST_LIST)
        if key.signer is None:
            raise NoSigningKeyError
        with self._database.write() as session:
            stored = store.trust_publication(session)
            version, issued_at = (stored.version, max(second, stored.issued_at)) if stored else (0, second)
            claims = trust_list.payload(
                base_url=self._base_url,
                version=version,
                issued_at=issued_at,
                agencies=store.trusted_agencies(session),
                keys=store.keys_of(session),
                authorisations=store.authorisations(session),
                anchors=store.anchors(session),
            )
            token = jws.sign(jws.TRUST_LIST, claims, key.signer, kid=key.kid)
            if not store.store_trust_list(session, version=version, token=token, issued_at=issued_at):
                later = store.trust_publication(session)
                return later.token if later else token
        return token


def _in_force(right: Authorisation, now: datetime) -> bool:
    return right.valid_from <= now and (right.valid_until is None or now < right.valid_until)
