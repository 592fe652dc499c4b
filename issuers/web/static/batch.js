// Many licences from a file: the service takes it whole, checks every row before any is signed, and says how far it is.
"use strict";

const KINDS = {
  csv: "text/csv", ndjson: "application/x-ndjson", jsonl: "application/x-ndjson",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};
const batch = { job: "", turn: 0 };
const ofBatches = (rest = "") => `/issuers/${session.agency}/batches${rest}`;

const why = (row) => row.faults.map((one) => `${one.code}: ${one.pointer} ${one.message ? one.message[language] : one.detail}`).join("; ");

/** Show how far a job is. */
function progress(job) {
  const right = job.rows - job.refused;
  at("batch-progress").max = Math.max(1, job.rows + 2 * right);
  at("batch-progress").value = job.checked + job.signed + job.delivered;
  const waits = job.waits_for ? ` · ${told("waitsFor")} ${job.waits_for}` : "";
  const before = job.issued_before ? ` (${told("before")} ${job.issued_before})` : "";
  at("batch-said").textContent = `${job.checked} / ${job.rows} ${told("rows")} · ${told("ok")} ${job.signed}${before} · ${told("delivered")} ${job.delivered} · ${told("fault")} ${job.refused}${waits}`;
}

const over = (job) => job.state === "done" || job.state === "stopped";

/** Show nothing of what was looked at before. */
function begin() {
  at("batch-faults").replaceChildren();
  at("batch-report").hidden = true;
  at("batch-box").hidden = false;
  batch.job = "";
  batch.turn += 1;
  return batch.turn;
}

/** Follow a job to its end, and show what was refused; it goes on without this page, too. */
async function followed(job) {
  const turn = begin();
  batch.job = job.job_id;
  const mine = () => batch.turn === turn && staff.token; // something else is looked at by now, or nobody looks
  while (!over(job) && mine()) {
    progress(job);
    await new Promise((done) => { setTimeout(done, 1000); });
    if (mine()) job = await ask("GET", ofBatches(`/${job.job_id}`));
  }
  if (!mine()) return;
  progress(job);
  const rows = job.refused ? await ask("GET", ofBatches(`/${job.job_id}/report?refused=true&limit=200`), undefined, { lines: true }) : [];
  const shown = rows.map((row) => [String(row.row), row.reference || "", why(row)]);
  if (shown.length) at("batch-faults").append(table(told("fault"), [told("row"), told("reference"), told("reason")], shown));
  at("batch-report").hidden = false;
  await jobs();
}

/** The newest jobs: whoever closed the page finds theirs again. */
async function jobs() {
  const { items } = await ask("GET", ofBatches());
  const look = (job) => {
    const button = element("button", told("look"), { type: "button" });
    button.addEventListener("click", () => act(button, () => followed(job)));
    return button;
  };
  at("batch-jobs").replaceChildren(table(told("jobs"), [told("when"), told("type"), told("rows"), told("fault"), told("state"), told("act")], items.map((job) => [
    when(job.created_at), nameOf(job.licence_type), String(job.rows), String(job.refused), told(`job${job.state[0].toUpperCase()}${job.state.slice(1)}`), [look(job)],
  ])));
}

/** Get what a link would, with the token, and keep it as a file. */
async function fetched(path, name) {
  const link = element("a", "", { download: name, href: URL.createObjectURL(await ask("GET", path, undefined, { file: true })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

at("batch-template").addEventListener("click", (event) => act(event.currentTarget, () => {
  const type = at("batch-type").value;
  return fetched(ofBatches(`/template.xlsx?licence_type=${type}`), `${type}.xlsx`);
}));

at("batch-report").addEventListener("click", (event) => act(event.currentTarget, () => fetched(ofBatches(`/${batch.job}/report?form=csv`), `${batch.job}.csv`)));

at("batch-run").addEventListener("click", (event) => act(event.currentTarget, async () => {
  const file = at("batch-file").files[0], type = at("batch-type").value;
  const kind = file && KINDS[file.name.toLowerCase().split(".").pop()];
  if (!kind) throw new Error(told("unreadable"));
  begin();
  at("batch-said").textContent = told("sending");
  const once = `file-${type}-${file.size}-${file.lastModified}`; // the same file again is the same job
  try {
    await followed(await ask("POST", ofBatches(`?licence_type=${type}`), file, { kind, once }));
  } catch (error) {
    at("batch-box").hidden = !batch.job; // nothing came in: there is nothing to see
    throw error;
  }
}));
