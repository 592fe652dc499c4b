"""JSON into what is checked without a record."""

from pydantic import Field

from keys.schemas import Input, example
from verifier.verifier import MAX_PRESENTATIONS


class CheckIn(Input):
    """Presentations that a counter asked for by itself, made for it (its `client_id`) and its nonce."""

    service_item: str = Field(min_length=1, max_length=64)
    nonce: str = Field(min_length=1, max_length=256)
    presentations: list[str] = Field(min_length=1, max_length=MAX_PRESENTATIONS)

    model_config = example(
        {"service_item": "school_enrolment", "nonce": "n-0S6_WzA2Mj", "presentations": ["eyJ…~WyJ…~eyJ…"]}
    )
