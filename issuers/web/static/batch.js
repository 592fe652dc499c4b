// Many licences from a file: the service takes it whole, checks every row before any is signed, and says how far it is.
"use strict";

const KINDS = {
  csv: "text/csv", ndjson: "application/x-ndjson", jsonl: "application/x-ndjson",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};
const batch = { job: "" };
const ofBatches = (rest = "") => `/issuers/${session.agency}/batches${rest}`;

const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
/** A line of a file that a spreadsheet opens: a text that would be a formula there stays a text. */
const csvLine = (cells) => `${cells.map((cell) => quoted(/^[\s\u3000]*[=+\-@＝＋－＠]|^[\t\r\n]/.test(cell) && !/^-?[0-9.]+$/.test(cell) ? `'${cell}` : cell)).join(",")}\r\n`;

const why = (row) => row.faults.map((one) => `${one.code}: ${one.pointer} ${one.detail}`).join("; ");

/** Show how far a job is. */
function progress(job) {
  const right = job.rows - job.refused;
  at("batch-progress").max = Math.max(1, job.rows + 2 * right);
  at("batch-progress").value = job.checked + job.signed + job.delivered;
  const waits = job.waits_for ? ` · ${told("waitsFor")} ${job.waits_for}` : "";
  at("batch-said").textContent = `${job.checked} / ${job.rows} ${told("rows")} · ${told("ok")} ${job.signed} · ${told("delivered")} ${job.delivered} · ${told("fault")} ${job.refused}${waits}`;
}

/** Follow a job to its end; it goes on without this page, too. */
async function followed(job) {
  batch.job = job.job_id;
  for (;;) {
    progress(job);
    if (job.state === "done" || job.state === "stopped") return job;
    await new Promise((done) => { setTimeout(done, 1000); });
    job = await ask("GET", ofBatches(`/${batch.job}`));
  }
}

at("batch-template").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const type = at("batch-type").value;
  const file = await ask("GET", ofBatches(`/template.xlsx?licence_type=${type}`), undefined, { file: true });
  const link = element("a", "", { download: `${type}.xlsx`, href: URL.createObjectURL(file) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}));

at("batch-report").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const rows = await ask("GET", ofBatches(`/${batch.job}/report`), undefined, { lines: true });
  const heads = [told("row"), told("reference"), told("licence"), told("reason")];
  const lines = rows.map((row) => [String(row.row), row.reference || "", row.licence_id || "", row.faults ? why(row) : ""]);
  keep("report.csv", [heads, ...lines].map(csvLine).join(""));
}));

at("batch-run").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const file = at("batch-file").files[0], type = at("batch-type").value;
  const kind = file && KINDS[file.name.toLowerCase().split(".").pop()];
  if (!kind) throw new Error(told("unreadable"));
  at("batch-faults").replaceChildren();
  at("batch-report").hidden = true;
  at("batch-box").hidden = false;
  at("batch-said").textContent = told("sending");
  const once = `file-${type}-${file.size}-${file.lastModified}`; // the same file again is the same job
  await followed(await ask("POST", ofBatches(`?licence_type=${type}`), file, { kind, once }));
  const rows = await ask("GET", ofBatches(`/${batch.job}/report?refused=true`), undefined, { lines: true });
  const shown = rows.slice(0, 200).map((row) => [String(row.row), row.reference || "", why(row)]);
  if (shown.length) at("batch-faults").append(table(told("fault"), [told("row"), told("reference"), told("reason")], shown));
  at("batch-report").hidden = false;
}));
