// A quiet line while no model helps: everything is answered then too, by the rules alone.

const EVERY = 30_000;
const ALONE = { plan: "questions are read by the rules alone", draft: "answers are put together by the rules alone" };

export function tellState() {
  const line = document.createElement("p");
  line.id = "ec-state";
  line.setAttribute("role", "status");
  line.hidden = true;
  document.body.append(line);
  const look = async () => {
    if (document.hidden) return;
    try {
      const text = told(await (await fetch("/health", { cache: "no-store" })).json());
      if (line.textContent !== text) line.textContent = text;
      line.hidden = !text;
    } catch {
      line.hidden = true; // a server that can't be reached is told by the chat itself
    }
  };
  document.addEventListener("visibilitychange", look);
  setInterval(look, EVERY);
  look();
}

function told(health) {
  const tasks = health.by_rules;
  if (tasks.length === 0) return "";
  const resting = health.models.filter((model) => model.since);
  const since = resting.map((model) => model.since).sort()[0];
  const why = since ? `The language model has not answered since ${clock(since)}` : "Today's budget of the language model is used up";
  return `${why}: ${tasks.length > 1 ? "the rules answer alone" : ALONE[tasks[0]]}.`;
}

function clock(moment) {
  const at = new Date(moment);
  const sameDay = at.toDateString() === new Date().toDateString();
  return at.toLocaleString([], { ...(sameDay ? {} : { day: "numeric", month: "short" }), hour: "2-digit", minute: "2-digit" });
}
