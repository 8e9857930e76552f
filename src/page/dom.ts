/** Elements, and texts in them. Whatever comes from the scrape becomes a text: nothing is ever parsed as HTML. */

type Child = Element | string;

export interface Attributes {
  readonly [name: string]: string | undefined;
}

/** @param attributes of which those that are undefined are left out */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(attribute, value);
  }
  made.append(...children);
  return made;
}

export function byId(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}

/** Writes a text where it has changed, so that what is selected or read aloud stays. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

const shown = new WeakMap<Element, string>();

/**
 * Draws the content of an element anew where what it depends on has changed. What stays the same inside is not touched,
 * so that the focus, and the place where somebody reads aloud, outlast a scrape.
 * @param content told apart by its JSON
 */
export function redraw(target: Element, content: unknown, draw: () => readonly Child[]): void {
  const text = JSON.stringify(content);
  if (shown.get(target) === text) return;
  shown.set(target, text);
  patch(target, draw());
}

/** Gives an element these children, and keeps of its own those that are of the same kind in the same place. */
function patch(target: Element, children: readonly (Node | string)[]): void {
  for (const [index, child] of children.entries()) {
    const made = typeof child === 'string' ? document.createTextNode(child) : child;
    const own = target.childNodes[index];
    if (own === undefined) target.append(made);
    else if (own instanceof Text && made instanceof Text) {
      if (own.data !== made.data) own.data = made.data;
    } else if (own instanceof Element && made instanceof Element && own.localName === made.localName) {
      patchAttributes(own, made);
      patch(own, [...made.childNodes]);
    } else own.replaceWith(made);
  }
  while (target.childNodes.length > children.length) target.lastChild?.remove();
}

function patchAttributes(own: Element, made: Element): void {
  for (const name of own.getAttributeNames()) if (!made.hasAttribute(name)) own.removeAttribute(name);
  for (const { name, value } of made.attributes) if (own.getAttribute(name) !== value) own.setAttribute(name, value);
}
