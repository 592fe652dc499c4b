"""A signed authorization request, checked without IO (OpenID4VP 1.0 sections 5 and 14; RFC 9101).

Only what stands in the signed object counts. Who asks is the certificate's subject, never what the link says.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from credentials import dcql, jwe, jws, strict_json
from credentials import x509 as chains
from credentials.dcql import Query
from credentials.errors import FormatError
from credentials.text import hostname
from wallet.errors import RequestRefusedError

SELF_ISSUED = "https://self-issued.me/v2"
CONTENT_ENCRYPTION = ("A256GCM", "A128GCM")  # the stronger first (HAIP section 5)
MIN_NONCE = 16  # characters
OTHER_PREFIXES = frozenset({
    "redirect_uri", "openid_federation", "decentralized_identifier", "verifier_attestation", "origin",
})  # fmt: skip
"""Prefixes of section 5.9.3 that this wallet does not know, or not of signed requests."""
KEPT = ("client_id", "name", "host", "signed", "response_uri", "nonce", "state", "encryption_key", "enc")
PARAMETERS = frozenset({"client_id", "response_type", "response_mode", "response_uri", "nonce", "dcql_query"})
MayAsk = Callable[[chains.CertifiedKey, datetime], None]
"""Raises `FormatError` if a certified key, though under an anchor, may not sign requests."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be shown to the holder: who asks, for what, and where the answer goes."""

    client_id: str
    name: str
    host: str
    signed: bool
    response_uri: str
    nonce: str
    state: str | None
    query: Query
    query_text: Mapping[str, Any]
    """The query as it was sent."""
    encryption_key: Mapping[str, Any] | None
    enc: str | None

    def kept(self) -> dict[str, Any]:
        """Return this as JSON, to keep while the holder thinks."""
        told = {name: getattr(self, name) for name in KEPT}
        return told | {"query_text": dict(self.query_text)}


def restored(kept: Mapping[str, Any]) -> Asked:
    """Return a request that was kept as JSON."""
    return Asked(**kept, query=dcql.parse(kept["query_text"]))


def read_signed(
    token: str,
    client_id: str,
    anchors: Collection[x509.Certificate],
    *,
    may_ask: MayAsk,
    wallet_nonce: str | None,
    now: datetime,
) -> Asked:
    """Verify a request object and return what it asks; every failure raises `RequestRefusedError` with its code."""
    try:
        parsed = jws.parse(token, jws.REQUEST)
        certified = chains.verify_chain(chains.parse_chain(parsed.header.get("x5c")), anchors, at=now)
        may_ask(certified, now)
        claims = jws.verify(parsed, certified.key).payload()
    except FormatError as error:
        raise RequestRefusedError("invalid_request_object", error.detail) from error
    if claims.get("client_id") != client_id:
        raise RequestRefusedError("invalid_client", "the client_id of the link is another")
    if claims.get("aud") != SELF_ISSUED:
        raise RequestRefusedError("invalid_request", "the request is for another wallet")
    if wallet_nonce is not None and claims.get("wallet_nonce") != wallet_nonce:
        raise RequestRefusedError("invalid_request", "the request was not made for this fetch")
    expires = jws.numeric_date(claims, "exp")
    if expires is not None and now.timestamp() >= expires:
        raise RequestRefusedError("invalid_request", "the request is over")
    _check_client(client_id, certified, claims)
    organisation = certified.leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    name = str(organisation[0].value) if organisation else certified.leaf.subject.rfc4514_string()
    try:
        return _asked(claims, name, signed=True)
    except RequestRefusedError as error:
        uri, state = claims.get("response_uri"), claims.get("state")
        error.told_at = uri if isinstance(uri, str) and hostname(uri) is not None else None
        error.state = state if isinstance(state, str) else None
        raise


def read_unsigned(parameters: Mapping[str, str]) -> Asked:
    """Return what an unsigned link asks; only the `redirect_uri` prefix may go without a signature (section 5.9.3)."""
    client_id, told = parameters["client_id"], dict[str, Any](parameters)
    if client_id != f"redirect_uri:{parameters.get('response_uri')}":
        raise RequestRefusedError("invalid_client", "an unsigned request answers to its own address only")
    try:
        for name in ("dcql_query", "client_metadata", "transaction_data"):
            if name in told:
                told[name] = strict_json.loads(told[name].encode())
    except FormatError as error:
        raise RequestRefusedError("invalid_request", error.detail) from error
    return _asked(told, "", signed=False)


def _check_client(client_id: str, certified: chains.CertifiedKey, claims: Mapping[str, Any]) -> None:
    """Raise unless the client identifier is its certificate's (section 5.9.3); unknown prefixes are refused."""
    prefix, _, name = client_id.partition(":")
    if prefix == "x509_hash":
        known = name == certified.leaf_hash
    elif prefix == "x509_san_dns":
        known = name in certified.dns_names and hostname(str(claims.get("response_uri"))) == name
    else:
        known = prefix not in OTHER_PREFIXES and client_id in certified.uris
    if not known:
        raise RequestRefusedError("invalid_client", "the client_id is not the certificate's, or of an unknown kind")


def _asked(claims: Mapping[str, Any], name: str, *, signed: bool) -> Asked:
    if missing := PARAMETERS - claims.keys():
        raise RequestRefusedError("invalid_request", f"{sorted(missing)[0]} is missing")
    if claims["response_type"] != "vp_token" or "redirect_uri" in claims or "scope" in claims:
        raise RequestRefusedError("invalid_request", "only vp_token by direct_post, asked with DCQL")
    if "transaction_data" in claims:
        raise RequestRefusedError("invalid_transaction_data", "this wallet signs no transaction data")
    mode, nonce, state = claims["response_mode"], claims["nonce"], claims.get("state")
    if mode not in ["direct_post", "direct_post.jwt"]:
        raise RequestRefusedError("invalid_request", "only direct_post and direct_post.jwt")
    if not isinstance(nonce, str) or len(nonce) < MIN_NONCE or not (state is None or isinstance(state, str)):
        raise RequestRefusedError("invalid_request", "nonce or state is not what it must be")
    uri = claims["response_uri"]
    host = hostname(uri) if isinstance(uri, str) else None
    if host is None:
        raise RequestRefusedError("invalid_request", "response_uri is no address")
    try:
        query = dcql.parse(claims["dcql_query"])
    except FormatError as error:
        raise RequestRefusedError("invalid_request", error.detail) from error
    key, enc = _encryption(claims.get("client_metadata")) if mode == "direct_post.jwt" else (None, None)
    return Asked(claims["client_id"], name, host, signed, uri, nonce, state, query, claims["dcql_query"], key, enc)


def _encryption(metadata: object) -> tuple[Mapping[str, Any], str]:
    """Return the key and content encryption to answer with; keys that we cannot use are passed over (section 8.3)."""
    told = metadata if isinstance(metadata, Mapping) else {}
    jwks = told.get("jwks")
    offered = told.get("encrypted_response_enc_values_supported", ["A128GCM"])
    enc = next((one for one in CONTENT_ENCRYPTION if one in offered), None) if isinstance(offered, list) else None
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    for key in keys if isinstance(keys, list) else []:
        try:
            jwe.recipient(key)
        except FormatError:
            continue
        if enc is not None and isinstance(key.get("alg"), str):
            return key, enc
    raise RequestRefusedError("invalid_request", "no key that the answer can be encrypted to")
