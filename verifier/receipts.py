"""Receipts: what both sides keep in place of a photocopy; re-verifiable for years under the trust list's keys.

When one will do in place of showing again: `receipts_reused.py`.
"""

from base64 import b64decode
from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from credentials import checkpoint, jws, merkle, strict_json
from credentials.checkpoint import Checkpoint
from credentials.errors import KeyRefusedError, MalformedError, ProofRefusedError
from keys.trust_list import TrustList
from records import audit
from verifier.checking import Checked
from verifier.models import Counter
from verifier.service_items import ServiceItem
from verifier.verdict import Verdict


def read(token: str, trust: TrustList) -> dict[str, Any]:
    """Return the claims of a receipt that a receipt key of the trust list signed; raises `FormatError` otherwise.

    Nothing is fetched and no date is checked: a receipt stays what it was. A compromised key's is not believed.
    """
    unverified = jws.parse(token, jws.RECEIPT)
    key = trust.receipt_keys.get(unverified.kid or "")
    if key is None:
        raise KeyRefusedError("no receipt key of this trust list, or one that was stolen")
    return jws.verify(unverified, key).payload()


def check_logged(token: str, proof: Mapping[str, Any], trust: TrustList) -> Checkpoint:
    """Return the checkpoint that holds the verdict of a receipt, or raise `FormatError`.

    `proof` is what `/verifier/verifications/{id}/proof` gave: it must be of this very receipt's text, and its way lead
    to a root that a log key of the trust list signed (RFC 9162 section 2.1.3.2). Not checked: the receipt's signature.
    """
    said = jws.parse(token, jws.RECEIPT).unverified_payload()
    service = jws.required_text(said, "iss").removesuffix("/verifier")
    try:
        act, path = dict(proof["act"]), [b64decode(one, validate=True) for one in proof["path"]]
        detail = strict_json.loads_object(act["detail"].encode())
        index, note = proof["leaf_index"], str(proof["checkpoint"])
        leaf = merkle.leaf_hash(audit.hash_of(act))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedError("not a proof of a receipt") from error
    if type(index) is not int or (act["subject"], detail.get("receipt")) != (
        said.get("jti"),
        sha256(token.encode()).hexdigest(),
    ):
        raise ProofRefusedError("the proof is of another receipt")
    held = checkpoint.read(note, checkpoint.origin_of(service), trust.log_keys.values())
    merkle.check_inclusion(leaf, index, held.size, path, held.root)
    return held


def claims(
    made: Verdict,
    checked: Collection[Checked],
    counter: Counter,
    item: ServiceItem,
    *,
    base_url: str,
    now: datetime,
    copy_sha256: str | None = None,
) -> dict[str, Any]:
    """Return a receipt's claims: what was shown by digest and claim name, never a claim's value.

    `copy_sha256` names the copy for the file, where the item lets the counter keep one.
    """
    told = {
        "iss": f"{base_url}/verifier",
        "iat": int(now.timestamp()),
        "jti": made.verification_id,
        "counter": counter.key,
        "agency": counter.agency,
        "service_item": item.key,
        "service_item_version": item.version,
        "channel": made.channel,
        "verdict": made.outcome,
        "reason": made.reason,
        "licences": [
            {
                "licence_type": one.kind.key,
                "iss": one.licence.issuer,
                "vct": one.licence.vct,
                "sha256": one.jwt_digest,
                "claims": sorted(shown["claims"]),
                "status_as_of": one.status_as_of,
                "by_mandate": shown["by_mandate"],
            }
            for one, shown in zip(checked, made.licences, strict=False)
        ],
    }
    return told if copy_sha256 is None else told | {"copy_sha256": copy_sha256}
