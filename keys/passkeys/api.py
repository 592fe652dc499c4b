"""HTTP of passkeys: no deciding here."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from keys.access import Access, Caller
from keys.auth import Clock
from keys.passkeys.passkeys import Passkeys
from keys.passkeys.schemas import Options, PasskeyOut, PasskeysOut, RegisterIn, ShownIn, SignedIn


def routes(passkeys: Passkeys, access: Access, *, caller_of: Callable[..., Caller], clock: Clock) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/passkeys", tags=["passkeys"])
    Me = Annotated[Caller, Depends(caller_of)]  # noqa: N806 - a type

    @router.post("/registration-options")
    def registration_options(me: Me) -> Options:
        """Begin to register a passkey; give the answer to `navigator.credentials.create`, within five minutes."""
        return Options(public_key=passkeys.registration_options(me, now=clock()))

    @router.post("", status_code=201)
    def register(me: Me, body: RegisterIn) -> PasskeyOut:
        """Register a passkey; the second and later ones need one shown within ten minutes."""
        return PasskeyOut.of(passkeys.register(me, body.credential, body.label, now=clock()))

    @router.get("")
    def mine(me: Me) -> PasskeysOut:
        """List one's own passkeys."""
        return PasskeysOut(items=[PasskeyOut.of(row) for row in passkeys.of(me, now=clock())])

    @router.delete("/{passkey_id}", status_code=204, response_class=Response)
    def remove(me: Me, passkey_id: str) -> None:
        """Remove one of one's own passkeys, and close what it opened; needs one shown within ten minutes."""
        passkeys.remove(me, passkey_id, now=clock())

    @router.post("/step-up-options")
    def step_up_options(me: Me) -> Options:
        """Begin to show a passkey of one's own; give the answer to `navigator.credentials.get`."""
        return Options(public_key=passkeys.assertion_options(me, now=clock()))

    @router.post("/step-up", status_code=204, response_class=Response)
    def step_up(me: Me, body: ShownIn) -> None:
        """Show a passkey: for ten minutes this token may do what needs one."""
        passkeys.step_up(me, body.credential, now=clock())

    @router.post("/sign-in-options")
    def sign_in_options() -> Options:
        """Begin to sign in as a member of staff."""
        return Options(public_key=passkeys.assertion_options(None, now=clock()))

    @router.post("/sign-in")
    def sign_in(body: ShownIn) -> SignedIn:
        """Sign in as a member of staff: an access token for eight hours, over when unused for half an hour."""
        secret, life = passkeys.sign_in(body.credential, now=clock())
        return SignedIn(access_token=secret, expires_in_seconds=int(life.total_seconds()))

    @router.post("/sign-out", status_code=204, response_class=Response)
    def sign_out(me: Me) -> None:
        """End this session; passkeys stay."""
        access.revoke(me.token_id, actor=me.name, now=clock(), signed_out=True)

    return router
