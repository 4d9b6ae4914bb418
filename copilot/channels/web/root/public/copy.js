// "Copy the answer" gives plain text, fit for an e-mail: Chainlit would give the markdown with its escapes, and as HTML
// the whole card with every source.

// what stands in an address so that it is no link
const whole = (text) => text.replaceAll("\u2060", "");

const plain = (markdown) => whole(markdown).replace(/\*\*(.+?)\*\*/g, "$1").replace(/\\([!-/:-@[-`{-~])/g, "$1");

export function copyAsText() {
  document.addEventListener("copy", (event) => {
    const text = document.getSelection()?.toString() ?? "";
    if (text === whole(text)) return;
    event.clipboardData.setData("text/plain", whole(text));
    event.preventDefault();
  });
  const clipboard = navigator.clipboard;
  if (!clipboard?.write) return; // not a secure context: nothing can be copied from here at all
  const write = clipboard.write.bind(clipboard);
  clipboard.write = async (items) => {
    const [item] = items;
    if (!item?.types.includes("text/plain")) return write(items);
    const text = await (await item.getType("text/plain")).text();
    return clipboard.writeText(plain(text));
  };
}
