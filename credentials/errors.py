"""Everything the format core refuses, one class and one stable `code` for each reason.

Families say whose fault it is: `MalformedError` (the bytes), `RefusedError` (the licence or its
presentation) and `UnknownError` (the world: nothing can be said). Every code is a verdict reason.
"""


class FormatError(Exception):
    """The root of the tree; `code` is stable and `detail` is for engineers, never for a claim value."""

    code = "malformed"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.code)
        self.detail = detail or (type(self).__doc__ or "")


class MalformedError(FormatError):
    """The bytes are not what they must be."""

    code = "malformed"


class PassMalformedError(MalformedError):
    """The text is not an offline pass."""

    code = "not_a_licence_code"


class RefusedError(FormatError):
    """The token is well formed and must not be accepted."""

    code = "refused"


class AlgorithmRefusedError(RefusedError):
    """The algorithm is not on the purpose's allow-list or does not fit the key."""

    code = "algorithm_refused"


class HeaderRefusedError(RefusedError):
    """The header has a member this purpose does not allow (RFC 8725 section 3.10)."""

    code = "header_refused"


class TokenTypeError(RefusedError):
    """The `typ` is not this purpose's (RFC 8725 section 3.11)."""

    code = "wrong_token_type"


class KeyRefusedError(RefusedError):
    """The key is of a kind, use or curve that is not accepted, or carries a private part."""

    code = "key_refused"


class CertificateRefusedError(RefusedError):
    """The certificate chain does not end in a trusted anchor, or is not one."""

    code = "certificate_refused"


class EncryptionRefusedError(RefusedError):
    """The encrypted token is not of a kind accepted here, or does not open."""

    code = "encryption_refused"


class ProofRefusedError(RefusedError):
    """A proof of possession is for another request, too old, or not one."""

    code = "proof_refused"


class QueryUnmetError(RefusedError):
    """What was presented is not what was asked for (OpenID4VP section 8.6)."""

    code = "query_unmet"


class TransactionDataError(RefusedError):
    """The holder did not sign the transaction data that was sent (OpenID4VP section 8.4)."""

    code = "transaction_data_unmatched"


class TypeRuleError(RefusedError):
    """The credential is not what its type's metadata demands (SD-JWT VC section 9.2)."""

    code = "type_rule_broken"


class SignatureInvalidError(RefusedError):
    """The signature does not verify."""

    code = "signature_invalid"


class ClaimInvalidError(RefusedError):
    """A registered claim is missing, of the wrong type or out of range."""

    code = "claim_invalid"


class DisclosureInvalidError(RefusedError):
    """Disclosures do not fit the signed payload (RFC 9901 section 7.1)."""

    code = "disclosures_altered"


class HolderBindingMissingError(RefusedError):
    """The presentation has no key binding (RFC 9901 section 7.3)."""

    code = "holder_binding_missing"


class HolderBindingInvalidError(RefusedError):
    """The key binding is not by the holder's key or not over this presentation."""

    code = "holder_binding_invalid"


class AudienceMismatchError(RefusedError):
    """The presentation was made for another verifier."""

    code = "wrong_audience"


class NonceMismatchError(RefusedError):
    """The presentation answers another request."""

    code = "wrong_nonce"


class PresentationStaleError(RefusedError):
    """The presentation is older than its minute."""

    code = "presentation_stale"


class ClockDiffersError(RefusedError):
    """The presentation or licence was made in this machine's future: one of the clocks is wrong."""

    code = "clock_differs"


class NotYetValidError(RefusedError):
    """The licence's first day lies ahead."""

    code = "licence_not_yet_valid"


class ExpiredError(RefusedError):
    """The licence's last day has passed."""

    code = "licence_expired"


class UnknownError(FormatError):
    """Nothing can be said: the answer is "cannot confirm", never green."""

    code = "status_unavailable"


class StatusListInvalidError(UnknownError):
    """The status list is not one that can be believed."""

    code = "status_list_invalid"


class StatusIndexError(UnknownError):
    """The status index is not an entry of the list (Token Status List section 8.3)."""

    code = "status_index_invalid"
