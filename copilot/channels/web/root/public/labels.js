// Names for the icon buttons that Chainlit leaves unnamed, for screen readers and for the mouse.

const LABELS = {
  ".positive-feedback-off, .positive-feedback-on": "Right and useful",
  ".negative-feedback-off, .negative-feedback-on": "Wrong or not useful",
  "#sidebar-trigger-button": "Earlier questions",
  "#new-chat-button": "New question",
  "#chat-submit": "Ask",
  "#stop-button": "Stop",
  "#user-nav-button": "Your account",
  "#thread-options": "Options",
  "button:has(> .lucide-arrow-down)": "To the end",
  "#search-chats-button": "Search earlier questions",
  ".ai-message button:has(> .lucide-copy)": "Copy the answer",
  ".ai-message button:has(> .lucide-check)": "Copied",
};

function label() {
  for (const [selector, text] of Object.entries(LABELS)) {
    for (const button of document.querySelectorAll(selector)) {
      if (button.getAttribute("aria-label") !== text) button.setAttribute("aria-label", text);
    }
  }
  const field = document.getElementById("chat-input");
  if (field && !field.hasAttribute("aria-label")) {
    field.setAttribute("aria-label", "Your question");
    field.setAttribute("role", "textbox");
  }
}

export function labelButtons() {
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      label();
    });
  };
  new MutationObserver(later).observe(document.documentElement, { childList: true, subtree: true });
  later();
}
