// What this browser remembers between visits. Storage may be full or forbidden: then it forgets.
const PREFIX = 'rushes.';

export function recall(name: string): unknown {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Nothing depends on it.
  }
}

/** Be told when another tab remembers something else by that name. */
export function onchange(name: string, changed: () => void): void {
  window.addEventListener('storage', ({ key }) => key === PREFIX + name && changed());
}
