// Many licences from a file: each row an order with a key of its own, so that a second upload issues nothing twice.
"use strict";

const PEOPLE = ["reference", "holder.code_type", "holder.code", "holder.name", "guardian.code", "guardian.name", "representative.code", "representative.name", "valid_until"];
const batch = { stopped: false, report: [] };

/** The columns of a type's file: whose it is, then its claims. */
function columns(form) {
  const names = [...new Set([...form.elements].map((field) => field.name).filter((name) => name && !name.endsWith(".code_type")))];
  return ["reference", "holder.code_type", ...names.filter((name) => name !== "reference")];
}

const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
/** A line of a file that a spreadsheet opens: a text that would be a formula there stays a text. */
const csvLine = (cells) => `${cells.map((cell) => quoted(/^[\s\u3000]*[=+\-@＝＋－＠]|^[\t\r\n]/.test(cell) && !/^-?[0-9.]+$/.test(cell) ? `'${cell}` : cell)).join(",")}\r\n`;

/** The text of a file: UTF-8, or as spreadsheets here save it. */
async function textOf(file) {
  const bytes = await file.arrayBuffer();
  for (const encoding of ["utf-8", "gb18030"]) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes);
    } catch { /* the next one */ }
  }
  return "";
}

/** The rows of a CSV text (RFC 4180): cells, the line where each begins, and whether its quotes are right. */
function parsed(text) {
  const rows = [];
  let row, cell, state, line = 1;
  const begin = () => { row = { line, cells: [], wrong: false }; cell = ""; state = "plain"; };
  const endCell = () => { row.cells.push(cell); cell = ""; state = "plain"; };
  const endRow = () => { endCell(); if (row.cells.some((one) => one.trim())) rows.push(row); };
  begin();
  for (let place = 0; place < text.length; place += 1) {
    const one = text[place];
    if (one === "\n") line += 1;
    if (state === "quoted") {
      if (one !== '"') cell += one;
      else if (text[place + 1] === '"') { cell += one; place += 1; } else state = "closed";
    } else if (one === ",") endCell();
    else if (one === "\n") { endRow(); begin(); } else if (one === "\r" && text[place + 1] === "\n") { /* the end of the row */ } else if (one === '"' && state === "plain" && cell === "") state = "quoted";
    else if (one === '"' || state === "closed") row.wrong = true;
    else cell += one;
  }
  if (state === "quoted") row.wrong = true;
  endRow();
  return rows;
}

/** The order that a row means: fields as the form knows their kinds. */
function order(form, names, cells) {
  const body = { licence_type: form.dataset.type, claims: {} };
  names.forEach((name, place) => {
    const text = cells[place].trim();
    if (!text) return;
    const field = form.elements[name] instanceof RadioNodeList ? form.elements[name][0] : form.elements[name];
    let value = text;
    if (field && field.dataset.kind === "number") value = Number(text);
    else if (field && (field.dataset.kind === "lines" || field.dataset.list !== undefined)) value = text.split(/[;；、]/).map((one) => one.trim());
    else if (field && field.type === "checkbox") value = /^(true|1|是|yes|✓)$/i.test(text);
    const path = name.split(".");
    const last = path.pop();
    path.reduce((outer, part) => (outer[part] ??= {}), body)[last] = value;
  });
  if (body.holder) body.holder.code_type ??= form.elements["holder.code_type"].value;
  for (const role of ["guardian", "representative"]) if (body[role]) body[role].code_type = "111";
  return body;
}

async function digest(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...bytes.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Issue one row; asked to be slower, wait and go on, unless somebody stops it. */
async function issueRow(form, names, row) {
  if (row.wrong || row.cells.length !== names.length) throw Object.assign(new Error(told("rowWrong")), { code: "row_malformed" });
  const body = order(form, names, row.cells);
  const about = body.reference ? `${session.agency} ${body.licence_type} ${body.reference}` : JSON.stringify(body);
  const once = `batch-${await digest(about)}`;
  for (;;) {
    try {
      return await ask("POST", `/issuers/${session.agency}/licences`, body, { once, stay: true });
    } catch (error) {
      if (error.code !== "too_many_requests" || batch.stopped) throw error;
      await new Promise((done) => { setTimeout(done, 2000); });
    }
  }
}

function keepReport() {
  const heads = [told("row"), told("reference"), told("licence"), told("delivered"), told("reason")];
  keep("report.csv", [heads, ...batch.report].map(csvLine).join(""));
}

at("batch-template").addEventListener("click", () => {
  const form = formOf(at("batch-type").value);
  keep(`${form.dataset.type}.csv`, csvLine(columns(form)));
});
at("batch-stop").addEventListener("click", () => { batch.stopped = true; });
at("batch-report").addEventListener("click", keepReport);
at("batch-run").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const form = formOf(at("batch-type").value), file = at("batch-file").files[0];
  const [head, ...rows] = parsed(file ? await textOf(file) : "");
  const names = head ? head.cells.map((one) => one.trim()) : [], known = [...columns(form), ...PEOPLE];
  const sound = rows.length && names.includes("holder.code") && names.every((name) => known.includes(name)) && new Set(names).size === names.length;
  if (!sound) throw new Error(told("unreadable"));
  Object.assign(batch, { stopped: false, report: [] });
  at("batch-faults").replaceChildren();
  at("batch-box").hidden = at("batch-stop").hidden = false;
  at("batch-progress").max = rows.length;
  const faults = [], reference = names.indexOf("reference");
  try {
    for (const [place, row] of rows.entries()) {
      if (batch.stopped) break;
      const about = [String(row.line), row.cells[reference] || ""];
      try {
        const made = await issueRow(form, names, row);
        batch.report.push([...about, made.licence_id, made.delivered ? "✓" : "✗", ""]);
      } catch (error) {
        batch.report.push([...about, "", "", `${error.code || "no_answer"}: ${error.message}`]);
        faults.push([...about, error.message]);
        if (error.status === 401 || !error.code) throw error;
      }
      at("batch-progress").value = place + 1;
      at("batch-said").textContent = `${place + 1} / ${rows.length} ${told("rows")} · ${told("ok")} ${place + 1 - faults.length} · ${told("fault")} ${faults.length}`;
    }
  } catch (error) {
    if (error.status === 401) { // what was done is told before the page goes
      keepReport();
      signedOut();
    }
    throw error;
  } finally {
    at("batch-stop").hidden = true;
    at("batch-report").hidden = false;
    if (faults.length) at("batch-faults").append(table(told("fault"), [told("row"), told("reference"), told("reason")], faults.slice(0, 200)));
  }
}));
