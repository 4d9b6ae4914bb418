// The card under an answer. React escapes every value put in as a child; links are checked once more here.

const STATE_WORDS = { done: "done", late: "late", open: "not yet", partly: "partly" };

export function AnswerCard({ React, props, sendUserMessage }) {
  const h = React.createElement;
  const card = props;
  return h(
    "div",
    { className: `ec ec-${card.verdict}`, "data-testid": "answer-card" },
    card.understood && h("p", { className: "ec-understood", "data-testid": "understood" }, `Understood as: ${card.understood}.`),
    standing(h, card),
    card.document && documentCard(h, card.document),
    card.shipments.length > 0 && h("section", { className: "ec-box" }, shipments(h, card.shipments)),
    card.choices.length > 0 && choices(h, card.choices, sendUserMessage),
    card.next_steps.length > 0 && nextSteps(h, card.next_steps),
    card.sources.length > 0 && sources(h, card.sources),
  );
}

function link(h, href, label, children) {
  if (!/^https?:\/\//i.test(href ?? "")) return children;
  const to = { href, target: "_blank", rel: "noopener noreferrer", className: "ec-link" };
  return h("a", label ? { ...to, "aria-label": label } : to, children, h("span", { className: "ec-out", "aria-hidden": true }, "↗"));
}

// --- the order ---------------------------------------------------------------------------------------------------

function documentCard(h, order) {
  return h(
    "section",
    { className: "ec-box", "data-testid": "order-card", "aria-label": `${order.title} ${order.number}` },
    h(
      "header",
      { className: "ec-head" },
      h("div", null,
        h("span", { className: "ec-kind" }, order.title), " ",
        h("strong", { className: "ec-number" }, link(h, order.link, `Open ${order.number} in the ERP`, order.number)),
        order.party && h("span", { className: "ec-party" }, order.party)),
      h("div", { className: "ec-chips" },
        order.late && h("span", { className: "ec-chip ec-chip-late" }, order.late),
        order.holds.map((hold, index) => h("span", { key: index, className: "ec-chip ec-chip-hold" }, hold)),
        order.status && h("span", { className: "ec-chip" }, order.status)),
    ),
    order.details.length > 0 && h("dl", { className: "ec-details" },
      order.details.map(([name, value]) => h("div", { key: name }, h("dt", null, name), h("dd", null, value)))),
    h("ol", { className: "ec-time" }, order.moments.map((moment) => moment_(h, moment))),
    order.lines.length > 0 && lines(h, order),
    order.shipments.length > 0 && shipments(h, order.shipments),
  );
}

function moment_(h, moment) {
  return h(
    "li",
    { key: moment.label, className: `ec-moment ec-is-${moment.state}` },
    h("span", { className: "ec-dot", "aria-hidden": true }),
    h("span", { className: "ec-label" }, moment.label),
    h("span", { className: "ec-date" }, moment.date ?? "–"),
    (moment.note || moment.state === "late" || moment.state === "partly") &&
      h("span", { className: "ec-note" }, moment.note ?? STATE_WORDS[moment.state]),
  );
}

function lines(h, order) {
  const heads = ["Item", "Ordered", order.moved_label, "Open", "Promised", "Actual"];
  return h(
    "div",
    { className: "ec-scroll", tabIndex: 0, role: "region", "aria-label": "Lines" },
    h("table", { className: "ec-table" },
      h("thead", null, h("tr", null, heads.map((head) => h("th", { key: head, scope: "col" }, head)))),
      h("tbody", null, order.lines.map((line, index) => line_(h, line, heads, index)))),
  );
}

function line_(h, line, heads, index) {
  const cells = [line.item, line.ordered, line.moved, line.open, line.promised, line.actual];
  return h(
    "tr",
    { key: index, className: line.late ? "ec-line-late" : undefined },
    cells.map((cell, at) =>
      h("td", { key: at, "data-head": heads[at], className: at > 0 && at < 4 ? "ec-amount" : undefined },
        cell ?? "–",
        line.late && at === 5 && h("span", { className: "ec-chip ec-chip-late" }, line.late))),
  );
}

function shipments(h, all) {
  return h(
    "ul",
    { className: "ec-shipments", "aria-label": "Shipments" },
    all.map((one, index) => h(
      "li",
      { key: index },
      h("div", { className: "ec-ship-head" },
        h("span", { className: "ec-kind" }, "Shipment"),
        h("strong", null, link(h, one.link, `Open ${one.number} in the ERP`, one.number)),
        one.status && h("span", { className: "ec-chip" }, one.status),
        one.carrier && h("span", null, one.carrier),
        one.tracking && h("span", { className: "ec-mono" },
          link(h, one.tracking_link, `Follow ${one.tracking} at ${one.carrier}`, one.tracking))),
      one.dates.length > 0 && h("div", { className: "ec-ship-dates" },
        one.dates.map(([name, value]) => h("span", { key: name }, `${name} `, h("b", null, value)))),
    )),
  );
}

// --- what to do next ---------------------------------------------------------------------------------------------

function choices(h, all, send) {
  return h(
    "div",
    { className: "ec-choices", role: "group", "aria-label": "Which one did you mean?" },
    all.map((choice, index) =>
      h("button", { key: index, type: "button", onClick: () => send(choice.question), title: choice.question }, choice.label)),
  );
}

function nextSteps(h, steps) {
  return h(
    "div",
    { className: "ec-next" },
    h("span", null, "What you can do"),
    h("ul", null, steps.map((text, index) => h("li", { key: index }, text))),
  );
}

// --- what it stands on -------------------------------------------------------------------------------------------

function standing(h, card) {
  return h(
    "div",
    { className: "ec-standing" },
    h("span", { className: `ec-verdict ec-verdict-${card.verdict}`, title: `Audit ${card.audit_id}` }, card.verdict_label),
    card.reason && h("span", null, card.reason),
    card.age && h("span", null, `as of ${card.age}`),
    card.verdict !== "declined" && h("span", { className: "ec-engine" }, card.engine),
    card.fallback && h("span", { className: "ec-fallback", "data-testid": "fallback" }, card.fallback),
  );
}

function sources(h, all) {
  return h(
    "details",
    { className: "ec-sources" },
    h("summary", null, all.length === 1 ? "1 source" : `${all.length} sources`),
    h("ul", null, all.map((one) => h("li", { key: one.id }, source(h, one)))),
  );
}

function source(h, one) {
  const about = [["system", one.system], ["record", `${one.entity} ${one.key}`], ["confirmed", one.confirmed]];
  if (one.changed) about.push(["last changed", one.changed]);
  return h(
    "details",
    { className: "ec-source", "data-testid": "source" },
    h("summary", null,
      h("span", { className: "ec-ref" }, one.id),
      h("span", { className: "ec-source-title" }, one.title.includes(one.key) ? one.title : `${one.title} ${one.key}`),
      h("span", { className: "ec-source-where" }, `${one.system} · ${one.age}`)),
    h("dl", { className: "ec-fields" },
      [...one.fields, ...about.map(([name, value]) => [name, value, true])].map(([name, value, meta], index) =>
        h("div", { key: index, className: meta ? "ec-meta" : undefined }, h("dt", null, name), h("dd", null, value)))),
    one.link && h("p", null, link(h, one.link, null, `Open in ${one.system}`)),
  );
}
