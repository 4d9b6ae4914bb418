// Custom elements without evaluating text.
//
// Chainlit fetches an element's source and turns it into code with `new Function`, which our content-security policy
// rightly forbids. The file it fetches therefore only names an element that is compiled in here, and this takes the
// place of `Function` for exactly such a file; everything else goes on to the real one, and to the policy.

const MARK = /"compiled element: (\w+)"/;
const seen = new WeakMap();

export function installElements(elements) {
  window.Function = new Proxy(window.Function, {
    construct(target, args, newTarget) {
      const source = String(args[args.length - 1] ?? "");
      const name = source.length < 1000 ? MARK.exec(source)?.[1] : undefined;
      if (!name || !Object.hasOwn(elements, name)) return Reflect.construct(target, args, newTarget);
      return (...values) => {
        const scope = Object.fromEntries(args.slice(0, -1).map((key, index) => [key, values[index]]));
        scope.exports.default = stable(elements[name], scope);
      };
    },
  });
}

// One component for as long as the element's values stay the same: a new one each time would close what is open.
function stable(element, scope) {
  let known = seen.get(scope.props);
  if (!known) {
    known = { component: () => element(known.scope) };
    seen.set(scope.props, known);
  }
  known.scope = scope;
  return known.component;
}
