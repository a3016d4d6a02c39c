/** What assistive technology must know of an input. */
export interface About {
  id: string;
  fault: string;
  required: boolean;
}

/** Attach it to the input itself. One function instead of a spread in each field: Svelte's is large. */
export function described(about: About): (node: Element) => void {
  return (node) => {
    node.id = about.id;
    node.setAttribute('aria-describedby', `${about.id}-about`);
    node.setAttribute('aria-required', String(about.required));
    if (about.fault) node.setAttribute('aria-invalid', 'true');
    else node.removeAttribute('aria-invalid');
  };
}
