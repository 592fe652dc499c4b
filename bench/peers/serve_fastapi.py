"""POST /verify with FastAPI and `sd-jwt`: `python serve_fastapi.py PORT`, set up by the file PEER_CONFIG names."""
# mypy: disable-error-code="import-not-found"

import json
import os
import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel
from sdjwt_check import verifier

app = FastAPI()
verify = verifier(json.loads(Path(os.environ["PEER_CONFIG"]).read_text(encoding="utf-8")))


class Presented(BaseModel):
    """What is to be verified, and for whom it was made."""

    presentation: str
    audience: str
    nonce: str


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Answer that it runs."""
    return {"status": "ok"}


@app.post("/verify")
async def verify_one(said: Presented, response: Response) -> dict[str, Any]:
    """Verify one presentation; on the event loop, for all of it is computing and there is one core."""
    try:
        return {"verdict": "accepted", "claims": verify(said.presentation, said.audience, said.nonce)}
    except Exception as error:  # noqa: BLE001 - the library raises whatever its parsers raise
        response.status_code = 400
        return {"verdict": "refused", "reason": str(error)}


if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_level="error")
