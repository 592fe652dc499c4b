"""The empty spreadsheet of a type, for clerks to fill in: the one door to openpyxl, loaded when somebody wants one."""

from collections.abc import Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from issuers.batch.tables import Column

LONGEST_LIST = 255  # characters of a spreadsheet's list of choices


def write(columns: Sequence[Column], title: str) -> bytes:
    """Return an empty spreadsheet with these columns, all of them text, and a sheet that explains them."""
    book = Workbook()
    sheet = book.active
    sheet.title = "rows"
    sheet.append([one.name for one in columns])
    sheet.freeze_panes = "A2"
    for at, one in enumerate(columns, 1):
        letter = get_column_letter(at)
        sheet.column_dimensions[letter].number_format = "@"  # text: numbers of 18 digits stay what they are
        sheet.column_dimensions[letter].width = max(14, len(one.name) + 2)
        sheet.cell(1, at).font = Font(bold=one.required)
        said = '"' + ",".join(one.choices) + '"'
        if one.choices and len(said) <= LONGEST_LIST:
            choice = DataValidation(type="list", formula1=said, allow_blank=True)
            choice.add(f"{letter}2:{letter}1048576")
            sheet.add_data_validation(choice)
    about = book.create_sheet("说明 about")
    about.append([title])
    about.append(["列 column", "名称 name", "内容 kind", "必填 required"])
    for one in columns:
        about.append([one.name, one.label, one.kind, "是 yes" if one.required else ""])
    out = BytesIO()
    book.save(out)
    return out.getvalue()
