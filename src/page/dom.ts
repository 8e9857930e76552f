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

/** Draws the content of an element anew where what it depends on has changed. @param content told apart by its JSON */
export function redraw(target: Element, content: unknown, draw: () => readonly Child[]): void {
  const text = JSON.stringify(content);
  if (shown.get(target) === text) return;
  shown.set(target, text);
  target.replaceChildren(...draw());
}
