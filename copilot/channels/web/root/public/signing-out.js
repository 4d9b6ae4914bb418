// Which tab it is that signs out: all tabs of a browser learn of it, and may leave the chat in any order, some twice.

const KEY = "ec-signing-out";

export function watchSigningOut() {
  sessionStorage.removeItem(KEY);
  const plain = window.fetch;
  window.fetch = (resource, options) => {
    const path = new URL(resource instanceof Request ? resource.url : resource, location.href).pathname;
    if (path === "/logout") sessionStorage.setItem(KEY, "yes");
    return plain(resource, options);
  };
}

export function signedOutHere() {
  return sessionStorage.getItem(KEY) !== null;
}
