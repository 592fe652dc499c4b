"""How a copy for the file looks on paper: the one door to fpdf2, which is loaded when the first is drawn."""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos
from noto_cjk_sans_otc import FONT_PATH

from verifier.file_copies.document import both

FONT, SIMPLIFIED = "Noto Sans CJK SC", 2  # its place in the collection
MARGIN, LINE, QR, LABEL = 18.0, 6.5, 30.0, 58.0  # millimetres
GREY, PALE = 90, 205


class Pages(FPDF):
    """The pages of one document: `head` once, `licence` for each."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        super().__init__(format="A4")
        self._said = document
        self.set_creation_date(datetime.fromisoformat(document["made_at"]))
        self.set_title("电子证照加注件 · Copy for the file")
        self.set_lang("zh-CN")
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN + LINE)
        self.add_font(FONT, fname=str(FONT_PATH), collection_font_number=SIMPLIFIED)
        self.set_font(FONT, size=10)

    def header(self) -> None:
        """Mark the page through and through with what it is for."""
        self.set_text_color(PALE)
        mark = f"仅用于 {self._said['matter'].get('zh', '')} · {_day(self._said['made_at'])}"
        self.set_font(FONT, size=20)
        for at in (80, 165, 250):
            with self.rotation(30, x=MARGIN, y=at):
                self.text(MARGIN + 4, at, mark)
        self.set_text_color(0)
        self.set_font(FONT, size=10)

    def footer(self) -> None:
        """Say whose page this is, and which."""
        self.set_y(-MARGIN)
        self.set_font(FONT, size=8)
        self.set_text_color(GREY)
        self.cell(text=f"{self._said['verification_id']} · {self.page_no()}", align="C", center=True)
        self.set_text_color(0)
        self.set_font(FONT, size=10)

    def head(self, qr: bytes) -> None:
        """Tell what this is a copy for, and draw what re-verifies it."""
        said = self._said
        self.image(BytesIO(qr), x=self.w - MARGIN - QR, y=MARGIN, w=QR)
        width = self.epw - QR - 6
        self.set_font(FONT, size=18)
        self._line("电子证照加注件", width, LINE * 1.5)
        self.set_font(FONT, size=11)
        self._line("Copy for the file", width, LINE * 1.2)
        self.set_font(FONT, size=10)
        for label, text in (
            ("事项 Matter", both(said["matter"])),
            ("受理机构 Agency", both(said["agency"])),
            ("窗口 Counter", both(said["counter"]) + (f" · {said['operator']}" if said["operator"] else "")),
            ("制作时间 Made", said["made_at"]),
            ("保存期至 Kept until", said["until"]),
        ):
            self._row(label, text, width)
        self.set_font(FONT, size=8)
        self.set_text_color(GREY)
        self._line(
            "本件仅用于上述事项，不得另作他用。扫码可再次核验出示回执。\n"
            "For this matter alone. Scan the code to verify the receipt once more.",
            width, LINE * 0.8,
        )  # fmt: skip
        self.set_text_color(0)
        self.set_y(max(self.get_y(), MARGIN + QR) + LINE)

    def licence(self, one: Mapping[str, Any]) -> None:
        """Tell one licence: what it is, whose word, and each claim that was disclosed."""
        self.set_font(FONT, size=13)
        self._line(both(one["name"]), self.epw, LINE * 1.2)
        self.set_font(FONT, size=10)
        self._row("签发机关 Issued by", both(one["agency"]), self.epw)
        self._row("签发时间 Issued", one["issued_at"] or "—", self.epw)
        self._row("有效期至 Valid until", one["expires_at"] or "长期 No end", self.epw)
        for claim in one["claims"]:
            self._row(both(claim["label"]), claim["text"], self.epw)
        self.ln(LINE)

    def _row(self, label: str, text: str, width: float) -> None:
        """Write a label and what it labels; both may take several lines, and stay on one page."""
        start, page = self.get_y(), self.page
        text, label = self._drawable(text or "—"), self._drawable(label)
        if self.will_page_break(LINE * max(self._lines(label, LABEL), self._lines(text, width - LABEL))):
            self.add_page()
            start, page = self.get_y(), self.page
        self.set_text_color(GREY)
        self.multi_cell(w=LABEL, h=LINE, text=label, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        left_end = self.get_y()
        self.set_text_color(0)
        if self.page == page:
            self.set_y(start)
        self.set_x(MARGIN + LABEL)
        self.multi_cell(w=width - LABEL, h=LINE, text=text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_y(max(self.get_y(), left_end))

    def _lines(self, text: str, width: float) -> int:
        """Return how many lines a text takes; not by `offset_rendering`, which copies the whole font each time."""
        found = self.multi_cell(w=width, h=LINE, text=text, align="L", dry_run=True, output=MethodReturnValue.LINES)
        return len(found)  # type: ignore[arg-type]

    def _drawable(self, text: str) -> str:
        """Return a text in which each character that the font lacks is spelt: nothing of a name is lost unseen."""
        known = self.fonts[FONT.lower()].cmap  # type: ignore[union-attr]
        return "".join(one if ord(one) in known or one == "\n" else f"[U+{ord(one):04X}]" for one in text)

    def _line(self, text: str, width: float, height: float) -> None:
        self.multi_cell(w=width, h=height, text=self._drawable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _day(instant: str) -> str:
    return instant[:10]
